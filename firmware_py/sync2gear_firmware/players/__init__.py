"""The sinks: where the rendered frames go, each keeping its position on the zone clock."""

from dataclasses import dataclass
from typing import Protocol

from sync2gear_firmware.clock import Line


@dataclass(frozen=True, slots=True)
class Health:
    """``rounds`` counts whatever shows that the output goes on; ``off`` is by how many milliseconds
    the heard position lags, where that is known; ``underruns`` are breaks since the start.
    """

    rounds: int
    off: float | None = None
    underruns: int = 0


class Sink(Protocol):
    """Pulls frames from a player; its position follows the last line that it was given."""

    @property
    def ahead(self) -> int:
        """How many microseconds before they are heard it has rendered its frames."""

    def start(self) -> None:
        """Open the output; frames flow once there is a line."""

    def follow(self, line: Line) -> None:
        """Keep to ``line`` from now on."""

    def stop(self) -> None:
        """Close the output."""

    def health(self) -> Health:
        """How the output goes."""

    def renew(self) -> None:
        """It stands still: open the output again, with a thread of its own."""
