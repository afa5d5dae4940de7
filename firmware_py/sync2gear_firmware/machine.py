"""The machine below the speaker: its clock, boot, temperature, folders and service manager."""

import fcntl
import logging
import os
import socket
import threading
import time
from pathlib import Path
from uuid import uuid4

log = logging.getLogger(__name__)

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")
_SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")


def local() -> int:
    """The device's monotonic clock in microseconds; it counts suspension where it can."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock) // 1000


def asleep() -> int:
    """The microseconds of :func:`local` during which the machine was suspended.

    Whoever loses the processor between two readings is not taken for asleep.
    """
    return min(-(time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000) + local() for _ in range(3))


def disciplined() -> bool:
    """Whether systemd-timesyncd keeps the machine's clock on an NTP server's time.

    adjtimex(2) would also know of others, but the service may not call it.
    """
    return _SYNCHRONIZED.exists()


def boot() -> str:
    """What names this boot of the machine; a new name each time where the system gives none."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return str(uuid4())


def own(folder: Path) -> int:
    """The lock of a data folder, which need not be writable; ``OSError`` if another has it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def this_thread_is(name: str) -> None:
    """Let ``top -H`` know the current thread by ``name`` (at most 15 letters)."""
    try:
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(name)
    except OSError:
        return  # only for who looks


def temperature() -> float | None:
    """The processor's temperature in degrees Celsius, None where the machine does not say."""
    try:
        return int(_TEMPERATURE.read_text()) / 1000
    except (OSError, ValueError):
        return None


def notify(state: str) -> None:
    """Tell systemd ``state``, as sd_notify(3) has it; without systemd nobody is told."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
        link.setblocking(False)
        try:
            link.sendto(state.encode(), address)
        except OSError as error:
            log.warning("notify.failed state=%s error=%r", state, str(error))
