"""Channels as values: what may sound, and by which rules one thing follows another."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from sync2gear_broker.messages import Media


def part_day(on: date, minute: int, begin: int | None, end: int | None) -> date | None:
    """The day on which the part of the day began that holds a minute of ``on``; ``None`` for none.

    From ``begin`` to ``end`` (excluded), minutes of the day; over midnight where it ends before it
    begins. Without them, or where they are equal, it is the whole day.
    """
    if begin is None or end is None or begin == end:
        return on
    if begin < end:
        return on if begin <= minute < end else None
    if minute >= begin:
        return on
    return on - timedelta(days=1) if minute < end else None


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that can sound: a track, or an announcement among the music.

    ``artists`` and ``title`` are the keys by which two pieces count as alike
    (``library/separation.py``); both days are included. ``weekdays`` (0 is Monday, none: all) and
    ``minutes``, from the first to before the second, are those of the day on which they began.
    """

    id: str
    media: Media
    artists: tuple[str, ...] = ()
    title: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    weekdays: tuple[int, ...] = ()
    minutes: tuple[int, int] | None = None

    def is_valid(self, on: date, minute: int = 0) -> bool:
        """Whether it may be played at that minute of that day of the venue's calendar."""
        day = part_day(on, minute, *self.minutes) if self.minutes else on
        return (
            day is not None
            and (not self.weekdays or day.weekday() in self.weekdays)
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or day <= self.valid_until)
        )


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a channel: some pieces, and how often it is their turn.

    ``order``: each time around ``given`` or ``shuffled`` anew.
    """

    id: str
    pieces: tuple[Piece, ...]
    weight: int = 1
    order: Literal["given", "shuffled"] = "shuffled"


@dataclass(frozen=True, slots=True)
class Inline:
    """Announcements between the tracks: one of ``pieces``, in turn, at a boundary of the music.

    After every ``tracks`` tracks of music, or once ``frames`` of it have passed; 0 asks nothing.
    """

    id: str
    pieces: tuple[Piece, ...]
    tracks: int = 0
    frames: int = 0


@dataclass(frozen=True, slots=True)
class Apart:
    """What must lie between two pieces that are alike, in pieces of music; in frames for ``again``.

    Wishes, not laws: where nothing satisfies all of them, the music goes on all the same.
    """

    artist: int = 1
    title: int = 5
    again: int = 0


@dataclass(frozen=True, slots=True)
class Channel:
    """A rotation: ``ordered`` plays item after item whole, ``rotated`` a piece of each in turn.

    ``pattern`` names items in their turns, instead of the weights; with ``hourly`` it begins anew
    with each hour of the clock. ``crossfade`` is in frames.
    """

    id: str
    items: tuple[Item, ...]
    mode: Literal["ordered", "rotated"] = "rotated"
    inlines: tuple[Inline, ...] = ()
    apart: Apart = Apart()
    pattern: tuple[str, ...] = ()
    hourly: bool = False
    loop: bool = True
    crossfade: int = 0
