"""A dry run: what would be heard otherwise if schedules were changed so, without changing them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from sync2gear_broker import timeline
from sync2gear_platform.kit import marks
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.playback import queries
from sync2gear_platform.schedules import conflicts, facts, forecast, publishing, service
from sync2gear_platform.schedules.compiling import Compiled
from sync2gear_platform.schedules.conflicts import Conflict
from sync2gear_platform.schedules.ledger import Source
from sync2gear_platform.schedules.publishing import Job
from sync2gear_platform.schedules.resolver import Facts

MAX_ZONES: Final = 20
MAX_CHANGES: Final = 50
MAX_LINES: Final = 500
"""Differences that are told of one zone."""

Effect = Literal["added", "moved", "dropped"]


class TooManyZones(Refusal):
    """These changes are for too many zones to try out at once: name up to twenty of them."""

    code = "too_many_zones"


class InvalidChange(Refusal):
    """Say what to create, or which schedule to change or to remove, as its own route takes it."""

    code = "invalid_change"


@dataclass(frozen=True, slots=True)
class Change:
    """A schedule to be made, changed, or removed (its id alone), by the values of its routes."""

    id: UUID | None
    create: dict[str, Any] | None
    change: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Heard:
    """Music or an announcement in a stretch of frames, and what asked for it."""

    item: str
    kind: Literal["music", "announcement"]
    source: Source
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that would be heard otherwise; ``before`` where something moved."""

    effect: Effect
    heard: Heard
    before: Heard | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """What would be heard otherwise, by zone, and whom the changed schedules would meet."""

    zones: dict[UUID, list[Difference]]
    conflicts: list[Conflict]


async def run(
    ctx: Ctx, changes: Sequence[Change], zone_ids: Sequence[UUID] | None, start: int, end: int
) -> Tried:
    """What would be heard otherwise in [start, end); nothing is left of the changes.

    They are made by the very use cases that make them in earnest, in a savepoint that is undone.
    """
    if zone_ids is not None:
        await queries.scores(ctx, zone_ids)  # those that are not here are refused alike
    made: set[UUID] = set()
    known: dict[UUID, Facts] = {}

    async def make() -> list[UUID]:
        meant = await _meant(ctx, changes)
        for change in changes:
            row = await _made(ctx, change)
            if row is not None:
                made.add(row)
                meant |= await facts.zones_of(ctx, [row])
        wanted = sorted(meant if zone_ids is None else meant & set(zone_ids))
        if len(wanted) > MAX_ZONES:
            raise TooManyZones
        known.update(await facts.outline(ctx, wanted))
        return wanted

    zones = await tried(ctx, make, start, end)
    return Tried(zones, await asyncio.to_thread(_met, known.values(), made, start, end))


async def tried(
    ctx: Ctx, make: Callable[[], Awaitable[list[UUID]]], start: int, end: int
) -> dict[UUID, list[Difference]]:
    """What would be heard otherwise in [start, end) in the zones that ``make`` names.

    All that it does is undone, also where it raises; nobody is told of it.
    """
    nested = await ctx.db.begin_nested()
    try:
        with marks.ungathered(ctx.db):
            wanted = await make()
            changed = await publishing.prepare(ctx, wanted, always=True)
    finally:
        await nested.rollback()
        ctx.db.expire_all()
    jobs = await publishing.prepare(ctx, wanted, always=True)
    return await asyncio.to_thread(_compared, jobs, changed, start, end)


async def _meant(ctx: Ctx, changes: Sequence[Change]) -> set[UUID]:
    """The zones of the schedules that are to be changed, as these are now."""
    return await facts.zones_of(ctx, [c.id for c in changes if c.id is not None])


async def _made(ctx: Ctx, change: Change) -> UUID | None:
    if change.create is not None and change.id is None and change.change is None:
        return (await service.create(ctx, change.create)).id
    if change.id is None or change.create is not None:
        raise InvalidChange
    if change.change is None:
        await service.remove(ctx, change.id, None)
        return None
    return (await service.update(ctx, change.id, change.change, None)).id


def _met(everywhere: Iterable[Facts], made: set[UUID], start: int, end: int) -> list[Conflict]:
    found = conflicts.conflicts(everywhere, start, end)
    mine = [one for one in found if {one.winner.id, one.loser.id} & made]
    return mine[: conflicts.MOST]


def _compared(
    jobs: Sequence[Job], changed: Sequence[Job], start: int, end: int
) -> dict[UUID, list[Difference]]:
    old, new = (publishing.worked_out(some, until=end) for some in (jobs, changed))
    return {
        job.zone: differences(
            heard(job, old.get(job.zone), start, end), heard(job, new.get(job.zone), start, end)
        )
        for job in jobs
    }


def heard(job: Job, compiled: Compiled | str | None, start: int, end: int) -> list[Heard]:
    """The stretches of music and the announcements of a compiled programme."""
    if not isinstance(compiled, Compiled):
        return []
    causes = forecast.causes_of(compiled.ledger)
    found = []
    for stretch in (one for one in compiled.music if not one.block.silent):
        cause = causes[stretch.block.id]
        since, until = max(start, stretch.block.at, job.at), min(end, stretch.end)
        if since < until:
            name = cause.why.name if cause.why else ""
            item = stretch.schedule.hex
            found.append(Heard(item, "music", cause.source, name, since, until))
    sha256 = compiled.sha256
    state = forecast.swapped(job.playing, compiled, job.at)
    settled = timeline.settle({**job.playing.programmes, sha256: compiled.programme}, state)
    for one in timeline.outcomes(settled):
        if one.began is not None and one.end is not None and start <= one.began < end:
            planned = causes.get(one.id)
            if planned is not None and planned.why is not None:
                name = planned.why.name
                found.append(Heard(one.id, "announcement", "schedule", name, one.began, one.end))
    return found


def differences(before: Sequence[Heard], after: Sequence[Heard]) -> list[Difference]:
    """What is added, moved and dropped, in the order in which it is heard."""
    found = []
    for old, new in _pairs(before, after):
        if old is None and new is not None:
            found.append(Difference("added", new))
        elif new is None and old is not None:
            found.append(Difference("dropped", old))
        elif old is not None and new is not None and (old.start, old.end) != (new.start, new.end):
            found.append(Difference("moved", new, old))
    return sorted(found, key=lambda one: (one.heard.start, one.heard.kind, one.heard.item))


def _pairs(
    before: Sequence[Heard], after: Sequence[Heard]
) -> list[tuple[Heard | None, Heard | None]]:
    """What was with what is: announcements by their id, music by its schedule where it overlaps."""
    left: dict[str, list[Heard]] = {}
    for one in before:
        left.setdefault(one.item, []).append(one)
    pairs: list[tuple[Heard | None, Heard | None]] = []
    for new in after:
        mine = left.get(new.item, [])
        old = next((o for o in mine if new.kind == "announcement" or _touch(o, new)), None)
        if old is not None:
            mine.remove(old)
        pairs.append((old, new))
    pairs += [(one, None) for some in left.values() for one in some]
    return pairs


def _touch(one: Heard, other: Heard) -> bool:
    return one.start < other.end and other.start < one.end
