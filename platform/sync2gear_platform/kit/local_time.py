"""What a wall clock's reading means on the days on which it jumps.

A reading that is skipped in spring and one that comes twice in autumn have no one meaning: each
use says which it wants. Zones come from the operating system's or tzdata's IANA database (PEP 615),
readings that repeat are told apart as in PEP 495.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

Gap = Literal["skip", "shift_forward"]
"""A reading that does not exist: nothing, or as much later as the clock was put forward."""

Fold = Literal["first", "both"]
"""A reading that comes twice: its first time, or both."""


def instants(
    local: datetime, zone: tzinfo, *, gap: Gap = "shift_forward", fold: Fold = "first"
) -> tuple[datetime, ...]:
    """The instants (UTC, rising) at which a clock in ``zone`` shows ``local`` (naive): 0, 1 or 2.

    ``shift_forward`` reads a skipped time with the offset that held before (RFC 5545, 3.3.5):
    02:30 becomes 03:30 where the clock went from 02:00 to 03:00.
    """
    early, late = _readings(local, zone)
    if early < late:
        return (early, late) if fold == "both" else (early,)
    if early > late:
        return (early,) if gap == "shift_forward" else ()
    return (early,)


def steady(first: datetime, last: datetime, zone: tzinfo) -> timedelta | None:
    """The offset of every reading from ``first`` to ``last``; ``None``: the clock jumps near them.

    They are less than some days apart: nobody puts a clock forward and back within such a time.
    """
    ends = [one.replace(tzinfo=zone, fold=fold) for one in (first, last) for fold in (0, 1)]
    offsets = {one.utcoffset() for one in ends}
    return offsets.pop() if len(offsets) == 1 else None


def edge(local: datetime, zone: tzinfo) -> datetime:
    """Where a stretch of time that is to begin or end at ``local`` does so (UTC).

    A skipped reading is the jump itself, a repeated one its first time; so edges never change their
    order, and stretches that meet on the clock meet in fact.
    """
    early, late = _readings(local, zone)
    return early if early <= late else _jump(late, early, zone)


def _readings(local: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """``local`` with the offset before and after a jump near it: alike, or rising, or falling."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return first, second


def _jump(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The instant of the jump between two others, to the second: where the offset changes."""
    old = before.astimezone(zone).utcoffset()
    low, high = before, after
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return high
