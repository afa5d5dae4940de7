"""The speaker's core: (state, fact, now) -> (state, deeds). Pure; ``now`` is local microseconds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from pydantic import ValidationError

from sync2gear_broker import timeline, topics
from sync2gear_broker.messages import (
    Command,
    DeviceConfig,
    DeviceState,
    Document,
    EventsAck,
    Fault,
    Media,
    Programme,
    Reply,
    TimeReply,
    ZoneState,
)
from sync2gear_broker.timeline import Settled
from sync2gear_broker.units import frames_from_millis, millis_from_frames
from sync2gear_firmware import clock as clocks
from sync2gear_firmware import facts as f
from sync2gear_firmware import needs, plays
from sync2gear_firmware.clock import Clock, Line

SECOND: Final = 1_000_000
GRACE: Final = 3 * SECOND
"""So long a start waits for a trusted clock before music plays on from the saved frame."""

_FAST_ASKS, _FAST_EVERY = 20, SECOND // 20
_BEAT = 30 * SECOND
_DEBOUNCE = SECOND // 2
_KEEP_EVERY = 10 * SECOND
_CLOCK_EVERY = 60 * SECOND
_NEEDS_EVERY = 600 * SECOND
_RESEND = 10 * SECOND
_REPLIES = 64
_FAULTS = 16

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Timers:
    """When each regular deed is next due, in local microseconds."""

    ask: int = 0
    beat: int = 0
    report: int | None = None
    keep: int = 0
    clock: int = 0
    needs: int = 0
    resend: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """All that a speaker knows. ``started`` is the local time of its start.

    ``saved`` is the zone frame that it last put on its disk; ``spooled``, ``sent`` and ``acked``
    count the events of the outbox ``log``. ``following``, ``score``, ``wanted`` and ``reported``
    are what was last told, so that only changes are.
    """

    started: int
    log: str
    saved: int | None = None
    clock: Clock = field(default_factory=Clock)
    zone: ZoneState | None = None
    config: DeviceConfig | None = None
    programmes: Mapping[str, Programme] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    faults: Mapping[str, str] = field(default_factory=dict)
    connected: bool = False
    asked: int = 0
    plays: tuple[f.Play, ...] = ()
    spooled: int = 0
    sent: int = 0
    acked: int = 0
    replies: tuple[Reply, ...] = ()
    needs: tuple[tuple[int, Media], ...] = ()
    settled: Settled | None = None
    settled_from: tuple[object, ...] = ()
    following: Line | None = None
    score: f.Score | None = None
    wanted: f.Want | None = None
    reported: DeviceState | None = None
    timers: Timers = field(default_factory=Timers)

    @property
    def trusted(self) -> bool:
        """Whether the zone clock is known, so that timed events may sound."""
        return self.clock.line is not None


Step = tuple[State, list[f.Deed]]


def step(state: State, fact: f.Fact, now: int) -> Step:
    """What is so after ``fact``, and what is to be done about it, in order."""
    state, deeds = _take(state, fact, now)
    state, more = _follow(state, now)
    state, score = _score(state, now)
    return state, [*deeds, *more, *score]


def due(state: State) -> int:
    """The local time at which the next tick is needed at the latest."""
    t = state.timers
    times = [t.beat, t.keep, t.clock]
    if state.connected:
        times.append(t.ask)
        if state.spooled > state.acked:
            times.append(t.resend)
        if t.report is not None:
            times.append(t.report)
    if state.zone is not None:
        times.append(state.started + GRACE if state.following is None else t.needs)
    return min(times)


def frame_at(state: State, now: int) -> int | None:
    """The zone frame that the speaker takes ``now`` for, or None while it waits for a clock."""
    return None if state.following is None else state.following.frame_at(now)


def _take(state: State, fact: f.Fact, now: int) -> Step:
    match fact:
        case f.Tick():
            return _tick(state, fact, now)
        case f.Heard():
            return _heard(state, fact, now)
        case f.Sounding():
            return _sounding(state, fact)
        case f.Connected():
            timers = replace(state.timers, ask=now, report=now, resend=now)
            state = replace(state, connected=True, asked=0, sent=state.acked, timers=timers)
            return replace(state, reported=None), []
        case f.Disconnected():
            return replace(state, connected=False), []
        case f.Spooled(upto):
            timers = state.timers
            if upto > state.spooled and state.sent == state.acked:
                timers = replace(timers, resend=now)  # nothing is under way: send at once
            return replace(state, spooled=upto, timers=timers), []
        case f.Sent(upto):
            timers = replace(state.timers, resend=now + _RESEND)
            return replace(state, sent=max(state.sent, upto), timers=timers), []
        case f.Trouble(code, detail):
            return _trouble(state, code, detail), []
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
        case f.MediaBroken(sha, detail):
            state = _trouble(state, "media_undecodable", f"{sha[:12]}: {detail}")
            return replace(state, broken=state.broken | {sha}), []


def _trouble(state: State, code: str, detail: str | None) -> State:
    faults = {c: d for c, d in state.faults.items() if c != code}
    if detail is not None:
        faults[code[:64]] = detail[:200]
    return replace(state, faults=dict(list(faults.items())[-_FAULTS:]))


# -- what the platform says ---------------------------------------------------------------------


def _heard(state: State, fact: f.Heard, now: int) -> Step:
    address = topics.parse(fact.topic)
    if address is None or address.channel.sender != "platform":
        return state, [f.Say("warning", f"ignored topic={fact.topic[:120]!r} reason=unknown")]
    channel = address.channel
    handlers: dict[str, Callable[[State, f.Heard, int], Step]] = {
        topics.DEVICE_ZONE.name: _zone,
        topics.DEVICE_CONFIG.name: _config,
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
        if zone != state.zone:
            return state, [f.Say("info", f"zone.old version={zone.version}")]
        return state, []
    state = replace(state, zone=zone, timers=replace(state.timers, needs=now))
    text = f"zone.applied zone={zone.zone} epoch={zone.epoch} rev={zone.rev}"
    return state, [f.SaveZone(zone), f.Say("info", text)]


def _config(state: State, fact: f.Heard, _now: int) -> Step:
    config = DeviceConfig.parse(fact.payload)
    old = state.config
    if old is not None and (config.epoch, config.rev) <= (old.epoch, old.rev):
        return state, []
    text = f"config.applied epoch={config.epoch} rev={config.rev}"
    return replace(state, config=config), [f.SaveConfig(config), f.Say("info", text)]


def _time(state: State, fact: f.Heard, _now: int) -> Step:
    reply = TimeReply.parse(fact.payload)
    clock = clocks.observe(state.clock, reply.src, reply.t1, reply.t2, reply.t3, fact.at)
    return replace(state, clock=clock), []


def _evack(state: State, fact: f.Heard, now: int) -> Step:
    ack = EventsAck.parse(fact.payload)
    if ack.log != state.log or ack.n > state.spooled:
        return state, [f.Say("warning", f"evack.foreign log={ack.log} n={ack.n}")]
    if ack.n <= state.acked:
        return state, []
    timers = replace(state.timers, resend=now + _RESEND)
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


# -- what sounds ----------------------------------------------------------------------------------


def _sounding(state: State, fact: f.Sounding) -> Step:
    if state.zone is None:
        return state, []
    audible = state.score is not None and state.score.volume > 0
    opens, records = plays.advance(
        state.plays, fact.at, fact.sounds, zone=state.zone.zone, audible=audible
    )
    deeds: list[f.Deed] = [f.Keep(records, opens, fact.at)]
    for record in records:
        title, artist = record.media.title or record.media.sha256[:12], record.media.artist
        verb = {"started": "plays", "finished": "finished", "missed": "missed"}[record.kind]
        text = f"zone {record.zone} {verb} {title!r} by {artist!r} at frame {record.at}"
        if record.kind == "finished":
            text += f" frames={record.frames}"
        if record.reason:
            text += f" reason={record.reason}"
        deeds.append(f.Say("warning" if record.kind == "missed" else "info", text))
    return replace(state, plays=opens), deeds


def _follow(state: State, now: int) -> Step:
    """Which line the heard position keeps to: the clock's, or after a while the saved frame's."""
    line = state.clock.line
    if line is None:
        if state.following is not None or state.zone is None or now < state.started + GRACE:
            return state, []
        frame = state.saved
        if frame is None:
            frame = state.zone.anchor.at if state.zone.anchor is not None else 0
        line = clocks.from_frame(frame, now)
    if line == state.following:
        return state, []
    return replace(state, following=line), [f.Follow(line)]


def _score(state: State, now: int) -> Step:
    """Settle anew where documents changed; tell the player and the fetcher what changed."""
    zone = state.zone
    if zone is None:
        return state, []
    deeds: list[f.Deed] = []
    wants_needs = now >= state.timers.needs and state.following is not None
    source = (zone, tuple(state.programmes), state.trusted)
    if source != state.settled_from:
        settled = _settle(state, zone)
        state = replace(state, settled=settled, settled_from=source)
        wants_needs = True
    if wants_needs:
        frame = frame_at(state, now)
        if frame is None:
            frame = state.saved or (zone.anchor.at if zone.anchor else 0)
        timers = replace(state.timers, needs=now + _NEEDS_EVERY)
        found = needs.needed(state.programmes, zone, frame)
        state = replace(state, needs=found, timers=timers)
    want = _want(state, zone)
    if want != state.wanted:
        state = replace(state, wanted=want)
        deeds.append(want)
    score = _perform(state, zone)
    if score != state.score:
        state = replace(state, score=score)
        deeds.append(f.Perform(score))
    return state, deeds


def _settle(state: State, zone: ZoneState) -> Settled:
    if state.trusted:
        return timeline.settle(state.programmes, zone)
    # without a trusted clock no timed event may sound: only the music of the same documents
    music = {s: p.model_copy(update={"events": ()}) for s, p in state.programmes.items()}
    anchor = zone.anchor and zone.anchor.model_copy(update={"open": ()})
    return timeline.settle(music, zone.model_copy(update={"live": (), "anchor": anchor}))


def _want(state: State, zone: ZoneState) -> f.Want:
    missing = tuple(r.sha256 for r in zone.programmes if r.sha256 not in state.programmes)
    config = state.config or _DEFAULTS
    media = tuple(m for _, m in state.needs)
    return f.Want(missing, media, config.cache_limit, config.media_url)


def _perform(state: State, zone: ZoneState) -> f.Score:
    config = state.config or _DEFAULTS
    held = state.held - state.broken
    known = {m.sha256: m for p in state.programmes.values() for m in p.media}
    music = sorted(s for s in held if s in known and known[s].kind == "music")
    emergency = zone.emergency.volume if zone.emergency is not None else 100
    return f.Score(
        state.settled,
        amplitude(volume(config, zone)),
        amplitude(emergency),
        held,
        tuple(known[s] for s in music),
        frames_from_millis(config.trim_millis),
    )


def volume(config: DeviceConfig, zone: ZoneState) -> int:
    """The volume in force in percent: the zone's within the device's bounds, 0 when muted."""
    if zone.mute or zone.volume == 0:
        return 0
    return max(config.volume_min, min(config.volume_max, zone.volume))


def amplitude(percent: int) -> float:
    """The amplitude of a volume: its square, which is near to how loudness is perceived."""
    return (percent / 100) ** 2


_DEFAULTS = DeviceConfig(epoch=1, rev=1)


# -- what is said in time -------------------------------------------------------------------------


def _tick(state: State, tick: f.Tick, now: int) -> Step:
    deeds: list[f.Deed] = []
    t = state.timers
    if state.connected and now >= t.ask:
        deeds.append(f.AskTime(state.asked))
        every = _FAST_EVERY if state.asked < _FAST_ASKS else SECOND
        t = replace(t, ask=now + every)
        state = replace(state, asked=state.asked + 1)
    if now >= t.beat:
        if state.connected:
            deeds.append(f.Beat(clocks.error_millis(state.clock, now)))
        t = replace(t, beat=now + int(_BEAT * (0.8 + 0.4 * tick.chance)))
    if state.connected and state.spooled > state.acked and now >= t.resend:
        deeds.append(f.SendPlays(state.acked))
        t = replace(t, resend=now + _RESEND)
        state = replace(state, sent=state.acked)
    frame = frame_at(state, now)
    if now >= t.keep:
        if frame is not None and state.zone is not None:
            opens = tuple(plays.so_far(p, frame) for p in state.plays)
            deeds.append(f.Keep((), opens, frame))
        t = replace(t, keep=now + _KEEP_EVERY)
    if now >= t.clock:
        if state.clock.line is not None:
            deeds.append(f.SaveClock(state.clock.line))
        t = replace(t, clock=now + _CLOCK_EVERY)
    state, reports = _report(replace(state, timers=t), now)
    return state, [*deeds, *reports]


def _report(state: State, now: int) -> Step:
    report = _reportable(state, now)
    t = state.timers
    if report == state.reported:
        return replace(state, timers=replace(t, report=None)), []
    if t.report is None:
        return replace(state, timers=replace(t, report=now + _DEBOUNCE)), []
    if now < t.report or not state.connected:
        return state, []
    state = replace(state, reported=report, timers=replace(t, report=None))
    return state, [f.Publish(topics.DEVICE_STATE, report)]


def _reportable(state: State, now: int) -> DeviceState:
    zone = state.zone
    config = state.config or _DEFAULTS
    frame = frame_at(state, now) or state.saved or 0
    held = state.held - state.broken
    known = [r.sha256 for r in zone.programmes if r.sha256 in state.programmes] if zone else []
    return DeviceState(
        applied=zone.version if zone else None,
        zone=zone.zone if zone else None,
        programme=known[-1] if known else None,
        volume=volume(config, zone) if zone else 0,
        clock=clocks.quality(state.clock, now),
        cache_24h=needs.coverage(state.needs, held, frame + 24 * needs.HOUR),
        cache_72h=needs.coverage(state.needs, held, frame + 72 * needs.HOUR),
        faults=tuple(Fault(code=c, detail=d) for c, d in state.faults.items()),
    )


def started(state: State, line: Line | None) -> State:
    """``state`` with a line saved in this same boot: the clock begins in holdover."""
    return replace(state, clock=Clock((), line, None)) if line is not None else state
