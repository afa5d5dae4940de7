"""Reports for collecting societies: their columns, and how a row fills them. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Final, Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.kit.clock import moment_of
from sync2gear_platform.proof.spans import Span

Grain = Literal["work", "work_zone", "play"]
"""What a row is: a work with all its plays, a work in one zone, or one play."""

Key = Literal[
    "title", "artist", "composer", "album", "isrc", "duration", "duration_seconds", "work", "plays",
    "zones", "seconds", "zone", "day", "time", "source", "manner", "period_from", "period_to",
    "blank",
]  # fmt: skip

HEADINGS: Final[dict[Key, str]] = {
    "title": "Title",
    "artist": "Artist",
    "composer": "Composer",
    "album": "Album",
    "isrc": "ISRC",
    "duration": "Duration",
    "duration_seconds": "Duration (seconds)",
    "work": "Work",
    "plays": "Plays",
    "zones": "Zones",
    "seconds": "Seconds heard",
    "zone": "Zone",
    "day": "Day",
    "time": "Time",
    "source": "Source",
    "manner": "Manner",
    "period_from": "From",
    "period_to": "To",
    "blank": "",
}

_WORK: Final[frozenset[Key]] = frozenset(
    {"title", "artist", "composer", "album", "isrc", "duration", "duration_seconds", "work",
     "plays", "seconds", "period_from", "period_to", "blank"}
)  # fmt: skip
FITTING: Final[dict[Grain, frozenset[Key]]] = {
    "work": _WORK | {"zones"},
    "work_zone": _WORK | {"zone"},
    "play": (_WORK - {"plays"}) | {"zone", "day", "time", "source", "manner"},
}
"""Which columns a row of each grain can fill."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it holds, and what stands above it."""

    key: Key
    heading: str


@dataclass(frozen=True, slots=True)
class Template:
    """A report: what its rows are, and its columns in order."""

    name: str
    title: str
    grain: Grain
    columns: tuple[Column, ...]


def _template(name: str, title: str, grain: Grain, *keys: Key) -> Template:
    return Template(name, title, grain, tuple(Column(key, HEADINGS[key]) for key in keys))


BuiltIn = Literal["usage-by-work", "usage-by-venue", "usage-log"]
BUILT_IN: Final[dict[str, Template]] = {
    one.name: one
    for one in (
        _template(
            "usage-by-work", "Usage by work", "work",
            "title", "artist", "composer", "isrc", "duration", "plays", "zones", "seconds",
        ),
        _template(
            "usage-by-venue", "Usage by venue and work", "work_zone",
            "zone", "title", "artist", "composer", "isrc", "duration", "plays", "seconds",
        ),
        _template(
            "usage-log", "Log of performances", "play",
            "day", "time", "zone", "title", "artist", "composer", "album", "isrc",
            "duration_seconds", "seconds",
        ),
    )
}  # fmt: skip
"""Of the three kinds that societies ask for: sums for a distribution by works, sums by licensed
premises, and a census of performances."""


class Row(NamedTuple):
    """What fills a row; frames are of 48 kHz. ``at`` and ``tz`` are of one play."""

    work: str
    title: str
    artist: str
    album: str
    isrc: str
    frames: int
    heard: int
    plays: int = 1
    zones: int = 1
    zone: str = ""
    composer: str = ""
    at: int | None = None
    tz: str = "UTC"
    source: str = ""
    manner: str = ""


Cell = Callable[[Row], str | int]


def filled(columns: Sequence[Column], span: Span) -> Callable[[Row], list[str | int]]:
    """What puts a row into these columns: a report has up to a hundred thousand."""
    made = [_cell(column.key, span) for column in columns]
    return lambda row: [cell(row) for cell in made]


def _cell(key: Key, span: Span) -> Cell:
    match key:
        case "duration":
            return lambda row: _duration(row.frames)
        case "duration_seconds":
            return lambda row: round(row.frames / FRAME_RATE)
        case "seconds":
            return lambda row: round(row.heard / FRAME_RATE)
        case "day":
            return lambda row: _local(row, "%Y-%m-%d")
        case "time":
            return lambda row: _local(row, "%H:%M:%S")
        case "period_from" | "period_to" | "blank":
            known = {"period_from": span.first.isoformat(), "period_to": span.last.isoformat()}
            text = known.get(key, "")
            return lambda _: text
        case _:
            return attrgetter(key)


@lru_cache(maxsize=4096)
def _duration(frames: int) -> str:
    minutes, seconds = divmod(round(frames / FRAME_RATE), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _local(row: Row, form: str) -> str:
    if row.at is None:
        return ""
    return moment_of(row.at).astimezone(ZoneInfo(row.tz)).strftime(form)


def of_own(name: str, row_id: UUID, grain: Grain, columns: Sequence[dict[str, str]]) -> Template:
    """A client's own template; a column that is known no more stays empty."""
    known = {key: key for key in HEADINGS}
    return Template(
        str(row_id),
        name,
        grain,
        tuple(Column(known.get(c["key"], "blank"), c["heading"]) for c in columns),  # type: ignore[call-overload]  # any text is looked up
    )
