"""Schedules between which only their age or their dates decide: what somebody may not have meant.

Music of one priority and one breadth that wants the same zone at the same time; announcements of
one priority that begin at the same frame there, of which one waits for the other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, Literal
from uuid import UUID

from sync2gear_platform.schedules.layers import Beaten, beaten_by, claims, rank
from sync2gear_platform.schedules.model import Schedule
from sync2gear_platform.schedules.occurrences import points
from sync2gear_platform.schedules.resolver import Facts

MOST: Final = 200
"""The most conflicts that an answer names."""


@dataclass(slots=True)
class Conflict:
    """Two schedules that meet, first at [start, end), ``times`` in all; the first one wins.

    For announcements ``end`` is their common frame. ``decided_by``: what the other loses by.
    """

    kind: Literal["music", "announcement"]
    winner: Schedule
    loser: Schedule
    decided_by: Beaten
    start: int
    end: int
    times: int = 0
    zones: list[UUID] = field(default_factory=list)


def conflicts(everywhere: Iterable[Facts], start: int, end: int) -> list[Conflict]:
    """What meets in the frames [start, end) in any of these zones, the earliest first."""
    alike: dict[tuple[object, ...], list[Facts]] = {}
    for facts in everywhere:
        wanted = tuple((s.id, s.breadth) for s in facts.schedules)
        alike.setdefault((str(facts.tz), wanted), []).append(facts)
    found: dict[tuple[UUID, UUID], Conflict] = {}
    for group in alike.values():
        zones = [facts.zone for facts in group]
        for one in (*_music(group[0], start, end), *_calls(group[0], start, end)):
            known = found.setdefault((one.winner.id, one.loser.id), one)
            known.zones += zones
            if one is not known and one.start < known.start:
                known.start, known.end = one.start, one.end
            known.times = max(known.times, one.times)
    return sorted(found.values(), key=lambda c: (c.start, c.winner.id, c.loser.id))


def _music(facts: Facts, start: int, end: int) -> Iterable[Conflict]:
    """Pairs of music that nothing but dates and age tells apart, in one zone."""
    musical = [s for s in facts.schedules if s.message is None and s.channel is not None]
    groups: dict[tuple[int, str], list[Schedule]] = {}
    for schedule in musical:
        groups.setdefault((schedule.priority, schedule.breadth), []).append(schedule)
    for group in groups.values():
        if len(group) < 2:
            continue
        found: dict[tuple[UUID, UUID], Conflict] = {}
        here: list[tuple[int, Schedule]] = []
        wanted = claims(group, facts.calendars, facts.tz, start, end)
        for claim in sorted(wanted, key=lambda c: c.start):
            here = [(ends, s) for ends, s in here if ends > claim.start]
            for ends, other in here:
                if other.id != claim.schedule.id:
                    span = (max(claim.start, start), min(claim.end, ends, end))
                    _note(found, "music", (other, claim.schedule), span)
            here.append((claim.end, claim.schedule))
        yield from found.values()


def _calls(facts: Facts, start: int, end: int) -> Iterable[Conflict]:
    """Pairs of announcements of one priority that begin at one frame, in one zone."""
    found: dict[tuple[UUID, UUID], Conflict] = {}
    at: dict[tuple[int, int], list[Schedule]] = {}
    for schedule in facts.schedules:
        if schedule.message is not None:
            for point in points(schedule.timing, facts.calendars, facts.tz, start, end):
                at.setdefault((point.at, schedule.priority), []).append(schedule)
    for (frame, _), together in sorted(at.items()):
        for pair in combinations(together, 2):
            _note(found, "announcement", pair, (frame, frame))
    return found.values()


def _note(
    found: dict[tuple[UUID, UUID], Conflict],
    kind: Literal["music", "announcement"],
    pair: Sequence[Schedule],
    span: tuple[int, int],
) -> None:
    winner, loser = sorted(pair, key=rank)
    known = found.setdefault(
        (winner.id, loser.id), Conflict(kind, winner, loser, beaten_by(loser, winner), *span)
    )
    known.times += 1
