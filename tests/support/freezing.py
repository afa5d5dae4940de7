"""One thread of another process stopped where it is, as a driver or a disk that hangs stops it."""

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_SEIZE, _INTERRUPT, _CONT, _DETACH = 0x4206, 0x4207, 7, 17
_LONGER: Final = 0.007
"""Who waits for the interpreter's lock wakes up every 5 ms and asks for it again."""
_WALL: Final = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_LIBC.ptrace.restype = ctypes.c_long


def threads(pid: int) -> dict[str, int]:
    """The threads of a process by name; of the same name the oldest, for its own take its name."""
    tasks = sorted(Path(f"/proc/{pid}/task").iterdir(), key=lambda task: -int(task.name))
    return {(task / "comm").read_text().strip(): int(task.name) for task in tasks}


@contextmanager
def frozen(pid: int, thread: int) -> Iterator[None]:
    """A thread stands until the end. It is caught asleep, so that it holds no lock of Python's.

    Nor may it wait for that of the interpreter: who was asked for it waits until it is taken.
    """
    task = Path(f"/proc/{pid}/task/{thread}")
    _trace(_SEIZE, thread)
    until = time.monotonic() + 10
    while True:
        assert time.monotonic() < until, "it never sleeps"
        before = _slept(task)
        time.sleep(_LONGER)
        if before is None or _slept(task) != before:
            continue
        _trace(_INTERRUPT, thread)
        os.waitpid(thread, _WALL)
        if not (task / "syscall").read_text().startswith("-1"):
            break
        _trace(_CONT, thread)  # it woke up at this very moment
    try:
        yield
    finally:
        _trace(_DETACH, thread)


def _slept(task: Path) -> str | None:
    """How often a thread went to sleep so far; None while it does not sleep."""
    asleep = (task / "stat").read_text().rpartition(") ")[2][0] == "S"
    lines = (task / "status").read_text().splitlines()
    return next(one for one in lines if one.startswith("voluntary")) if asleep else None


def _trace(what: int, thread: int) -> None:
    if _LIBC.ptrace(what, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace {what:#x} of thread {thread}")
