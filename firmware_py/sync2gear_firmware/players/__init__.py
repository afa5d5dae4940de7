"""The sinks: where the rendered frames go, each keeping its position on the zone clock."""

from typing import Protocol

from sync2gear_firmware.clock import Line


class Sink(Protocol):
    """Pulls frames from a player; its position follows the last line that it was given.

    ``ahead`` is how many microseconds before they are heard it has rendered its frames.
    """

    ahead: int

    def start(self) -> None:
        """Open the output; frames flow once there is a line."""

    def follow(self, line: Line) -> None:
        """Keep to ``line`` from now on."""

    def stop(self) -> None:
        """Close the output."""
