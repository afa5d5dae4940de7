"""Which of several variants of a message is heard: by dates, day-parts and weights, predictably."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sync2gear_platform.channels.model import part_day


@dataclass(frozen=True, slots=True)
class Cut:
    """One variant; days count from Monday, 0, and none means all.

    A day-part from ``from_minute`` to ``to_minute`` (excluded) may pass midnight; it belongs to
    the day on which it began. ``evergreen`` is heard where no other is valid, and only then.
    """

    id: UUID
    weight: int = 1
    starts_on: date | None = None
    ends_on: date | None = None
    days: frozenset[int] = frozenset()
    from_minute: int | None = None
    to_minute: int | None = None
    evergreen: bool = False


def is_valid(cut: Cut, local: datetime) -> bool:
    """Whether a variant may be heard at a local time."""
    minute = local.hour * 60 + local.minute
    day = part_day(local.date(), minute, cut.from_minute, cut.to_minute)
    if day is None or (cut.days and day.weekday() not in cut.days):
        return False
    return (cut.starts_on or date.min) <= day <= (cut.ends_on or date.max)


def choose(cuts: Sequence[Cut], seed: str, local: datetime) -> Cut | None:
    """The variant for ``seed`` (the message and the play): the same again for the same.

    ``None`` where none is valid and there is no evergreen one.
    """
    able = sorted((c for c in cuts if not c.evergreen and c.weight > 0), key=lambda c: c.id)
    able = [cut for cut in able if is_valid(cut, local)]
    if not able:
        return next((cut for cut in cuts if cut.evergreen), None)
    digest = hashlib.sha256(seed.encode()).digest()
    at = int.from_bytes(digest[:8]) % sum(cut.weight for cut in able)
    for cut in able:
        at -= cut.weight
        if at < 0:
            return cut
    raise AssertionError("a remainder is below the sum of weights")
