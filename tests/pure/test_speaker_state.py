"""The speaker's core: what it concludes from facts, and what it wants done."""

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest

from sync2gear_broker import timeline, topics
from sync2gear_broker.messages import (
    Anchor,
    Block,
    Command,
    DeviceConfig,
    DeviceState,
    Document,
    Emergency,
    Event,
    EventsAck,
    LiveEvent,
    Media,
    Prefetch,
    PrefetchItem,
    Programme,
    ProgrammeRef,
    Reply,
    TimeReply,
    Window,
    ZoneState,
    sha256_hex,
)
from sync2gear_broker.units import FRAME_RATE, frames_from_micros, millis_from_frames
from sync2gear_firmware import clock as clocks
from sync2gear_firmware import facts as f
from sync2gear_firmware import known, needs, regular, state
from sync2gear_firmware.clock import Line, from_frame
from sync2gear_firmware.watch import Vitals
from sync2gear_platform.playback.rules import lead

CLIENT, DEVICE, ZONE, OTHER, LOG, SRC = (str(UUID(int=n)) for n in range(1, 7))
EPOCH = 1_790_000_000_000_000
SECOND = 1_000_000
T0 = frames_from_micros(EPOCH)
D = TypeVar("D")


def media(name: str, seconds: int = 10, kind: str = "music") -> Media:
    return Media.model_validate(
        {
            "sha256": sha256_hex(name.encode()),
            "bytes": 1000 * seconds,
            "frames": seconds * FRAME_RATE,
            "kind": kind,
            "title": name,
        }
    )


MUSIC = (media("one"), media("two"), media("three"))
CALL = media("call", 2, "announcement")


def programme(*events: Event, at: int = T0, music: tuple[Media, ...] = MUSIC) -> Programme:
    block = Block(id="b", source="s", at=at, items=tuple(range(len(music))))
    return Programme(media=(*music, CALL), blocks=(block,), events=events)


def zone(*programmes: Programme, **parts: Any) -> ZoneState:
    refs = tuple(ProgrammeRef.model_validate({"sha256": p.sha256(), "from": 0}) for p in programmes)
    values = {"zone": ZONE, "epoch": 1, "rev": 1, "programmes": refs}
    if programmes:
        values["anchor"] = Anchor(at=programmes[0].blocks[0].at, block="b", pos=0)
    return ZoneState.model_validate({**values, **parts})


class Speaker:
    """The core with a memory of what it wanted done."""

    def __init__(self, **known_before: Any) -> None:
        self.now = 0
        self.state = state.State(started=0, log=LOG, **known_before)
        self.deeds: list[f.Deed] = []

    def take(self, *facts: f.Fact) -> list[f.Deed]:
        fresh: list[f.Deed] = []
        for fact in facts:
            self.state, deeds = state.step(self.state, fact, self.now)
            fresh += deeds
        self.deeds += fresh
        return fresh

    def hear(self, channel: topics.Channel, body: Document | bytes) -> list[f.Deed]:
        ids = {"client": CLIENT, "device": DEVICE}
        if "{zone}" in channel.template:
            ids = {"client": CLIENT, "zone": ZONE}
        payload = body.canonical() if isinstance(body, Document) else body
        return self.take(f.Heard(topics.build(channel, **ids), payload, self.now))

    def run(self, seconds: float, step: float = 0.05) -> list[f.Deed]:
        """Let time pass, with a tick whenever one is due."""
        fresh: list[f.Deed] = []
        until = self.now + round(seconds * SECOND)
        while self.now < until:
            self.now = min(until, max(state.due(self.state), self.now + round(step * SECOND)))
            fresh += self.take(f.Tick(0.5))
        return fresh

    def sync(self, count: int = 20) -> None:
        """Exchanges over a perfect network: platform time is EPOCH at local 0."""
        for _ in range(count):
            t = EPOCH + self.now
            self.hear(topics.TIME_REPLY, TimeReply(t1=self.now, t2=t, t3=t, src=SRC))
            self.now += 50_000

    def frame(self) -> int:
        return frames_from_micros(EPOCH + self.now)


def of(kind: type[D], deeds: Iterable[object]) -> list[D]:
    return [deed for deed in deeds if isinstance(deed, kind)]


def records(deeds: Iterable[object]) -> list[tuple[str, str, str]]:
    return [
        (record.kind, record.item, record.reason)
        for keep in of(f.Keep, deeds)
        for record in keep.records
    ]


def joined(document: ZoneState, *programmes: Programme, **before: Any) -> Speaker:
    """A speaker that is connected, synced, and has everything of ``programmes``."""
    speaker = Speaker(**before)
    speaker.take(f.Connected())
    speaker.sync()
    speaker.hear(topics.DEVICE_ZONE, document)
    for one in programmes:
        speaker.take(f.ProgrammeHeld(one.sha256(), one))
        speaker.take(*(f.MediaHeld(m.sha256) for m in one.media))
    return speaker


def sound(item: str, what: Media, at: int, **more: Any) -> f.Sounding:
    role = "music" if what.kind == "music" else "event"
    values: dict[str, Any] = {"begins": at, "slot": at, "offset": 0, **more}
    return f.Sounding(at, (f.Sound(role, item, what, **values),))


# -- documents ------------------------------------------------------------------------------------


def test_a_newer_document_is_applied_and_saved_and_an_older_one_is_not() -> None:
    speaker = Speaker()
    deeds = speaker.hear(topics.DEVICE_ZONE, zone(rev=5))
    assert of(f.SaveZone, deeds) == [f.SaveZone(zone(rev=5))]
    for old in (zone(rev=5), zone(rev=4), zone(rev=5, volume=1)):
        assert of(f.SaveZone, speaker.hear(topics.DEVICE_ZONE, old)) == []
    for new in (zone(rev=6), zone(epoch=2, rev=1)):
        assert of(f.SaveZone, speaker.hear(topics.DEVICE_ZONE, new)) == [f.SaveZone(new)]


def test_a_newer_configuration_bounds_the_volume() -> None:
    speaker = Speaker()
    speaker.hear(topics.DEVICE_ZONE, zone(volume=90))
    config = DeviceConfig(epoch=1, rev=2, volume_max=50, volume_min=20, trim_millis=10)
    deeds = speaker.hear(topics.DEVICE_CONFIG, config)
    assert of(f.SaveConfig, deeds) == [f.SaveConfig(config)]
    (perform,) = of(f.Perform, deeds)
    assert perform.score.volume == 0.25
    assert perform.score.trim == 480
    assert of(f.SaveConfig, speaker.hear(topics.DEVICE_CONFIG, config)) == []


@pytest.mark.parametrize(
    ("volume", "mute", "heard"), [(0, False, 0), (10, False, 20), (60, False, 50), (40, True, 0)]
)
def test_bounds_never_make_a_muted_zone_sound(volume: int, mute: bool, heard: int) -> None:
    config = DeviceConfig(epoch=1, rev=2, volume_max=50, volume_min=20)
    assert known.volume(config, zone(volume=volume, mute=mute)) == heard


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("s2g/2/nonsense", b"{}", "unknown"),
        (topics.build(topics.HEARTBEAT, client=CLIENT, device=DEVICE), b"{}", "unknown"),
        (topics.build(topics.ZONE_DESIRED, client=CLIENT, zone=ZONE), b"{}", "not_for_a_speaker"),
        (topics.build(topics.DEVICE_ZONE, client=CLIENT, device=DEVICE), b"", "empty"),
        (topics.build(topics.DEVICE_ZONE, client=CLIENT, device=DEVICE), b" " * 8193, "oversize"),
        (topics.build(topics.DEVICE_ZONE, client=CLIENT, device=DEVICE), b"{}", "invalid"),
        (topics.build(topics.DEVICE_ZONE, client=CLIENT, device=DEVICE), b"[" * 8000, "invalid"),
        (topics.build(topics.EVENTS_ACK, client=CLIENT, device=DEVICE), b"\xff", "invalid"),
    ],
)
def test_what_is_not_a_valid_document_of_ours_is_only_logged(
    topic: str, payload: bytes, reason: str
) -> None:
    speaker = Speaker()
    before = speaker.state
    (deed,) = speaker.take(f.Heard(topic, payload, 0))
    assert isinstance(deed, f.Say)
    assert deed.level == "warning"
    assert f"reason={reason}" in deed.text
    assert speaker.state == before


def test_commands_are_done_once_in_time_and_only_with_a_clock() -> None:
    def order(do: Any, exp: int) -> Command:
        return Command(id=str(uuid4()), exp=exp, do=do)

    def answer(deeds: list[f.Deed]) -> tuple[bool, str]:
        (publish,) = of(f.Publish, deeds)
        assert publish.channel is topics.REPLY
        assert isinstance(publish.document, Reply)
        return publish.document.ok, publish.document.code

    speaker = Speaker()
    now = EPOCH // 1000
    assert answer(speaker.hear(topics.DEVICE_COMMAND, order("identify", now))) == (
        False,
        "no_clock",
    )
    speaker.sync()
    identify = order("identify", now + 5000)
    deeds = speaker.hear(topics.DEVICE_COMMAND, identify)
    assert answer(deeds) == (True, "")
    assert of(f.Tone, deeds) == [f.Tone("identify")]
    deeds = speaker.hear(topics.DEVICE_COMMAND, identify)
    assert answer(deeds) == (True, "")
    assert of(f.Tone, deeds) == []
    deeds = speaker.hear(topics.DEVICE_COMMAND, order("test_tone", now - 1))
    assert answer(deeds) == (False, "expired")
    assert of(f.Tone, deeds) == []
    assert answer(speaker.hear(topics.DEVICE_COMMAND, order("reboot", now + 5000))) == (
        False,
        "unsupported",
    )


# -- what is on the disk --------------------------------------------------------------------------


def test_it_wants_the_programme_and_then_its_media_in_the_order_of_need() -> None:
    plan = programme()
    speaker = Speaker()
    speaker.take(f.Connected())
    speaker.sync()
    speaker.now = 15 * SECOND
    deeds = speaker.hear(topics.DEVICE_ZONE, zone(plan))
    assert of(f.Want, deeds)[-1].programmes == (plan.sha256(),)
    deeds = speaker.take(f.ProgrammeHeld(plan.sha256(), plan))
    want = of(f.Want, deeds)[-1]
    assert want.programmes == ()
    assert [m.title for m in want.media] == ["two", "three", "one"]
    live = LiveEvent(id="now", start=speaker.frame(), media=CALL)
    deeds = speaker.hear(topics.DEVICE_ZONE, zone(plan, rev=2, live=(live,)))
    assert [m.title for m in of(f.Want, deeds)[-1].media] == ["call", "two", "three", "one"]


def test_what_may_be_announced_is_fetched_behind_the_next_hour_and_reported() -> None:
    late = media("late", 2)
    plan = programme(music=(media("long", 2 * 3600), late))
    speaker = joined(zone(plan))
    speaker.take(f.ProgrammeHeld(plan.sha256(), plan))
    calls = [media(name, 2, "announcement") for name in ("hello", "goodbye")]
    items = tuple(PrefetchItem(sha256=c.sha256, bytes=c.bytes) for c in calls)
    (saved,) = of(
        f.SavePrefetch, speaker.hear(topics.DEVICE_PREFETCH, Prefetch(epoch=1, rev=5, items=items))
    )
    order = [m.sha256 for m in speaker.state.wanted.media] if speaker.state.wanted else []
    assert order == [plan.media[0].sha256, *(c.sha256 for c in calls), late.sha256]
    older = Prefetch(epoch=1, rev=4)
    assert speaker.hear(topics.DEVICE_PREFETCH, older) == [], "an older list changes nothing"
    speaker.take(f.MediaHeld(calls[1].sha256))
    assert regular.report(speaker.state, speaker.now).prefetched == (calls[1].sha256[:12],)
    again = joined(zone(plan), plan, prefetch=saved.prefetch)
    assert again.state.wanted is not None
    assert calls[0].sha256 in {m.sha256 for m in again.state.wanted.media}, "kept over a restart"


def test_programmes_that_no_document_names_are_forgotten() -> None:
    first, second = programme(), programme(music=MUSIC[:1])
    speaker = joined(zone(first), first)
    speaker.hear(topics.DEVICE_ZONE, zone(second, rev=2))
    speaker.take(f.ProgrammeHeld(second.sha256(), second))
    assert set(speaker.state.programmes) == {second.sha256()}
    unnamed = Speaker()
    unnamed.take(f.ProgrammeHeld(first.sha256(), first))
    assert set(unnamed.state.programmes) == {first.sha256()}


def test_what_is_gone_or_broken_is_not_played_and_what_is_fetched_anew_is() -> None:
    plan = programme()
    speaker = joined(zone(plan), plan)
    one, two, _ = (m.sha256 for m in MUSIC)
    (perform,) = of(f.Perform, speaker.take(f.MediaGone(frozenset({one}))))
    assert one not in perform.score.held
    assert [m.title for m in perform.score.evergreens] == [
        m.title for m in sorted(MUSIC[1:], key=lambda m: m.sha256)
    ]
    (perform,) = of(f.Perform, speaker.take(f.MediaBroken(two, "no audio")))
    assert two not in perform.score.held
    deeds = speaker.run(2)
    report = of(f.Publish, deeds)[-1].document
    assert isinstance(report, DeviceState)
    assert [fault.code for fault in report.faults] == ["media_undecodable"]
    assert report.cache_24h == 33
    (perform,) = of(f.Perform, speaker.take(f.MediaHeld(two)))
    assert two in perform.score.held
    speaker.take(f.Trouble("media_undecodable", None))
    assert speaker.state.faults == {}


# -- time -------------------------------------------------------------------------------------


def test_time_is_asked_for_fast_and_then_every_second_while_connected() -> None:
    speaker = Speaker()
    assert of(f.AskTime, speaker.run(2)) == []
    speaker.take(f.Connected())
    asks: list[f.AskTime] = []
    for _ in range(220):
        for ask in of(f.AskTime, speaker.take(f.Tick(0.5))):
            asks.append(ask)
            t = EPOCH + speaker.now
            reply = TimeReply(t1=speaker.now, t2=t, t3=t, src=SRC, n=ask.n)
            speaker.hear(topics.TIME_REPLY, reply)
        speaker.now += 50_000
    assert [ask.n for ask in asks] == list(range(len(asks)))
    assert 27 <= len(asks) <= 32, "twenty in a second, then one in each"
    speaker.take(f.Disconnected("gone"))
    assert of(f.AskTime, speaker.run(5)) == []


def test_who_gets_no_answer_does_not_ask_faster() -> None:
    speaker = Speaker()
    speaker.take(f.Connected())
    assert len(of(f.AskTime, speaker.run(10.5))) == 5 + 10
    nobody = TimeReply(t1=0, t2=EPOCH, t3=EPOCH, src=SRC, n=10**9)
    speaker.hear(topics.TIME_REPLY, nobody)
    assert speaker.state.answered == speaker.state.asked, "an answer to what was not asked"


def test_after_a_sleep_that_the_machine_miscounted_the_clock_is_learnt_within_a_second() -> None:
    plan = programme()
    speaker = joined(zone(plan), plan)
    speaker.run(100, 1)
    lost = 2 * SECOND  # the platform went on for longer than the machine says
    asks = 0
    for fact in (f.Woke(600 * SECOND), *[f.Tick(0.5)] * 20):
        for ask in of(f.AskTime, speaker.take(fact)):
            asks += 1
            t = EPOCH + speaker.now + lost
            reply = TimeReply(t1=speaker.now, t2=t, t3=t, src=SRC, n=ask.n)
            speaker.hear(topics.TIME_REPLY, reply)
        speaker.now += 50_000
    assert 18 <= asks <= 21
    assert speaker.state.following is not None
    assert speaker.state.following.frame_at(speaker.now) == frames_from_micros(
        EPOCH + speaker.now + lost
    )
    assert "clock.woke slept_millis=600000" in [say.text for say in of(f.Say, speaker.deeds)]


def test_the_heartbeat_comes_every_half_minute_and_a_trusted_clock_is_saved() -> None:
    speaker = Speaker()
    speaker.take(f.Connected())
    speaker.sync()
    deeds = speaker.run(125, 1)
    assert 4 <= len(of(f.Beat, deeds)) <= 5
    assert all(beat.clock_error is not None for beat in of(f.Beat, deeds))
    assert 4 <= len(of(f.SaveClock, deeds)) <= 5


def test_what_it_measures_of_itself_is_reported_as_faults_and_their_end() -> None:
    speaker = Speaker()
    speaker.take(f.Measured(Vitals(temperature=91.0, disk_free=5)))
    assert [f.code for f in regular.report(speaker.state, speaker.now).faults] == [
        "hot",
        "disk_low",
    ]
    speaker.take(f.Trouble("card", "gone"), f.Measured(Vitals(temperature=60.0, disk_free=10**9)))
    assert [f.code for f in regular.report(speaker.state, speaker.now).faults] == ["card"]


def test_how_early_a_command_must_leave_follows_the_network_but_not_its_every_breath() -> None:
    def told(buffer: int, delay: int, before: int | None) -> int | None:
        sample = clocks.Sample(0, 0, delay)
        estimator = clocks.Estimator(SRC, (sample,) * clocks.READY, Line(SRC, 0, 0.0))
        reported = None if before is None else DeviceState(ahead=before)
        speaker = Speaker(
            buffer=buffer,
            clock=clocks.Clock((estimator,), estimator.line, 0),
            reported=reported,
        )
        return regular.report(speaker.state, 0).ahead

    assert told(0, 300, None) == 20
    assert told(80_000, 1300, None) == 120
    assert told(0, 40_000, None) == 70
    assert told(0, 60_000_000, None) == 5000
    assert told(0, 40_000, 50) == 70, "slower at once"
    assert told(0, 40_000, 100) == 100, "a little faster is no news"
    assert told(0, 300, 100) == 20, "much faster is"
    assert told(80_000, 1300, 200) == 120, "also for a card, which is never much faster"
    assert Speaker().state.reported is None
    assert regular.report(Speaker().state, 0).ahead is None


def test_what_the_card_holds_is_told_as_soon_as_it_is_another_and_the_lead_follows() -> None:
    sample = clocks.Sample(0, 0, 1300)
    estimator = clocks.Estimator(SRC, (sample,) * clocks.READY, Line(SRC, 0, 0.0))
    clock = clocks.Clock((estimator,), estimator.line, 0)
    speaker = Speaker(buffer=82_000, clock=clock, connected=True)
    leads = []
    for buffer in (82_000, 262_000, 142_000, 82_000):
        speaker.take(f.Measured(Vitals(ahead=buffer)))
        told = [d.document for d in of(f.Publish, speaker.run(2))]
        (report,) = (one for one in told if isinstance(one, DeviceState))
        leads.append(millis_from_frames(lead((), ahead=report.ahead)))
    assert leads == [220, 400, 300, 220]
    speaker.take(f.Measured(Vitals()))
    assert speaker.state.buffer == 82_000


def test_changes_are_reported_once_and_debounced() -> None:
    plan = programme()
    speaker = joined(zone(plan), plan)

    def reports(deeds: list[f.Deed]) -> list[DeviceState]:
        return [d.document for d in of(f.Publish, deeds) if isinstance(d.document, DeviceState)]

    (first,) = reports(speaker.run(2))
    assert (first.applied, first.zone, first.programme) == ((1, 1), ZONE, plan.sha256())
    assert (first.clock, first.cache_24h, first.cache_72h) == ("synced", 100, 100)
    for rev in (2, 3, 4):
        speaker.hear(topics.DEVICE_ZONE, zone(plan, rev=rev, volume=rev))
    (second,) = reports(speaker.run(2))
    assert (second.applied, second.volume) == ((1, 4), 4)
    assert reports(speaker.run(5)) == []
    speaker.take(f.Disconnected("gone"))
    assert [r.clock for r in reports(speaker.run(60, 1))] == []
    speaker.take(f.Connected())
    assert [r.clock for r in reports(speaker.run(2))] == ["holdover"]


def test_the_roots_by_which_it_knows_its_servers_are_reported() -> None:
    speaker = joined(zone(programme()), programme())
    assert regular.report(speaker.state, 0).trust is None
    roots = sha256_hex(b"roots")
    speaker.take(f.Trusted(roots))
    assert regular.report(speaker.state, 0).trust == roots


def test_without_a_clock_music_plays_on_from_the_saved_frame_and_no_event_sounds() -> None:
    event = Event(id="e", start=T0 + 3 * FRAME_RATE, media=3)
    plan = programme(event)
    live = LiveEvent(id="live", start=T0 + 2 * FRAME_RATE, media=CALL)
    saved = T0 + FRAME_RATE
    speaker = Speaker(zone=zone(plan, live=(live,)), saved=saved, programmes={plan.sha256(): plan})
    assert of(f.Follow, speaker.run(2.9)) == []
    (follow,) = of(f.Follow, speaker.run(1))
    assert abs(follow.line.frame_at(speaker.now) - saved) < FRAME_RATE
    score = speaker.state.score
    assert score is not None
    assert score.settled is not None
    roles = {
        voice.role
        for piece in timeline.plan(score.settled, saved, saved + 5 * FRAME_RATE)
        for voice in piece.voices
    }
    assert roles == {"music"}
    speaker.sync()
    assert of(f.Follow, speaker.deeds)[-1].line.src == SRC
    score = speaker.state.score
    assert score is not None
    assert score.settled is not None
    piece = timeline.sounding_at(score.settled, T0 + 5 * FRAME_RATE // 2)
    assert [voice.item for voice in piece.voices] == ["live"]


def test_without_a_saved_frame_it_begins_where_the_document_does() -> None:
    plan = programme()
    speaker = Speaker(zone=zone(plan), programmes={plan.sha256(): plan})
    (follow,) = of(f.Follow, speaker.run(4))
    assert 0 <= follow.line.frame_at(3 * SECOND) - T0 < FRAME_RATE
    empty = Speaker(zone=zone())
    assert len(of(f.Follow, empty.run(4))) == 1
    assert of(f.Follow, Speaker().run(4)) == []


def test_whom_the_platform_lets_in_late_waits_for_its_clock_and_does_not_jump() -> None:
    plan = programme()
    speaker = Speaker()
    assert of(f.Follow, speaker.run(3 * state.GRACE / SECOND)) == []
    speaker.take(f.Connected())
    told = speaker.hear(topics.DEVICE_ZONE, zone(plan))
    told += speaker.run(0.5)
    assert of(f.Follow, told) == []
    speaker.sync()
    assert {follow.line.src for follow in of(f.Follow, speaker.deeds)} == {SRC}


# -- proof of play --------------------------------------------------------------------------------


def test_the_outbox_is_sent_batch_by_batch_and_again_until_it_is_acknowledged() -> None:
    speaker = Speaker(spooled=3)
    speaker.take(f.Connected())
    assert of(f.SendPlays, speaker.run(0.2)) == [f.SendPlays(0)]
    speaker.take(f.Sent(2))
    assert of(f.SendPlays, speaker.run(9)) == []
    assert of(f.SendPlays, speaker.run(2)) == [f.SendPlays(0)]
    speaker.take(f.Sent(2))
    deeds = speaker.hear(topics.EVENTS_ACK, EventsAck(log=LOG, n=2))
    assert of(f.Forget, deeds) == [f.Forget(2)]
    assert of(f.SendPlays, deeds) == [f.SendPlays(2)]
    speaker.take(f.Sent(3))
    deeds = speaker.hear(topics.EVENTS_ACK, EventsAck(log=LOG, n=3))
    assert of(f.SendPlays, deeds) == []
    assert of(f.SendPlays, speaker.run(30, 1)) == []
    speaker.take(f.Spooled(4))
    assert of(f.SendPlays, speaker.run(0.1)) == [f.SendPlays(3)]
    speaker.take(f.Sent(4), f.Spooled(5))
    assert of(f.SendPlays, speaker.run(1)) == []


@pytest.mark.parametrize(("log", "n"), [(OTHER, 1), (LOG, 4), (LOG, 0)])
def test_an_acknowledgement_that_is_not_ours_deletes_nothing(log: str, n: int) -> None:
    speaker = Speaker(spooled=3)
    assert of(f.Forget, speaker.hear(topics.EVENTS_ACK, EventsAck(log=log, n=n))) == []


def test_what_sounds_is_told_kept_and_logged() -> None:
    plan = programme()
    speaker = joined(zone(plan), plan)
    at = speaker.frame()
    deeds = speaker.take(sound("b", MUSIC[0], at))
    assert records(deeds) == [("started", "b", "")]
    (line,) = [deed.text for deed in of(f.Say, deeds)]
    assert line == f"zone {ZONE} plays 'one' by '' at frame {at}"
    (keep,) = of(f.Keep, deeds)
    assert [play.media.title for play in keep.open] == ["one"]
    speaker.now += 10 * SECOND
    deeds = speaker.take(sound("b", MUSIC[1], at + 10 * FRAME_RATE))
    assert records(deeds) == [("finished", "b", ""), ("started", "b", "")]
    assert of(f.Keep, deeds)[0].records[0].frames == 10 * FRAME_RATE
    keeps = of(f.Keep, speaker.run(11))
    assert keeps[-1].records == ()
    assert keeps[-1].open[0].played > 0
    assert Speaker().take(sound("b", MUSIC[0], at)) == []


def test_a_stand_in_and_what_was_missed_say_why() -> None:
    plan = programme()
    speaker = joined(zone(plan), plan)
    at = speaker.frame()
    lacks = f.Sound("music", "b", MUSIC[0], at, 0, 0, "not_held")
    stands_in = f.Sound("music", "b", MUSIC[1], at, 0, 0, "", stand_in=True)
    deeds = speaker.take(f.Sounding(at, (lacks, stands_in)))
    assert records(deeds) == [("started", "b", "evergreen")]
    deeds = speaker.take(sound("b", MUSIC[1], at + 10 * FRAME_RATE))
    assert sorted(records(deeds)) == [
        ("finished", "b", "evergreen"),
        ("missed", "b", "not_held"),
        ("started", "b", ""),
    ]
    (missed,) = [d for d in of(f.Say, deeds) if d.level == "warning"]
    assert missed.text.endswith("reason=not_held")


def events(*starts: int, **more: Any) -> tuple[Event, ...]:
    return tuple(
        Event.model_validate({"id": f"e{k}", "start": start, "media": 3, **more})
        for k, start in enumerate(starts)
    )


def test_events_that_passed_while_it_was_off_are_told_as_missed() -> None:
    at = T0 - 60 * FRAME_RATE
    plan = programme(*events(at + 5 * FRAME_RATE, at + 20 * FRAME_RATE), at=at)
    saved = at + 10 * FRAME_RATE
    speaker = joined(zone(plan), plan, saved=saved, checked=saved)
    assert records(speaker.run(11)) == [("missed", "e1", "off")]
    assert records(speaker.run(30)) == []


def test_events_that_passed_before_the_clock_was_trusted_are_told_as_missed() -> None:
    plan = programme(*events(T0 + FRAME_RATE))
    speaker = Speaker(
        zone=zone(plan), programmes={plan.sha256(): plan}, saved=T0 - 100, checked=T0 - 100
    )
    speaker.run(20)
    assert records(speaker.deeds) == []
    speaker.sync()
    assert records(speaker.run(11)) == [("missed", "e0", "no_clock")]


def test_events_that_a_stopped_zone_silenced_or_that_came_too_late_say_so() -> None:
    late = Event(
        id="late", start=T0 + 9 * FRAME_RATE // 2, media=3, late_by=FRAME_RATE, priority=10
    )
    first = Event(id="first", start=T0 + 4 * FRAME_RATE, media=3, priority=90)
    stopped = Event(id="stopped", start=T0 + 20 * FRAME_RATE, media=3)
    plan = programme(first, late, stopped)
    window = Window.model_validate({"from": T0 + 15 * FRAME_RATE, "until": T0 + 25 * FRAME_RATE})
    speaker = joined(zone(plan, stopped=window), plan)
    speaker.run(1)
    speaker.take(sound("first", CALL, T0 + 4 * FRAME_RATE))
    told = records(speaker.run(50))
    assert ("missed", "stopped", "stopped") in told
    assert ("missed", "late", "late") in told
    assert not [t for t in told if t[1] == "first" and t[0] == "missed"]


def test_an_announcement_that_arrives_when_it_is_over_was_not_delivered() -> None:
    plan = programme()
    speaker = joined(zone(plan), plan)
    speaker.run(30)
    live = LiveEvent(id="live", start=T0 + 10 * FRAME_RATE, media=CALL)
    speaker.hear(topics.DEVICE_ZONE, zone(plan, rev=2, live=(live,)))
    assert records(speaker.run(11)) == [("missed", "live", "not_delivered")]
    cancelled = live.model_copy(update={"id": "no", "end": T0 + 11 * FRAME_RATE})
    speaker.hear(topics.DEVICE_ZONE, zone(plan, rev=3, live=(live, cancelled)))
    assert records(speaker.run(11)) == []


def test_an_event_that_the_player_never_sounded_was_not_played() -> None:
    plan = programme(*events(T0 + 20 * FRAME_RATE))
    speaker = joined(zone(plan), plan)
    assert records(speaker.run(40)) == [("missed", "e0", "not_played")]


def test_a_moved_device_tells_nothing_of_the_past_of_its_new_zone() -> None:
    plan = programme(*events(T0 + FRAME_RATE))
    speaker = joined(zone(), plan)
    speaker.run(30)
    speaker.hear(topics.DEVICE_ZONE, zone(plan, rev=2, zone=OTHER))
    speaker.take(f.ProgrammeHeld(plan.sha256(), plan))
    assert records(speaker.run(30)) == []


def test_without_any_of_its_programmes_it_plays_what_it_knows() -> None:
    old, new = programme(), programme(music=(media("four"),))
    speaker = joined(zone(old), old)
    (greens,) = of(f.SaveEvergreens, speaker.deeds)[-1:]
    assert {m.title for m in greens.media} == {"one", "two", "three"}
    live = LiveEvent(id="live", start=speaker.frame() + FRAME_RATE, media=CALL)
    speaker.state = state.State(
        started=0,
        log=LOG,
        clock=speaker.state.clock,
        held=speaker.state.held,
        evergreens=greens.media,
    )
    deeds = speaker.hear(topics.DEVICE_ZONE, zone(new, rev=2, live=(live,)))
    score = of(f.Perform, deeds)[-1].score
    assert score.settled is not None
    pieces = timeline.plan(score.settled, speaker.frame(), speaker.frame() + 5 * FRAME_RATE)
    assert [[v.item for v in p.voices] for p in pieces][:3] == [
        ["evergreen"],
        ["live"],
        ["evergreen"],
    ]
    assert {m.sha256 for m in MUSIC} <= {m.sha256 for m in of(f.Want, deeds)[-1].media}
    deeds = speaker.take(f.ProgrammeHeld(new.sha256(), new))
    score = of(f.Perform, deeds)[-1].score
    assert score.settled is not None
    piece = timeline.sounding_at(score.settled, speaker.frame())
    assert [v.media.title for v in piece.voices] == ["four"]
    assert {m.title for m in score.evergreens} == {"one", "two", "three"}
    nothing = Speaker(evergreens=greens.media, held=speaker.state.held)
    nothing.sync()
    deeds = nothing.hear(topics.DEVICE_ZONE, zone())
    score = of(f.Perform, deeds)[-1].score
    assert score.settled is not None
    assert timeline.sounding_at(score.settled, nothing.frame()).voices == ()


def test_without_its_zone_it_plays_what_it_knows_until_it_is_told_one() -> None:
    plan = programme(*events(T0 + FRAME_RATE))
    speaker = joined(zone(plan), plan)
    (greens,) = of(f.SaveEvergreens, speaker.deeds)[-1:]
    held = speaker.state.held
    left: dict[str, Any]
    for left in ({"evergreens": greens.media}, {"programmes": {plan.sha256(): plan}}):
        lost = Speaker(held=held, **left)
        deeds = lost.run(2 * state.GRACE / SECOND)
        score = of(f.Perform, deeds)[-1].score
        assert score.settled is not None
        assert score.volume > 0
        assert len(of(f.Follow, deeds)) == 1
        pieces = timeline.plan(score.settled, T0, T0 + 60 * FRAME_RATE)
        assert {voice.item for piece in pieces for voice in piece.voices} == {"evergreen"}
        assert all(piece.voices for piece in pieces), "no moment without music"
        # whose plays these are nobody knows, nor what else is needed
        assert not lost.take(sound("evergreen", MUSIC[0], T0))
        assert not of(f.Want, lost.deeds)
        deeds = lost.hear(topics.DEVICE_ZONE, zone(plan))
        assert of(f.SaveZone, deeds)
        assert of(f.Want, deeds)
    never = Speaker(held=held)
    assert not of(f.Perform, never.run(2 * state.GRACE / SECOND))


# -- needs --------------------------------------------------------------------------------------


def test_needs_follow_programmes_blocks_anchors_and_the_emergency() -> None:
    first = Block(id="b", source="s", at=T0, items=(0,))
    second = Block(id="c", source="t", at=T0 + 100 * FRAME_RATE, items=(1,))
    old = Programme(media=MUSIC, blocks=(first, second))
    new = programme(*events(T0 + 2000 * FRAME_RATE, media=1), music=MUSIC[2:])
    refs = [
        ProgrammeRef.model_validate({"sha256": p.sha256(), "from": at})
        for p, at in ((old, 0), (new, T0 + 1000 * FRAME_RATE))
    ]
    document = zone(
        old,
        programmes=tuple(refs),
        emergency=Emergency(gen=1, active=False, start=0, media=media("alarm")),
    )
    both = {p.sha256(): p for p in (old, new)}
    found = {m.title: at - T0 for at, m in needs.needed(both, document, T0)}
    assert min(found, key=lambda title: found[title]) == "alarm"
    assert found["one"] == 0
    assert found["call"] == 2000 * FRAME_RATE
    assert found["two"] == 100 * FRAME_RATE
    assert found["three"] == 1000 * FRAME_RATE
    later = {m.title for _, m in needs.needed(both, document, T0 + 9000 * FRAME_RATE)}
    assert later == {"alarm", "three"}
    by_hand = document.model_copy(
        update={"anchor": Anchor(at=T0, block="c", pos=FRAME_RATE), "live": ()}
    )
    found = {m.title: at - T0 for at, m in needs.needed(both, by_hand, T0 + FRAME_RATE)}
    assert found["two"] == FRAME_RATE
    assert needs.needed({}, zone(), T0) == ()


def test_a_block_needs_only_what_it_has_time_for() -> None:
    short = Block(id="b", source="s", at=T0, items=(0, 1))
    after = Block(id="c", source="t", at=T0 + 5 * FRAME_RATE, items=(2,))
    plan = Programme(media=MUSIC, blocks=(short, after))
    found = [m.title for _, m in needs.needed({plan.sha256(): plan}, zone(plan), T0)]
    assert found == ["one", "three"]
    moved = zone(plan, anchor=Anchor(at=T0 + 6 * FRAME_RATE, block="c", pos=0))
    later = needs.needed({plan.sha256(): plan}, moved, T0 + 6 * FRAME_RATE)
    assert [m.title for _, m in later] == ["three"]


def test_the_disk_holds_what_a_person_sent_then_what_fills_in_then_what_comes_first() -> None:
    now = T0
    sent, green, soon, ahead, later = (media(n) for n in ("sent", "green", "soon", "ahead", "late"))
    wanted = ((0, sent), (now + 1, soon), (now + 2 * needs.HOUR, later))
    items = (PrefetchItem(sha256=ahead.sha256, bytes=ahead.bytes),)
    order = needs.order(wanted, Prefetch(epoch=1, rev=1, items=items), (green, soon), now)
    names = [m.sha256 for m in order]
    assert names == [m.sha256 for m in (sent, green, soon, ahead, later)]
    room = sent.bytes + green.bytes + soon.bytes
    assert needs.fitting(order, room) == (sent, green, soon)
    assert needs.fitting(order, room - 1) == (sent, green)


def test_another_plan_leaves_what_fills_in_until_its_own_tracks_are_here() -> None:
    old = programme()
    new = programme(music=tuple(media(f"new{n}") for n in range(30)))
    speaker = joined(zone(old), old)
    speaker.hear(topics.DEVICE_ZONE, zone(new, rev=2))
    speaker.take(f.ProgrammeHeld(new.sha256(), new))
    assert {m.title for m in speaker.state.evergreens} == {"one", "two", "three"}
    assert speaker.state.wanted is not None
    assert set(speaker.state.evergreens) <= set(speaker.state.wanted.media[:4]), "and not deleted"
    speaker.take(*(f.MediaHeld(m.sha256) for m in new.media))
    assert {m.title[:3] for m in speaker.state.evergreens} == {"new"}


@pytest.mark.parametrize(("tracks", "kept"), [(0.5, 1), (4, 1), (12, 3)])
def test_what_fills_in_takes_a_quarter_of_the_cache_or_is_one_track(
    tracks: float, kept: int
) -> None:
    plan = programme(music=tuple(media(f"t{n}") for n in range(9)))
    limit = round(tracks * plan.media[0].bytes)
    config = DeviceConfig(epoch=1, rev=1, cache_limit=limit)
    speaker = joined(zone(plan), plan, config=config)
    assert len(speaker.state.evergreens) == kept


def test_what_is_needed_within_the_hour_and_what_a_person_sent_are_named() -> None:
    plan = programme(music=(media("long", 2 * 3600), media("late", 2)))
    live = LiveEvent(id="live", start=T0 + FRAME_RATE, media=CALL)
    speaker = joined(zone(plan, live=(live,)), plan)
    wanted = speaker.state.wanted
    assert wanted is not None
    assert wanted.at_once == {CALL.sha256}
    assert wanted.soon == {CALL.sha256, plan.media[0].sha256}


def test_coverage_counts_what_is_needed_in_time() -> None:
    wanted = tuple((k * needs.HOUR, media(str(k))) for k in range(4))
    held = frozenset({wanted[0][1].sha256})
    assert needs.coverage(wanted, held, 2 * needs.HOUR) == 50
    assert needs.coverage(wanted, held, 4 * needs.HOUR) == 25
    assert needs.coverage((), held, 4 * needs.HOUR) == 100


def test_a_line_saved_in_this_boot_is_trusted_at_once() -> None:
    plan = programme()
    line = Line(SRC, 0, float(EPOCH))
    speaker = Speaker(
        zone=zone(plan),
        programmes={plan.sha256(): plan},
        clock=state.State(started=0, log=LOG).clock.__class__(line=line),
    )
    (follow,) = of(f.Follow, speaker.run(0.1))
    assert follow.line == line
    assert from_frame(T0, 0).src == ""
