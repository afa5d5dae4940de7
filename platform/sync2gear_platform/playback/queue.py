"""The announcements of a zone that sound, wait for each other, or are to come: its queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal
from uuid import UUID

from sync2gear_broker import timeline
from sync2gear_broker.messages import ZoneState
from sync2gear_broker.messages.programme import Cue
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.playback import engine, plays, queries, service
from sync2gear_platform.playback.engine import Programmes
from sync2gear_platform.playback.queries import Score
from sync2gear_platform.playback.schemas import ZoneView

Standing = Literal["sounding", "waiting", "coming"]
_ORDER = ("sounding", "waiting", "coming")
_OVER = frozenset({"dropped", "missed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One announcement. Frames of the zone clock: ``start`` as asked for, ``begins`` and ``ends``
    as it will be, null while nothing known lets it begin. ``live``: a person sent it.
    """

    id: str
    title: str
    state: Standing
    live: bool
    priority: int
    start: int
    begins: int | None
    ends: int | None


def entries(score: Score, now: int) -> list[Entry]:
    """What sounds or waits at ``now``, and what people sent for later, in the order of beginning.

    Equal priorities stand one behind the other; what gave up waiting is not here.
    """
    cues = _cues(score.programmes, score.state)
    live = {event.id for event in score.state.live}
    found = []
    for one in timeline.outcomes(queries.settle(score)):
        over = one.end is not None and one.end <= now
        if over or one.state in _OVER or one.id not in cues:
            continue
        if one.began is not None and one.began <= now:
            standing: Standing = "sounding"
        elif one.start <= now:
            standing = "waiting"
        elif one.id in live:
            standing = "coming"
        else:
            continue  # planned: the forecast shows it
        found.append(
            Entry(
                id=one.id,
                title=one.media.title,
                state=standing,
                live=one.id in live,
                priority=cues[one.id].priority,
                start=one.start,
                begins=one.began,
                ends=one.end,
            )
        )
    last = max((entry.begins or 0 for entry in found), default=0) + 1
    return sorted(found, key=lambda e: (_ORDER.index(e.state), e.begins or last, e.start, e.id))


async def clear(ctx: Ctx, zone_ids: Sequence[UUID], rev: int | None = None) -> list[ZoneView]:
    """Every announcement of these zones ends, those that wait for each other included."""
    taken: dict[UUID, list[str]] = {}

    def decide(score: Score, at: int) -> ZoneState:
        state, taken[score.zone.id] = cleared(score, ctx.frame, at)
        return state

    views = await service.change(ctx, zone_ids, "clear_queue", decide, {}, rev)
    for zone_id, event_ids in taken.items():
        for event_id in event_ids:
            await plays.cancelled(ctx, zone_id, event_id)
    return views


def cleared(score: Score, now: int, at: int) -> tuple[ZoneState, list[str]]:
    """The state in which nothing of the queue sounds from ``at`` on, and what it was."""
    ids = [entry.id for entry in entries(score, now)]
    state = reduce(lambda s, id_: engine.cancel(score.programmes, s, id_, at), ids, score.state)
    return state, ids


def _cues(programmes: Programmes, state: ZoneState) -> dict[str, Cue]:
    """Every announcement that the documents name."""
    held = [programmes[ref.sha256] for ref in state.programmes if ref.sha256 in programmes]
    found: dict[str, Cue] = {event.id: event for one in held for event in one.events}
    opened = state.anchor.open if state.anchor else ()
    found |= {entry.id: entry.cue for entry in opened if entry.cue is not None}
    return found | {event.id: event for event in state.live}
