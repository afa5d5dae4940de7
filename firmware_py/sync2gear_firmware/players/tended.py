"""What all sinks are: a thread that follows a line, and another in its place if it stands still."""

import threading
from abc import ABC, abstractmethod

from sync2gear_firmware.clock import Line

_PATIENCE = 10


class Tended(ABC):
    """A sink's thread; ``_run`` is to end once it is not ``_mine`` or ``_stop`` is set."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._line: Line | None = None
        self._rounds = 0
        self._stop = threading.Event()
        self._thread = self._made()

    def start(self) -> None:
        """Begin; nothing is rendered before there is a line."""
        self._thread.start()

    def follow(self, line: Line) -> None:
        """Keep to ``line`` from now on."""
        self._line = line

    def stop(self) -> None:
        """End the thread, and with it the output."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)

    def renew(self) -> None:
        """Let another thread go on; the one that stands ends when it moves again."""
        self._thread = self._made()
        self._thread.start()

    @abstractmethod
    def _run(self) -> None:
        """The thread."""

    def _made(self) -> threading.Thread:
        return threading.Thread(target=self._run, name=self._name, daemon=True)

    def _mine(self) -> bool:
        """Whether this thread is the one that tends the sink."""
        return threading.current_thread() is self._thread
