"""How a timeline is read: what sounds at instant t, as a pure function of the documents.

``settle`` resolves the documents once (cache it by the programmes' hashes, epoch and rev); all
the others only read its result, except ``rebase`` and ``cancel``, which make the next state.
"""

from collections.abc import Mapping

from sync2gear_broker.messages import Block, Programme, ZoneState
from sync2gear_broker.timeline.envelope import sweep
from sync2gear_broker.timeline.fold import cancel, rebase
from sync2gear_broker.timeline.model import (
    FOREVER,
    MusicPosition,
    Outcome,
    Piece,
    Segment,
    Settled,
    Voice,
)
from sync2gear_broker.timeline.music import cycle_of
from sync2gear_broker.timeline.render import (
    item_start,
    music_at,
    next_change_after,
    plan,
    segments,
    sounding_at,
    taken_over,
)
from sync2gear_broker.timeline.splice import splice
from sync2gear_broker.timeline.walk import Walk

__all__ = [
    "MusicPosition",
    "Outcome",
    "Piece",
    "Segment",
    "Settled",
    "Voice",
    "cancel",
    "item_reading",
    "item_start",
    "music_at",
    "next_change_after",
    "outcomes",
    "plan",
    "rebase",
    "segments",
    "settle",
    "sounding_at",
    "splice",
    "taken_over",
]


def settle(programmes: Mapping[str, Programme], state: ZoneState) -> Settled:
    """Resolve boundaries, queues, cuts and lateness of ``state``, walking from its anchor.

    ``programmes`` holds those of the state's programmes that the caller has, by hash; one that
    is missing leaves the one before it in force. O(n log n) in the events from the anchor on.
    """
    walk = Walk(programmes, state)
    walk.run(FOREVER)
    walk.close()
    starts, lines = sweep(walk.lines)
    plays = sorted((play for play in walk.plays if play.began < play.end), key=lambda p: p.began)
    return Settled(
        start=walk.start,
        runs=tuple(walk.runs),
        run_starts=tuple(run.start for run in walk.runs),
        plays=tuple(plays),
        play_starts=tuple(play.began for play in plays),
        lines=lines,
        line_starts=starts,
        alarm=walk.alarm,
        outcomes=tuple(sorted(walk.outcomes, key=lambda one: (one.start, one.id))),
    )


def item_reading(programme: Programme, block: Block, index: int) -> int:
    """The music clock's reading at which item ``index`` of a block's first round begins."""
    return cycle_of(programme, block).starts[index]


def outcomes(settled: Settled) -> tuple[Outcome, ...]:
    """What becomes of each event from the anchor on, in order of planned start."""
    return settled.outcomes
