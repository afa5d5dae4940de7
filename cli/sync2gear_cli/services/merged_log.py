"""The lines of all children, merged with a prefix, written without ever holding a child up."""

import json
import queue
import subprocess
import sys
import threading
from typing import IO, Final

from rich.console import Console
from rich.text import Text

from sync2gear_cli.services.process import wait_until

_LINES: Final = 2000
_LINE_BYTES: Final = 16_384
_COLOURS: Final = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green")
_END: Final = ("", "")


class MergedLog:
    """Takes lines from many threads, prints them from one.

    A terminal that stands still (``| less``, a selection) must not stop a speaker that wants to
    write a log line: beyond 2,000 waiting lines new ones are counted and dropped.
    """

    def __init__(self, file: IO[str] | None = None, *, plain: bool = False) -> None:
        self._console = Console(file=file or sys.stdout, highlight=False, soft_wrap=True)
        self._plain = plain
        self._queue: queue.Queue[tuple[str, str]] = queue.Queue(_LINES)
        self._dropped = 0
        self._colours: dict[str, str] = {}
        self.names: dict[str, str] = {}
        """Ids that are shown as names."""
        self._writer = threading.Thread(target=self._write, name="log", daemon=True)
        self._writer.start()

    def say(self, name: str, line: str) -> None:
        """Put one line of ``name`` in the row."""
        try:
            self._queue.put_nowait((name, line))
        except queue.Full:
            self._dropped += 1

    def follow(self, name: str, stream: IO[bytes]) -> None:
        """Say every line of a child's ``stream``."""

        def pump() -> None:
            with stream:
                while raw := stream.readline(_LINE_BYTES):
                    line = raw.decode(errors="replace").rstrip()
                    if line:
                        self.say(name, line)

        threading.Thread(target=pump, name=f"log-{name}", daemon=True).start()

    def flush(self, seconds: float = 2.0) -> None:
        """Wait until what was said is written, for at most ``seconds``."""
        wait_until(self._queue.empty, seconds)

    def close(self, seconds: float = 2.0) -> None:
        """Write what waits, for at most ``seconds``."""
        try:
            self._queue.put(_END, timeout=seconds)
        except queue.Full:
            return
        self._writer.join(seconds)

    def _write(self) -> None:
        while (item := self._queue.get()) != _END:
            dropped, self._dropped = self._dropped, 0
            try:
                if dropped:
                    self._print("up", f"{dropped} lines dropped: this terminal is too slow")
                self._print(*item)
            except OSError:
                return  # nobody reads any more; the queue fills up and lines are dropped

    def _print(self, name: str, line: str) -> None:
        colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
        body = line if self._plain else readable(line)
        for identity, shown in self.names.items():
            body = body.replace(identity, shown)
        self._console.print(Text.assemble((f"{name:>12} | ", colour), body))


def readable(line: str) -> str:
    """A structured (JSON) log line as ``event key=value ...``; any other line as it is."""
    if not line.startswith("{"):
        return line
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    if not isinstance(fields, dict) or "event" not in fields:
        return line
    level = str(fields.pop("level", "info"))
    event = fields.pop("event")
    for name in ("timestamp", "logger"):
        fields.pop(name, None)
    mark = "" if level in ("info", "debug") else f"{level.upper()}: "
    return f"{mark}{event} " + " ".join(f"{key}={value}" for key, value in fields.items())


def follow_output(log: MergedLog, name: str, child: subprocess.Popen[bytes]) -> None:
    """Follow what a child started with ``log=PIPE`` writes."""
    if child.stdout is not None:
        log.follow(name, child.stdout)
