"""What is asked of the pieces of a zone's music: what is valid then, and what comes between."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import date, tzinfo
from functools import partial
from typing import TypedDict
from uuid import UUID

from sync2gear_platform.channels.model import Inline, Piece
from sync2gear_platform.channels.rotation import Fits
from sync2gear_platform.schedules.calls import hour_by
from sync2gear_platform.schedules.given import Facts
from sync2gear_platform.schedules.model import AfterTracks
from sync2gear_platform.schedules.occurrences import moment_of, spans

Between = tuple[int, int, Inline]


class Asked(TypedDict):
    """What is asked of a piece of music that begins at a certain time."""

    hour: int
    fits: Fits
    more: tuple[Inline, ...]


class Betweens:
    """The announcements that are wanted between tracks, by when."""

    def __init__(self, wanted: Iterable[Between]) -> None:
        whole = list(wanted)
        self._edges = sorted({edge for start, end, _ in whole for edge in (start, end)})
        self._there = [
            tuple(inline for start, end, inline in whole if start <= edge < end)
            for edge in self._edges
        ]

    def at(self, frame: int) -> tuple[Inline, ...]:
        """Those that are wanted at a frame."""
        index = bisect_right(self._edges, frame) - 1
        return self._there[index] if index >= 0 else ()


def asked_at(facts: Facts, wanted: Betweens, at: int, hush: Callable[[int], bool]) -> Asked:
    """The hour, the day's validity, and the announcements that schedules want between tracks.

    In quiet hours (``hush``) only music fits.
    """
    local = moment_of(at).astimezone(facts.tz)
    day, minute = local.date(), local.hour * 60 + local.minute
    valid = partial(Piece.is_valid, on=day, minute=minute)
    return {
        "hour": hour_by(at, local),
        "fits": partial(_music, valid) if hush(at) else valid,
        "more": wanted.at(at),
    }


def _music(valid: Fits, piece: Piece) -> bool:
    return piece.media.kind == "music" and valid(piece)


def between(facts: Facts, start: int, end: int) -> Iterator[Between]:
    """The announcements that schedules want after so many tracks, and when."""
    for schedule in facts.schedules:
        when, message = schedule.timing.when, facts.messages.get(schedule.message or UUID(int=0))
        if not isinstance(when, AfterTracks) or message is None:
            continue
        pieces = tuple(piece for piece, _ in message.variants) or (
            (message.evergreen,) if message.evergreen else ()
        )
        inline = Inline(schedule.id.hex, pieces, tracks=when.tracks)
        for span in spans(schedule.timing, facts.calendars, facts.tz, start, end):
            yield span.start, span.end, inline


def reading_of(frame: int, zone: tzinfo) -> tuple[date, int]:
    """The day of the venue's calendar at a frame, and the minute of that day."""
    local = moment_of(frame).astimezone(zone)
    return local.date(), local.hour * 60 + local.minute
