"""What is done in time: asking for it, the heartbeat, the report, saving, sending again. Pure."""

from dataclasses import replace

from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceState, Fault
from sync2gear_firmware import clock as clocks
from sync2gear_firmware import facts as f
from sync2gear_firmware import misses, needs, receipts
from sync2gear_firmware.known import SECOND, State, Step, frame_at, settings, volume
from sync2gear_firmware.orders import RESEND

_BEAT = 30 * SECOND
_DEBOUNCE = SECOND // 2
_KEEP_EVERY = 10 * SECOND
_CLOCK_EVERY = 30 * SECOND
_THOUGHT = 20
_LEVELS = (20, 30, 50, 70, 100, 120, 135, 150, 200, 250, 300, 500, 700, 1000, 2000, 5000)


def tick(state: State, fact: f.Tick, now: int) -> Step:
    """Everything that is due at ``now``."""
    deeds: list[f.Deed] = []
    t = state.timers
    if state.connected and now >= t.ask:
        deeds.append(f.AskTime(state.asked))
        t = replace(t, ask=now + clocks.next_ask(state.clock, state.asked, state.answered))
        state = replace(state, asked=state.asked + 1)
    if now >= t.beat:
        if state.connected:
            deeds.append(f.Beat(clocks.error_millis(state.clock, now)))
        t = replace(t, beat=now + int(_BEAT * (0.8 + 0.4 * fact.chance)))
    if state.connected and state.spooled > state.acked and now >= t.resend:
        deeds.append(f.SendPlays(state.acked))
        t = replace(t, resend=now + RESEND)
        state = replace(state, sent=state.acked)
    frame = frame_at(state, now)
    if now >= t.keep:
        if frame is not None and state.zone is not None:
            state, told = misses.kept(state, (), frame)
            deeds += told
        t = replace(t, keep=now + _KEEP_EVERY)
    if now >= t.clock and state.clock.line is not None:
        deeds.append(f.SaveClock(state.clock.line))
        t = replace(t, clock=now + _CLOCK_EVERY)
    state, reports = _report(replace(state, timers=t), now)
    return state, [*deeds, *reports]


def _report(state: State, now: int) -> Step:
    current = report(state, now)
    t = state.timers
    if current == state.reported:
        return replace(state, timers=replace(t, report=None)), []
    if t.report is None:
        return replace(state, timers=replace(t, report=now + _DEBOUNCE)), []
    if now < t.report or not state.connected:
        return state, []
    timers = replace(t, report=None)
    state = replace(state, reported=current, buffer_told=state.buffer, timers=timers)
    return state, [f.Publish(topics.DEVICE_STATE, current)]


def _ahead(state: State) -> int | None:
    """How early a command must leave, on a coarse scale; it falls only by a third and more.

    So the report stays the same while the network merely breathes. It follows the buffer at once.
    """
    slowest = clocks.slowest(state.clock)
    if slowest is None:
        return None
    millis = (state.buffer + slowest) // 1000 + _THOUGHT
    level = next((step for step in _LEVELS if step >= millis), _LEVELS[-1])
    if state.buffer < state.buffer_told:
        return level
    told = state.reported.ahead if state.reported else None
    return told if told is not None and told * 2 / 3 < level < told else level


def report(state: State, now: int) -> DeviceState:
    """What the speaker says of itself at ``now``."""
    zone = state.zone
    frame = frame_at(state, now) or state.saved or 0
    held = state.held - state.broken
    known = [r.sha256 for r in zone.programmes if r.sha256 in state.programmes] if zone else []
    return DeviceState(
        applied=zone.version if zone else None,
        zone=zone.zone if zone else None,
        programme=known[-1] if known else None,
        volume=volume(settings(state), zone) if zone else 0,
        clock=clocks.quality(state.clock, now),
        cache_24h=needs.coverage(state.needs, held, frame + 24 * needs.HOUR),
        cache_72h=needs.coverage(state.needs, held, frame + 72 * needs.HOUR),
        ahead=_ahead(state),
        trust=state.trust,
        receipts=state.receipts,
        prefetched=receipts.prefetched(state),
        faults=tuple(Fault(code=c, detail=d) for c, d in state.faults.items()),
    )
