"""Rebasing: the same future from now on, with everything that is over folded into the anchor."""

from collections.abc import Mapping
from typing import TypeVar

from sync2gear_broker.messages import (
    Anchor,
    LiveEvent,
    OpenEvent,
    Programme,
    ProgrammeRef,
    Window,
    ZoneState,
)
from sync2gear_broker.messages.zone import MAX_OPEN
from sync2gear_broker.timeline.cues import Job
from sync2gear_broker.timeline.model import FOREVER
from sync2gear_broker.timeline.walk import Walk

Ended = TypeVar("Ended", LiveEvent, OpenEvent)


def rebase(programmes: Mapping[str, Programme], state: ZoneState, now: int) -> ZoneState:
    """The same future from ``now`` on with everything that is over folded into the anchor.

    ``rev`` stays: the writer draws the next one. ``now`` before the anchor leaves it as it is,
    since nothing is known of the time before. At most MAX_OPEN events stay open, the first ones
    in the order in which they would sound.
    """
    walk = Walk(programmes, state)
    if now <= walk.start and state.anchor is not None:
        return state
    walk.run(now)
    walk.advance(now)
    hold, stopped = _still_to_come(state.hold, now), _still_to_come(state.stopped, now)
    anchor = state.anchor
    if anchor is None:
        if walk.open or _tails(walk, now):
            return state  # without an anchor the open ones are found again from the beginning
        live = tuple(event for event in state.live if event.start >= now)
        return state.model_copy(update={"live": live, "hold": hold, "stopped": stopped})
    refs = _refs(programmes, state.programmes, now)
    entries = _entries(walk, now)
    listed = {entry.id for entry in entries}
    context = walk.context
    return state.model_copy(
        update={
            "programmes": refs,
            "anchor": Anchor(
                at=now,
                block=context.block.id if context else anchor.block,
                pos=walk.pos if context else anchor.pos,
                until=walk.until if context else anchor.until,
                paused=walk.paused if context else anchor.paused,
                fresh=context.fresh if context else anchor.fresh,
                open=entries,
            ),
            "hold": hold,
            "stopped": stopped,
            "live": tuple(e for e in state.live if e.start >= now or e.id in listed),
            "skip": _skips(programmes, refs, state.skip, now),
        }
    )


def cancel(
    programmes: Mapping[str, Programme], state: ZoneState, event_id: str, at: int
) -> ZoneState:
    """The state, rebased to ``at``, in which nothing of an event sounds from ``at`` on.

    A sounding event ends there and the music resumes without a jump; one that waits or is still
    to come never begins. ``skip`` may grow beyond what a document holds: the writer checks.
    """
    state = rebase(programmes, state, at)
    anchor, live = state.anchor, tuple(_ended(one, event_id, at) for one in state.live)
    update: dict[str, object] = {"live": live}
    if anchor is not None and any(entry.id == event_id for entry in anchor.open):
        entries = tuple(_ended(entry, event_id, at) for entry in anchor.open)
        update["anchor"] = anchor.model_copy(update={"open": entries})
    if event_id not in state.skip:  # also where a newer programme has it once more
        update["skip"] = _skips(programmes, state.programmes, (*state.skip, event_id), at)
    return state.model_copy(update=update)


def _ended(one: Ended, event_id: str, at: int) -> Ended:
    if one.id != event_id:
        return one
    return one.model_copy(update={"end": at if one.end is None else min(at, one.end)})


def _still_to_come(window: Window | None, now: int) -> Window | None:
    over = window is not None and window.until is not None and window.until <= now
    return None if over else window


def _entries(walk: Walk, now: int) -> tuple[OpenEvent, ...]:
    """What is sounding, fading or waiting at ``now``."""
    entries = []
    if walk.voice is not None:
        entries.append(_entry(walk, walk.voice, walk.voice.cancel))
    entries += [_entry(walk, job, end) for job, end in _tails(walk, now)]
    waiting = (job for job in walk.open.values() if job is not walk.voice)
    entries += [
        _entry(walk, job, job.cancel)
        for job in sorted(waiting, key=lambda job: (job.wait == "boundary", job.rank))
        if job.refusal(now) is None
    ]
    return tuple(entries[:MAX_OPEN])


def _tails(walk: Walk, now: int) -> list[tuple[Job, int]]:
    """The voices that are over at ``now`` while the music still rises after them."""
    return [(job, end) for job, end in walk.tails if end <= now < end + job.cue.fade_out]


def _entry(walk: Walk, job: Job, end: int) -> OpenEvent:
    return OpenEvent(
        id=job.cue.id,
        began=None if job.began < 0 else job.began,
        end=None if end == FOREVER else end,
        wait=job.wait if job.began < 0 else "boundary",
        cue=None if walk.lists(job) else as_live(job),
    )


def as_live(job: Job) -> LiveEvent:
    """An event with its media inline, for a state whose documents no longer have it."""
    fields = {name: getattr(job.cue, name) for name in type(job.cue).model_fields}
    fields["media"] = job.media
    return LiveEvent(**{name: fields[name] for name in LiveEvent.model_fields if name in fields})


def _refs(
    programmes: Mapping[str, Programme], refs: tuple[ProgrammeRef, ...], now: int
) -> tuple[ProgrammeRef, ...]:
    """The programme in force and whatever comes after it, also where the caller lacks it."""
    begun = [ref.from_ for ref in refs if ref.sha256 in programmes and ref.from_ <= now]
    return tuple(ref for ref in refs if ref.from_ >= max(begun, default=0))


def _skips(
    programmes: Mapping[str, Programme],
    refs: tuple[ProgrammeRef, ...],
    skip: tuple[str, ...],
    now: int,
) -> tuple[str, ...]:
    """Cancelled events that would still come; all of them while the caller lacks a programme."""
    if any(ref.sha256 not in programmes for ref in refs):
        return skip
    wanted = set(skip)
    ahead: set[str] = set()
    for ref in refs if skip else ():
        events = programmes[ref.sha256].events
        ahead |= {event.id for event in events if event.start >= now and event.id in wanted}
    return tuple(key for key in skip if key in ahead)
