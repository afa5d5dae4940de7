"""How much a card is kept filled: more after it ran empty, less after a long calm. Pure.

What is held is what everybody waits for who presses a button, and for how long a busy machine may
keep this process from its work without being heard. All times are milliseconds.
"""

from dataclasses import dataclass, replace
from typing import Final

STEPS: Final = (70, 130, 250)
"""What the card holds yet when it is given more. With the last a button takes effect within half a
second; a process that stands for longer lacks a machine and not a buffer."""
CALM: Final = 1_800_000
"""So long a smaller one would have done before it is tried; each growth doubles that."""
CALMEST: Final = 128 * CALM
_MINUTE: Final = 60_000
_NEARLY: Final = 3
_HOPELESS: Final = 1000
_MARGIN: Final = 1.25


@dataclass(frozen=True, slots=True)
class Depth:
    """The step in force; when it nearly ran empty; since when a smaller one would have done.

    ``calm`` is for how long that must be so.
    """

    step: int = 0
    near: tuple[int, ...] = ()
    since: int | None = None
    calm: int = CALM

    @property
    def millis(self) -> int:
        """What the card holds yet when it is given more."""
        return STEPS[self.step]


def judged(depth: Depth, least: float, now: int) -> Depth:
    """After a while in which the card held ``least`` once when it was given more.

    At 0 it had run empty, below it was to be given more so much sooner. One break is enough to hold
    more from then on, and so are three times in a minute that it held less than a third.
    """
    late = depth.millis - least
    if late > _HOPELESS:  # the process was stopped, or the machine slept
        return replace(depth, near=(), since=now)
    near = tuple(at for at in depth.near if at > now - _MINUTE)
    if least < depth.millis / 3:
        near = (*near, now)
    if depth.step < len(STEPS) - 1 and (least <= 0 or len(near) >= _NEARLY):
        return Depth(_lasting(late, depth.step + 1), (), now, min(2 * depth.calm, CALMEST))
    if depth.step == 0 or late > STEPS[depth.step - 1] / 2:
        return replace(depth, near=near, since=now)
    since = now if depth.since is None else depth.since
    if now - since >= depth.calm:
        return Depth(depth.step - 1, (), now, depth.calm)
    return replace(depth, near=near, since=since)


def _lasting(late: float, least: int) -> int:
    """The first step from ``least`` on that would have lasted, or the last."""
    last = len(STEPS) - 1
    return next((k for k in range(least, last) if STEPS[k] >= _MARGIN * late), last)
