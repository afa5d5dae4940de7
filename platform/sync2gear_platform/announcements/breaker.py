"""A fuse in front of somebody else's service: after failures in a row it is left alone a while."""

from dataclasses import dataclass
from typing import Final

FAILURES: Final = 3
FIRST_REST: Final = 15.0
LAST_REST: Final = 300.0


@dataclass(slots=True)
class Breaker:
    """Closed: everything passes. Open: nothing does, for ``rest`` seconds. Then one may try.

    ``now`` are seconds of any clock that only goes forward. What the trial finds closes it, or
    opens it for twice as long.
    """

    failures: int = 0
    rest: float = FIRST_REST
    until: float = 0.0
    trying: bool = False

    def admits(self, now: float) -> bool:
        """Whether to ask now; who is admitted must say how it went."""
        if self.failures < FAILURES:
            return True
        if now < self.until or self.trying:
            return False
        self.trying = True
        return True

    def went_well(self) -> None:
        """It answered."""
        self.failures, self.rest, self.trying = 0, FIRST_REST, False

    def failed(self, now: float) -> None:
        """It did not, or not usefully."""
        if self.failures >= FAILURES:
            self.rest = min(2 * self.rest, LAST_REST)
        self.failures = min(self.failures + 1, FAILURES)
        self.until = now + self.rest
        self.trying = False

    def unasked(self) -> None:
        """It was admitted, but not asked after all."""
        self.trying = False
