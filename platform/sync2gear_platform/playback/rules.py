"""How early a command must be given so that every speaker can obey it, and other numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sync2gear_broker.units import frames_from_millis

PUBLISH_MILLIS: Final = 100
"""From the beginning of the request to the broker: decide, commit and relay take 30 to 60 ms, and
at 60 one announcement of sixty still lost its first sound."""

DECIDED: Final = timedelta(milliseconds=40)
"""Of those may pass until it is known what is to sound."""

ZONE_MILLIS: Final = 3
"""What each further zone of one command adds to that."""

UNKNOWN_AHEAD_MILLIS: Final = 190
"""For a speaker that has not measured its way yet: Wi-Fi takes up to 100 ms at its worst per cent,
and a sound card has rendered about 90 ms ahead."""

FETCH_MILLIS: Final = 600
"""What a speaker needs on top to ask for a file and to decode its beginning."""

FETCH_BYTES_PER_MILLI: Final = 4000
"""32 Mbit/s: a shop's line of 100 Mbit/s that three speakers share."""

MAX_LEAD_MILLIS: Final = 5_000
"""Nobody waits longer for the slowest speaker: it joins inside, in step."""

LONGEST: Final = timedelta(days=7)
"""For how long people may put something in the place of what is scheduled."""

MAX_ZONES: Final = 500
MAX_TRACKS: Final = 10_000
"""Tracks of one programme made by hand; its document stays below some megabytes."""

FADE_MILLIS: Final = 50
"""Short enough to be heard as immediate, long enough not to click."""

DUCK_MILLIS: Final = 250


@dataclass(frozen=True, slots=True)
class Need:
    """A file that must be on the speakers before a command can hold."""

    bytes: int
    cached: bool


def counted_from(asked: datetime, known: datetime) -> datetime:
    """From when a lead counts: ``asked`` as a rule, ``known`` where rendering came before it."""
    return asked if known - asked <= DECIDED else known


def lead(needs: Iterable[Need], *, ahead: int | None = None, zones: int = 1) -> int:
    """Frames from the command to its effect, the smallest that the online speakers can meet.

    ``ahead`` is the longest that one of them has measured (``DeviceState.ahead``), null when one
    has not; ``zones`` is how many zones the command is for.
    """
    millis = PUBLISH_MILLIS + ZONE_MILLIS * (zones - 1)
    millis += UNKNOWN_AHEAD_MILLIS if ahead is None else ahead
    missing = [need.bytes for need in needs if not need.cached]
    if missing:
        millis += FETCH_MILLIS + sum(missing) // FETCH_BYTES_PER_MILLI
    return frames_from_millis(min(millis, MAX_LEAD_MILLIS))
