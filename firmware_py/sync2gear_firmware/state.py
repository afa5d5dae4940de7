"""The speaker's core: (state, fact, now) -> (state, deeds). Pure; ``now`` is local microseconds."""

from dataclasses import replace
from itertools import zip_longest
from typing import Final

from sync2gear_broker import timeline
from sync2gear_broker.messages import Block, Media, Programme, ZoneState
from sync2gear_broker.timeline import Settled
from sync2gear_broker.units import FRAME_RATE, frames_from_millis
from sync2gear_firmware import clock as clocks
from sync2gear_firmware import facts as f
from sync2gear_firmware import misses, needs, plays, receipts, watch
from sync2gear_firmware.known import (
    EVERGREEN,
    SECOND,
    State,
    Step,
    amplitude,
    frame_at,
    in_force,
    settings,
    volume,
)
from sync2gear_firmware.orders import RESEND, heard
from sync2gear_firmware.regular import tick

__all__ = ["GRACE", "State", "due", "frame_at", "step"]

GRACE: Final = 3 * SECOND
"""So long who has a zone waits for a trusted clock before music plays on from the saved frame."""

_NEEDS_EVERY = 600 * SECOND
_FAULTS = 8
_SOUNDED = 64
_EVERGREENS = 20
_GREEN_SHARE = 4
"""Evergreens take a quarter of the cache at most, or one of them all of it."""


def step(state: State, fact: f.Fact, now: int) -> Step:
    """What is so after ``fact``, and what is to be done about it, in order.

    What is heard comes first: a disk may take its time.
    """
    before = in_force(state)
    state, deeds = _take(state, fact, now)
    if before is None and in_force(state) is not None:
        state = replace(state, zoned=now)
    state, line = _follow(state, now)
    state, score = _score(state, now)
    return state, [*line, *score, *deeds]


def due(state: State) -> int:
    """The local time at which the next tick is needed at the latest."""
    t = state.timers
    times = [t.beat, t.keep]
    if state.trusted:
        times.append(t.clock)
    if state.connected:
        times.append(t.ask)
        if state.spooled > state.acked:
            times.append(t.resend)
        if t.report is not None:
            times.append(t.report)
    if in_force(state) is not None:
        times.append(_patient_until(state) if state.following is None else t.needs)
    return min(times)


def _take(state: State, fact: f.Fact, now: int) -> Step:
    match fact:
        case f.Tick():
            return tick(state, fact, now)
        case f.Heard():
            return heard(state, fact, now)
        case f.Sounding():
            return _sounding(state, fact)
        case f.Connected():
            timers = replace(state.timers, ask=now, report=now, resend=now)
            state = replace(
                state, connected=True, asked=0, answered=0, sent=state.acked, timers=timers
            )
            return replace(state, reported=None), []
        case f.Woke(slept):
            # a machine counts its sleep by a clock that may be a second off: ask at once, and often
            state = replace(state, asked=0, answered=0, timers=replace(state.timers, ask=now))
            return state, [f.Say("info", f"clock.woke slept_millis={slept // 1000}")]
        case f.Disconnected():
            return replace(state, connected=False), []
        case f.Spooled(upto):
            timers = state.timers
            if upto > state.spooled and state.sent == state.acked:
                timers = replace(timers, resend=now)  # nothing is under way: send at once
            return replace(state, spooled=upto, timers=timers), []
        case f.Sent(upto):
            timers = replace(state.timers, resend=now + RESEND)
            return replace(state, sent=max(state.sent, upto), timers=timers), []
        case f.Trouble() | f.Trusted() | f.Measured():
            return _noted(state, fact, now), []
        case _:
            return _stored(state, fact)


def _stored(
    state: State, fact: f.ProgrammeHeld | f.MediaHeld | f.MediaGone | f.MediaBroken
) -> Step:
    match fact:
        case f.ProgrammeHeld(sha, programme):
            named = {r.sha256 for r in state.zone.programmes} if state.zone else set()
            kept = {s: p for s, p in state.programmes.items() if s in named}
            return replace(state, programmes={**kept, sha: programme}), []
        case f.MediaHeld(sha):
            return replace(state, held=state.held | {sha}, broken=state.broken - {sha}), []
        case f.MediaGone(shas):
            return replace(state, held=state.held - shas), []
    state = _trouble(state, "media_undecodable", f"{fact.sha256[:12]}: {fact.detail}")
    return replace(state, broken=state.broken | {fact.sha256}), []


def _noted(state: State, fact: f.Trouble | f.Trusted | f.Measured, now: int) -> State:
    match fact:
        case f.Trouble(code, detail):
            return _trouble(state, code, detail)
        case f.Trusted(sha):
            return replace(state, trust=sha)
    watched, found = watch.judged(state.watched, fact.vitals, now, state.faults)
    for code, detail in found.items():
        state = _trouble(state, code, detail)
    ahead = fact.vitals.ahead
    return replace(state, watched=watched, buffer=state.buffer if ahead is None else ahead)


def _trouble(state: State, code: str, detail: str | None) -> State:
    faults = {c: d for c, d in state.faults.items() if c != code}
    if detail is not None:
        faults[code[:64]] = detail[:120]
    return replace(state, faults=dict(list(faults.items())[-_FAULTS:]))


def _sounding(state: State, fact: f.Sounding) -> Step:
    if state.zone is None:
        return state, []
    audible = state.score is not None and state.score.volume > 0
    opens, records = plays.advance(
        state.plays, fact.at, fact.sounds, zone=state.zone.zone, audible=audible
    )
    records = tuple(_named(state, record) for record in records)
    heard = [s.item for s in fact.sounds if s.role == "event" and s.item not in state.sounded]
    state = replace(state, plays=opens, sounded=(*state.sounded, *heard)[-_SOUNDED:])
    return misses.kept(state, records, fact.at)


def _named(state: State, record: f.Record) -> f.Record:
    """What is held and cannot be decoded is not what was never fetched."""
    broken = record.reason == "not_held" and record.media.sha256 in state.broken
    return replace(record, reason="undecodable") if broken else record


def _follow(state: State, now: int) -> Step:
    """Which line the heard position keeps to: the clock's, or after a while the saved frame's."""
    line, zone = state.clock.line, in_force(state)
    if line is None:
        if state.following is not None or zone is None or now < _patient_until(state):
            return state, []
        line = clocks.from_frame(_last_known(state, zone), now)
    elif state.joined is None:
        state = replace(state, joined=line.frame_at(now))
    if line == state.following:
        return state, []
    return replace(state, following=line), [f.Follow(line)]


def _patient_until(state: State) -> int:
    """Until when it waits for a trusted clock: who is told a zone late is soon told the time."""
    return (state.started if state.zoned is None else state.zoned) + GRACE


def _last_known(state: State, zone: ZoneState) -> int:
    """The latest frame that surely has been: the one saved, or the anchor, if it is later."""
    return max(state.saved or 0, zone.anchor.at if zone.anchor is not None else 0)


def _score(state: State, now: int) -> Step:
    """Settle anew where documents changed; tell the player and the fetcher what changed."""
    zone = in_force(state)
    if zone is None:
        return state, []
    wants_needs = now >= state.timers.needs and state.following is not None
    state, saves = _evergreens(state)
    lost = () if _rules(state, zone) else state.evergreens
    source = (zone, tuple(state.programmes), state.trusted, lost)
    if source != state.settled_from:
        settled, frame = _settle(state, zone), frame_at(state, now)
        if frame is not None:  # a command's lead: until the new anchor all goes on as it was
            settled = timeline.splice(state.settled, settled, max(0, frame - FRAME_RATE))
        state = replace(state, settled=settled, settled_from=source)
        wants_needs = True
    if wants_needs:
        frame = frame_at(state, now)
        if frame is None:
            frame = _last_known(state, zone)
        timers = replace(state.timers, needs=now + _NEEDS_EVERY)
        found = needs.needed(state.programmes, zone, frame)
        state = replace(state, needs=found, timers=timers)
    state = receipts.noted(state, now)
    files = (state.held, state.broken, state.needs, state.evergreens, state.prefetch)
    inputs = (state.settled, zone, state.config, *files)
    if all(a is b for a, b in zip_longest(inputs, state.score_from)):
        return state, saves
    deeds: list[f.Deed] = [*saves]
    want, score = _want(state, zone, now), _perform(state, zone)
    # of a lost zone nobody can say what is needed, nor what is needed no more
    if want != state.wanted and state.zone is not None:
        deeds.append(want)
        state = replace(state, wanted=want)
    if score != state.score:
        deeds.append(f.Perform(score))
    return replace(state, score=score, score_from=inputs), deeds


def _settle(state: State, zone: ZoneState) -> Settled:
    programmes = state.programmes
    if not _rules(state, zone) and zone.programmes and state.evergreens:
        # the zone should have music and we have none of its plans: what we know plays in its stead
        programmes = {zone.programmes[0].sha256: _stand_in(state.evergreens)}
    if state.trusted:
        return timeline.settle(programmes, zone)
    # without a trusted clock no timed event may sound: only the music of the same documents
    music = {s: p.model_copy(update={"events": ()}) for s, p in programmes.items()}
    anchor = zone.anchor and zone.anchor.model_copy(update={"open": ()})
    return timeline.settle(music, zone.model_copy(update={"live": (), "anchor": anchor}))


def _rules(state: State, zone: ZoneState) -> bool:
    """Whether a programme of the zone is here."""
    return any(ref.sha256 in state.programmes for ref in zone.programmes)


def _stand_in(music: tuple[Media, ...]) -> Programme:
    block = Block(id=EVERGREEN, source=EVERGREEN, at=0, items=tuple(range(len(music))))
    return Programme(media=music, blocks=(block,))


def _evergreens(state: State) -> tuple[State, list[f.Deed]]:
    """Keep some playable tracks in mind: the programmes' own, else those known before."""
    inputs = (state.programmes, state.held, state.broken, state.config)
    if all(a is b for a, b in zip_longest(inputs, state.greens_from)):
        return state, []
    playable = state.held - state.broken
    fresh = {m.sha256: m for p in state.programmes.values() for m in p.media if m.kind == "music"}
    known = {m.sha256: m for m in state.evergreens}
    found = [m for s, m in sorted({**known, **fresh}.items()) if s in playable]
    own = [m for m in found if m.sha256 in fresh]
    others = [m for m in found if m.sha256 not in fresh]
    some = tuple((own + others)[:_EVERGREENS])
    # the smallest cache still holds one, and the rest of it is for what is planned
    greens = needs.fitting(some, settings(state).cache_limit // _GREEN_SHARE) or some[:1]
    state = replace(state, greens_from=inputs)
    if greens == state.evergreens:
        return state, []
    return replace(state, evergreens=greens), [f.SaveEvergreens(greens)]


def _want(state: State, zone: ZoneState, now: int) -> f.Want:
    missing = tuple(r.sha256 for r in zone.programmes if r.sha256 not in state.programmes)
    config = settings(state)
    frame = frame_at(state, now) or _last_known(state, zone)
    media = needs.order(state.needs, state.prefetch, state.evergreens, frame)
    soon = [(at, m.sha256) for at, m in state.needs if at < frame + needs.HOUR]
    at_once = frozenset(sha for at, sha in soon if at == 0)
    hour = frozenset(sha for _, sha in soon)
    return f.Want(missing, media, config.cache_limit, config.media_url, at_once, hour)


def _perform(state: State, zone: ZoneState) -> f.Score:
    config = settings(state)
    held = state.held - state.broken
    emergency = zone.emergency.volume if zone.emergency is not None else 100
    return f.Score(
        state.settled,
        amplitude(volume(config, zone)),
        amplitude(emergency),
        held,
        state.evergreens,
        frames_from_millis(config.trim_millis),
        config.channels,
    )
