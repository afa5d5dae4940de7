"""What was planned and what became of it: decisions over settled timelines and play events. Pure.

A piece was *played* in a zone if one of its speakers was audible from its beginning, *late* if
those that were began within it. It was *missed* if every speaker that stood there says so, or told
of what came later and not of it; *pending* while one of them may yet tell, and *unknown* if what
one would have told is lost.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID, uuid5

from sync2gear_broker import timeline
from sync2gear_broker.messages import Media
from sync2gear_broker.timeline import Segment, Settled
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.playback import choices
from sync2gear_platform.playback.outcomes import GRACE, REASONS
from sync2gear_platform.playback.plays import id_of as call_of
from sync2gear_platform.schedules import ledger

LATE: Final = FRAME_RATE
"""So much after its planned beginning a piece was late: less is how a crossfade is heard."""

GIVE_UP: Final = 35 * 86_400 * FRAME_RATE
"""A speaker that has told nothing for so long will not: it was taken down, or its disk is gone."""

LONGEST: Final = 86_400 * FRAME_RATE
"""What sounds for a whole day is written down as it stands then."""

MOST: Final = 200_000
"""Segments of one window: one each half second of a day."""

Outcome = Literal["pending", "played", "late", "missed", "unknown"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("pending", "played", "late", "missed", "unknown")
Manner = Literal["planned", "unplanned", "stand_in"]


@dataclass(frozen=True, slots=True)
class Reign:
    """Frames [start, end) in which a zone's state held, and what it came to."""

    start: int
    end: int
    settled: Settled


@dataclass(frozen=True, slots=True)
class Planned:
    """One piece that a zone was to sound: from ``begins`` on, over by ``ends``, ``frames`` of it.

    ``name`` tells it from every other of the zone. ``silenced``: why the plan lets it not be heard.
    """

    name: str
    item: str
    media: Media
    begins: int
    ends: int
    frames: int
    silenced: str = ""


def planned(reigns: Sequence[Reign], a: int, b: int) -> tuple[list[Planned], int]:
    """The pieces that begin in [a, b) and are over by ``b``, and the frame from which to go on.

    ``reigns`` follow one another and cover [a - 1, b) as far as is known: the frame before tells
    what began earlier. What is paused at ``b`` is not over, unless it began a day before.
    """
    found: dict[str, Planned] = {}
    going: set[str] = set()
    for reign in reigns:
        start, end = max(reign.start, a - 1), min(reign.end, b)
        if start >= end:
            continue
        for one in timeline.segments(reign.settled, start, end, MOST):
            name = _name(one)
            known = found.get(name)
            if one.start == start and start == a - 1:
                going.add(name)
            if name not in going:
                found[name] = _more(known, name, one)
        if end == b:
            unfinished = _unfinished(reign.settled, b, found)
            break
    else:
        unfinished = set()
    since = min((found[name].begins for name in unfinished), default=b)
    if since <= a and b - a >= LONGEST:
        since, unfinished = b, set()
    for name in unfinished:
        del found[name]
    pieces = {**_silent(reigns, a, b, found), **found}
    return sorted(pieces.values(), key=lambda one: (one.begins, one.name)), since


def _name(one: Segment) -> str:
    """Music is named by its place on the music clock, which no pause moves; others by themselves.

    An emergency is one piece, however many rounds it goes.
    """
    return f"{one.item} {one.slot} {one.media.sha256}" if one.role == "music" else one.item


def _more(known: Planned | None, name: str, one: Segment) -> Planned:
    frames = one.end - one.start
    if known is None:
        return Planned(name, one.item, one.media, one.start, one.end, frames)
    return Planned(name, known.item, known.media, known.begins, one.end, known.frames + frames)


def _unfinished(settled: Settled, b: int, found: Mapping[str, Planned]) -> set[str]:
    """What sounds on at ``b``, and the music that waits there for an announcement's end."""
    names = {_name(one) for one in timeline.segments(settled, b - 1, b + 1, MOST) if one.end > b}
    at = timeline.music_at(settled, b)
    if at is not None and at.offset:
        names.add(f"{at.block} {at.slot} {at.media.sha256}")
    return names & found.keys()


def _silent(
    reigns: Sequence[Reign], a: int, b: int, found: Mapping[str, Planned]
) -> dict[str, Planned]:
    """Announcements that the plan itself did not let sound: stopped, dropped, taken back."""
    silent = {}
    for reign in reigns:
        for one in timeline.outcomes(reign.settled):
            due = max(reign.start, a) <= one.start < min(reign.end, b)
            if due and one.began is None and one.state != "waiting" and one.id not in found:
                over = one.start + one.media.frames
                silent[one.id] = Planned(
                    one.id, one.id, one.media, one.start, over, one.media.frames,
                    one.reason or one.state,
                )  # fmt: skip
    return silent


Source = Literal["schedule", "base", "hand", "call", "emergency"]


def source_of(item: str) -> tuple[Source, UUID | None]:
    """What put an item into a zone, by its name, and the schedule that it names if any."""
    if item.startswith("emergency:"):
        return "emergency", None
    if call_of(item) is not None:
        return "call", None
    schedule = call_of(item.partition(".")[0])
    if choices.is_chosen(item) or schedule is None:
        return "hand", None
    source = ledger.source_of(schedule)
    return source, schedule if source == "schedule" else None


def id_of(zone: UUID, name: str) -> UUID:
    """The id of a line: the same whenever it is worked out."""
    return uuid5(zone, name)


# -- what became of it ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """One play event; ``media_kind`` is music or announcement."""

    device: UUID
    kind: str
    media_kind: str
    item: str
    sha256: str
    at: int
    planned: int
    frames: int = 0
    audible: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Speaker:
    """How far a speaker has told everything, between which frames something is lost, if it is gone.

    It has told all up to ``covered``, but for what lies in ``gaps``.
    """

    covered: int = 0
    gaps: tuple[tuple[int, int], ...] = ()
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A line as events find it: ``exact`` for music, where one item has many pieces."""

    id: UUID
    item: str
    sha256: str
    begins: int
    ends: int
    exact: bool


def sorted_out(
    places: Sequence[Place], told: Iterable[Told]
) -> tuple[dict[UUID, list[Told]], list[Told]]:
    """Which events are of which line, and those that are of none.

    A speaker that joined after a pause names a later beginning than the plan does: one within the
    piece. An emergency's rounds are all of it.
    """
    music: dict[tuple[str, str], list[Place]] = {}
    others: dict[str, Place] = {}
    for place in sorted(places, key=lambda one: one.begins):
        if place.exact:
            music.setdefault((place.item, place.sha256), []).append(place)
        else:
            others[place.item] = place
    found: dict[UUID, list[Told]] = {}
    rest = []
    for event in told:
        near = music.get((event.item, event.sha256), ())
        mine = next((p for p in near if p.begins == event.planned), None) or next(
            (p for p in near if p.begins <= event.planned < p.ends), None
        )
        other = others.get(event.item)
        if mine is None and other is not None and other.sha256 == event.sha256:
            mine = other
        if mine is None:
            rest.append(event)
        else:
            found.setdefault(mine.id, []).append(event)
    return found, rest


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a piece in its zone.

    ``began`` is when the first speaker was heard, ``heard`` how many frames the one that played
    most of it did, ``heard_by`` how many were heard.
    """

    outcome: Outcome
    reason: str = ""
    began: int | None = None
    heard: int = 0
    heard_by: int = 0


@dataclass(slots=True)
class _Report:
    """What one speaker said of one piece."""

    began: int | None = None
    heard: int = 0
    audible: bool = False
    said: set[str] = field(default_factory=set)


def verdict(
    begins: int,
    ends: int,
    silenced: str,
    *,
    there: Sequence[UUID],
    told: Sequence[Told],
    speakers: Mapping[UUID, Speaker],
    now: int,
) -> Verdict:
    """What became of a piece, of what is known at frame ``now``.

    ``there`` are the speakers that stood in the zone; others may have told of it too.
    """
    reports = _reports(told)
    heard = [one for one in reports.values() if one.audible and one.began is not None]
    if heard:
        began = min(one.began for one in heard if one.began is not None)
        frames = max(one.heard for one in heard)
        late = began - begins > LATE
        return Verdict("late" if late else "played", "", began, frames, len(heard))
    if silenced:
        return Verdict("missed", silenced)
    states = [
        _silence(reports.get(device), speakers.get(device, Speaker(gone=True)), begins, ends, now)
        for device in sorted({*there, *reports})
    ]
    for outcome in ("pending", "unknown"):
        reasons = [reason for state, reason in states if state == outcome]
        if reasons:
            return Verdict(outcome, min(reasons))
    return Verdict("missed", _commonest([reason for _, reason in states]))


def _reports(told: Sequence[Told]) -> dict[UUID, _Report]:
    reports: dict[UUID, _Report] = {}
    for event in sorted(told, key=lambda one: (one.at, one.kind != "finished")):
        report = reports.setdefault(event.device, _Report())
        if event.kind == "missed":
            report.said.add(REASONS.get(event.reason, event.reason) or "not_played")
            continue
        if event.kind == "finished":
            report.heard += event.frames
        elif report.began is None:
            report.began = event.at
        report.audible = report.audible or event.audible
        if not event.audible:
            report.said.add("muted")
    return reports


def _silence(
    report: _Report | None, speaker: Speaker, begins: int, ends: int, now: int
) -> tuple[Outcome, str]:
    """What it means that one speaker was not heard."""
    if report is not None and report.said:
        return "missed", min(report.said)
    if any(start <= ends and begins <= end for start, end in speaker.gaps):
        return "unknown", "gap"
    if speaker.covered >= ends + GRACE:
        return "missed", "no_report"
    if speaker.gone:
        return "unknown", "gone"
    if now - ends > GIVE_UP:
        return "unknown", "never_told"
    return "pending", ""


def _commonest(reasons: Sequence[str]) -> str:
    """The reason that most speakers gave, a spoken one before silence."""
    counted = Counter(reasons)
    return min(
        counted, key=lambda one: (one == "no_report", -counted[one], one), default="no_speaker"
    )
