"""What the platform says, read with suspicion: what it changes and what is to be done. Pure."""

from collections.abc import Callable
from dataclasses import replace

from pydantic import ValidationError

from sync2gear_broker import topics
from sync2gear_broker.messages import (
    Command,
    DeviceConfig,
    EventsAck,
    Prefetch,
    Reply,
    TimeReply,
    ZoneState,
)
from sync2gear_broker.units import millis_from_frames
from sync2gear_firmware import clock as clocks
from sync2gear_firmware import facts as f
from sync2gear_firmware import latch
from sync2gear_firmware.known import SECOND, State, Step, settings

RESEND = 10 * SECOND
_REPLIES = 64


def heard(state: State, fact: f.Heard, now: int) -> Step:
    """Apply a message; what is not a valid one of ours changes nothing and is logged."""
    address = topics.parse(fact.topic)
    if address is None or address.channel.sender != "platform":
        return state, [f.Say("warning", f"ignored topic={fact.topic[:120]!r} reason=unknown")]
    channel = address.channel
    handlers: dict[str, Callable[[State, f.Heard, int], Step]] = {
        topics.DEVICE_ZONE.name: _zone,
        topics.DEVICE_CONFIG.name: _config,
        topics.DEVICE_PREFETCH.name: _prefetch,
        topics.DEVICE_COMMAND.name: _command,
        topics.EVENTS_ACK.name: _evack,
        topics.TIME_REPLY.name: _time,
    }
    reason = ""
    if channel.name not in handlers:
        reason = "not_for_a_speaker"
    elif not fact.payload:
        reason = "empty"
    elif len(fact.payload) > channel.max_bytes:
        reason = f"oversize bytes={len(fact.payload)}"
    if reason:
        return state, [f.Say("warning", f"ignored channel={channel.name} reason={reason}")]
    try:
        return handlers[channel.name](state, fact, now)
    except (ValidationError, RecursionError) as error:
        text = f"ignored channel={channel.name} reason=invalid error={str(error)[:200]!r}"
        return state, [f.Say("warning", text)]


def _zone(state: State, fact: f.Heard, now: int) -> Step:
    zone = ZoneState.parse(fact.payload)
    if state.zone is not None and zone.version <= state.zone.version:
        kept = state.zone.emergency
        if zone.model_copy(update={"emergency": kept}) != state.zone:
            return state, [f.Say("info", f"zone.old version={zone.version}")]
        if zone.emergency == kept:
            return state, []
    return _applied(state, zone, now)


def _applied(state: State, told: ZoneState, now: int) -> Step:
    """The zone as ``told``, but for an emergency that nobody signed or that is over."""
    emergency, believed = latch.ruling(told, state.zone, settings(state).emergency_keys)
    zone = told.model_copy(update={"emergency": emergency})
    if state.zone is not None and state.zone.zone != zone.zone:
        # moved: what its old zone did meanwhile is not ours to tell
        state = replace(state, checked=None, judged=None, sounded=())
    faults = {code: text for code, text in state.faults.items() if code != latch.UNVERIFIED}
    if not believed:
        faults[latch.UNVERIFIED] = f"gen={told.emergency.gen if told.emergency else 0}"
    unproven = None if believed else told
    state = replace(state, faults=faults, unproven=unproven)
    if zone == state.zone:
        return state, []
    state = replace(state, zone=zone, timers=replace(state.timers, needs=now))
    text = f"zone.applied zone={zone.zone} epoch={zone.epoch} rev={zone.rev}"
    return state, [f.SaveZone(zone), f.Say("info", text)]


def _config(state: State, fact: f.Heard, now: int) -> Step:
    config = DeviceConfig.parse(fact.payload)
    old = state.config
    if old is not None and (config.epoch, config.rev) <= (old.epoch, old.rev):
        return state, []
    text = f"config.applied epoch={config.epoch} rev={config.rev}"
    deeds: list[f.Deed] = [f.SaveConfig(config), f.Say("info", text)]
    state = replace(state, config=config)
    if state.unproven is None:
        return state, deeds
    state, more = _applied(state, state.unproven, now)  # perhaps these keys prove it
    return state, [*deeds, *more]


def _prefetch(state: State, fact: f.Heard, _now: int) -> Step:
    prefetch = Prefetch.parse(fact.payload)
    old = state.prefetch
    if old is not None and (prefetch.epoch, prefetch.rev) <= (old.epoch, old.rev):
        return state, []
    return replace(state, prefetch=prefetch), [f.SavePrefetch(prefetch)]


def _time(state: State, fact: f.Heard, _now: int) -> Step:
    reply = TimeReply.parse(fact.payload)
    clock = clocks.observe(state.clock, reply.src, reply.t1, reply.t2, reply.t3, fact.at)
    answered = max(state.answered, min(reply.n + 1, state.asked))
    return replace(state, clock=clock, answered=answered), []


def _evack(state: State, fact: f.Heard, now: int) -> Step:
    ack = EventsAck.parse(fact.payload)
    if ack.log != state.log or ack.n > state.spooled:
        return state, [f.Say("warning", f"evack.foreign log={ack.log} n={ack.n}")]
    if ack.n <= state.acked:
        return state, []
    timers = replace(state.timers, resend=now + RESEND)
    state = replace(state, acked=ack.n, sent=max(state.sent, ack.n), timers=timers)
    deeds: list[f.Deed] = [f.Forget(ack.n)]
    if state.connected and state.sent < state.spooled:
        deeds.append(f.SendPlays(state.sent))
    return state, deeds


def _command(state: State, fact: f.Heard, now: int) -> Step:
    command = Command.parse(fact.payload)
    known = next((r for r in state.replies if r.id == command.id), None)
    if known is not None:
        return state, [f.Publish(topics.REPLY, known)]
    deeds: list[f.Deed] = []
    reply = Reply(id=command.id, ok=True)
    line = state.clock.line
    if line is None:
        reply = Reply(id=command.id, ok=False, code="no_clock", detail="the clock is not synced")
    elif millis_from_frames(line.frame_at(now)) > command.exp:
        reply = Reply(id=command.id, ok=False, code="expired", detail="arrived after exp")
    elif command.do == "identify" or command.do == "test_tone":
        deeds.append(f.Tone(command.do))
    else:
        detail = f"a software speaker cannot {command.do}"
        reply = Reply(id=command.id, ok=False, code="unsupported", detail=detail)
    state = replace(state, replies=(*state.replies, reply)[-_REPLIES:])
    text = f"command id={command.id} do={command.do} ok={reply.ok} code={reply.code}"
    return state, [*deeds, f.Publish(topics.REPLY, reply), f.Say("info", text)]
