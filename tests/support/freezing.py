"""One thread of another process stopped where it is, as a driver or a disk that hangs stops it."""

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
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
    """A thread stands until the end. It is caught asleep, so that it holds no lock of Python's."""
    _trace(_SEIZE, thread)
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}/task/{thread}/stat").read_text().rpartition(") ")[2][0] != "S":
        assert time.monotonic() < until, "it never sleeps"
        time.sleep(0.001)
    _trace(_INTERRUPT, thread)
    os.waitpid(thread, _WALL)
    try:
        yield
    finally:
        _trace(_DETACH, thread)


def _trace(what: int, thread: int) -> None:
    if _LIBC.ptrace(what, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace {what:#x} of thread {thread}")
