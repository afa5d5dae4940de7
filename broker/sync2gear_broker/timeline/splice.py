"""Splicing: a newer document speaks from its anchor on, until then the older one does."""

from bisect import bisect_right
from dataclasses import replace

from sync2gear_broker.timeline.model import Play, Run, Settled


def splice(old: Settled | None, new: Settled, since: int) -> Settled:
    """``old`` in [since, new.start) and ``new`` from there on; ``new`` alone if that is empty.

    For whoever hears a new state before its anchor: a command takes effect at ``now + lead``, and
    until then the zone goes on as before. Only the emergency of ``new`` counts, at once.
    """
    at = new.start
    if old is None or at <= since or at <= old.start:
        return new
    runs = (*(_run_until(run, at) for run in _latest(old, since, at)), *new.runs)
    going_on = {(play.id, play.began) for play in new.plays}
    before = [
        replace(play, end=min(play.end, at))
        for play in old.plays
        if play.began < at and since < play.end and (play.id, play.began) not in going_on
    ]
    plays: list[Play] = sorted((*before, *new.plays), key=lambda play: play.began)
    first = max(0, bisect_right(old.line_starts, since) - 1)
    last = bisect_right(old.line_starts, at - 1)
    here = bisect_right(new.line_starts, at)
    return Settled(
        start=max(old.start, since),
        runs=runs,
        run_starts=tuple(run.start for run in runs),
        plays=tuple(plays),
        play_starts=tuple(play.began for play in plays),
        lines=(*old.lines[first:last], new.lines[here - 1] if here else None, *new.lines[here:]),
        line_starts=(*old.line_starts[first:last], at, *new.line_starts[here:]),
        alarm=new.alarm,
        outcomes=new.outcomes,
    )


def _latest(old: Settled, since: int, at: int) -> tuple[Run, ...]:
    first = max(0, bisect_right(old.run_starts, since) - 1)
    return old.runs[first : bisect_right(old.run_starts, at - 1)]


def _run_until(run: Run, at: int) -> Run:
    return replace(run, end=min(run.end, at))
