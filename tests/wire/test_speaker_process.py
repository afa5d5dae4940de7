"""The speaker as a process, on a real broker: what sounds, what is told, what survives."""

import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from support.services import MosquittoServer
from support.speaker_lab import Lab, eventually, noise, open_lab, wav, zone_frame
from sync2gear_broker import topics
from sync2gear_broker.messages import (
    Command,
    DeviceState,
    DeviceStatus,
    Heartbeat,
    LiveEvent,
    PlayEvent,
    Reply,
)
from sync2gear_broker.units import FRAME_RATE


@pytest.fixture
def lab(mosquitto: MosquittoServer, tmp_path: Path) -> Iterator[Lab]:
    with open_lab(mosquitto, tmp_path) as opened:
        yield opened


def test_music_an_announcement_and_music_resumed_on_the_very_frame(lab: Lab) -> None:
    music, voice = noise(1, 30), noise(2, 1)
    track = lab.offer(wav(music), len(music), title="Noise", artist="Seed 1")
    call = lab.offer(wav(voice), len(voice), kind="announcement", title="Hello")
    zone = lab.publish_music((track,))
    process = lab.speak()
    eventually(lambda: "ready" in lab.log())
    start = zone_frame() + FRAME_RATE
    assert zone.anchor is not None
    live = LiveEvent(id="call", start=start, media=call)
    lab.publish_zone(programmes=zone.programmes, anchor=zone.anchor, live=(live,))
    eventually(lambda: lab.recorded_until(start + 3 * FRAME_RATE))
    process.terminate()
    assert process.wait(10) == 0

    at = start - zone.anchor.at
    before = lab.heard_at(start - 4800, 4800)
    assert np.array_equal(before, music[at - 4800 : at])
    during = lab.heard_at(start + 480, len(voice) - 480)
    assert np.array_equal(during, voice[480:])
    after = lab.heard_at(start + len(voice) + 480, 48000)
    assert np.array_equal(after, music[at + 480 : at + 48480])
    kinds = [(e.kind, e.item) for e in lab.plays()]
    assert kinds == [("started", "b1"), ("started", "call"), ("finished", "call")]
    said = lab.plays()
    assert said[1].at == start
    assert said[2].frames == len(voice)
    assert lab.said(topics.DEVICE_STATUS, DeviceStatus)[-1].state == "bye"
    state = lab.said(topics.DEVICE_STATE, DeviceState)[-1]
    assert state.applied == (1, 2)
    assert state.cache_24h == 100
    assert state.clock == "synced"


def test_kill_minus_nine_loses_and_doubles_no_play_and_the_recording_stays_readable(
    lab: Lab,
) -> None:
    short, rest = noise(3, 7), noise(4, 30)
    tracks = (lab.offer(wav(short), len(short)), lab.offer(wav(rest), len(rest)))
    zone = lab.publish_music(tracks, zone_frame() + FRAME_RATE)
    assert zone.anchor is not None
    process = lab.speak()
    eventually(lambda: "ready" in lab.log())
    eventually(lambda: lab.plays("started"))
    eventually(lambda: len(lab.recording()[0]) > FRAME_RATE // 4)
    process.kill()
    process.wait()
    assert len(lab.recording()[0]) > 0

    lab.answers_time = False
    process = lab.speak()
    eventually(lambda: len(lab.plays("started")) == 2, 20)
    border = zone.anchor.at + len(short)
    eventually(lambda: lab.recorded_until(border + FRAME_RATE))
    # within one boot of the machine the clock is held over: the position needs no server
    after = lab.heard_at(border, FRAME_RATE // 2)
    assert np.array_equal(after, rest[: FRAME_RATE // 2])
    assert (lab.folder / "heard.1.wav").exists()
    assert lab.said(topics.DEVICE_STATE, DeviceState)[-1].clock == "holdover"
    told = [(e.kind, e.media) for e in lab.plays()]
    a, b = (track.sha256 for track in tracks)
    assert told == [("started", a), ("finished", a), ("started", b)]
    assert 0 < lab.plays("finished")[0].frames <= len(short)
    numbers = [e.seq for e in lab.plays()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_without_any_server_and_after_a_reboot_music_plays_on_from_the_disk(lab: Lab) -> None:
    music = noise(5, 60)
    zone = lab.publish_music((lab.offer(wav(music), len(music)),))
    assert zone.anchor is not None
    process = lab.speak()
    eventually(lambda: "ready" in lab.log())
    process.terminate()
    process.wait(10)
    saved = (lab.folder / "data" / "clock.json").read_text()
    (lab.folder / "data" / "clock.json").write_text(saved.replace('"boot":"', '"boot":"other-'))
    credential = (lab.folder / "credential.json").read_text()
    (lab.folder / "credential.json").write_text(
        credential.replace(lab.broker.device_url, "mqtt://127.0.0.1:9")
    )
    played = zone_frame()
    lab.speak()
    eventually(lambda: (lab.folder / "heard.1.wav").exists() and lab.recorded_until(0))

    def sounding() -> bool:
        samples, about = lab.recording()
        start = about["first_frame"] - zone.anchor.at  # type: ignore[union-attr]  # it plays
        n = FRAME_RATE // 4
        return len(samples) > 2 * n and np.array_equal(
            samples[n : 2 * n], music[start + n : start + 2 * n]
        )

    eventually(sounding)
    _, about = lab.recording()
    # from the frame that was saved, a moment before; the zone clock is three seconds on by now
    assert about["first_frame"] < played + FRAME_RATE


def test_what_it_lacks_is_replaced_by_another_track_to_the_end_of_its_slot(lab: Lab) -> None:
    have, lack, then = noise(6, 3), noise(7, 3), noise(8, 30)
    a, b, c = (lab.offer(wav(n), len(n)) for n in (have, lack, then))
    del lab.shelf.bodies[f"/api/v1/media/{b.sha256}/"]
    lab.speak()
    eventually(lambda: "link.up" in lab.log(), 30)
    start = zone_frame() + 2 * FRAME_RATE
    lab.publish_music((a, b, c), start)
    eventually(lambda: lab.recorded_until(start + 8 * FRAME_RATE))
    slot = lab.heard_at(start + 3 * FRAME_RATE + 480, FRAME_RATE)
    assert any(np.array_equal(slot, n[480 : 480 + FRAME_RATE]) for n in (have, then))
    joined = lab.heard_at(start + 6 * FRAME_RATE + 480, FRAME_RATE)
    assert np.array_equal(joined, then[480 : 480 + FRAME_RATE])
    missed = eventually(lambda: lab.plays("missed"))
    assert [(e.media, e.reason, e.planned) for e in missed] == [
        (b.sha256, "not_held", start + 3 * FRAME_RATE)
    ]
    state = lab.said(topics.DEVICE_STATE, DeviceState)[-1]
    assert state.cache_24h == 66
    assert [fault.code for fault in state.faults] == ["fetch"]


def test_a_download_that_was_cut_goes_on_where_it_stopped(lab: Lab) -> None:
    music = noise(9, 20)
    data = wav(music)
    track = lab.offer(data, len(music))
    path = f"/api/v1/media/{track.sha256}/"
    lab.shelf.cut_once[path] = len(data) // 2
    lab.publish_music((track,))
    lab.speak()
    eventually(lambda: "ready" in lab.log())
    asked = [wanted for where, wanted in lab.shelf.requests if where == path]
    assert asked[0] is None
    assert asked[1] is not None
    assert 0 < int(asked[1].removeprefix("bytes=").removesuffix("-")) <= len(data) // 2
    assert len(asked) == 2


def test_a_file_that_rots_on_the_disk_is_fetched_again_before_it_is_heard(lab: Lab) -> None:
    music = noise(10, 30)
    track = lab.offer(wav(music), len(music))
    zone = lab.publish_music((track,))
    assert zone.anchor is not None
    process = lab.speak()
    eventually(lambda: "ready" in lab.log())
    process.terminate()
    process.wait(10)
    file = lab.folder / "data" / "media" / track.sha256
    rotten = bytearray(file.read_bytes())
    rotten[len(rotten) // 2] ^= 0x10
    file.write_bytes(rotten)
    fetched = len(lab.shelf.requests)
    lab.speak()
    eventually(lambda: lab.log().count("ready") == 2)
    assert len(lab.shelf.requests) == fetched + 1
    assert "cache.corrupt" in lab.log()
    assert file.read_bytes() == wav(music)


def test_hostile_documents_change_nothing(lab: Lab) -> None:
    music = noise(11, 30)
    zone = lab.publish_music((lab.offer(wav(music), len(music)),))
    process = lab.speak()
    eventually(lambda: "ready" in lab.log())
    for payload in (
        b"",
        b"\xff\xfe",
        b"{",
        b"[" * 60_000,
        b'{"v":1}',
        b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
        b"null",
        zone.model_copy(update={"rev": 0}).canonical(),
        zone.canonical().replace(b'"v":1', b'"v":2').replace(b'"rev":1', b'"rev":9'),
        b'{"pad":"' + b"x" * 20_000 + b'",' + zone.canonical()[1:].replace(b'"rev":1', b'"rev":8'),
    ):
        lab.send_raw(topics.DEVICE_ZONE, payload)
        lab.send_raw(topics.DEVICE_CONFIG, payload)
        lab.send_raw(topics.DEVICE_COMMAND, payload)
        lab.send_raw(topics.EVENTS_ACK, payload[:60_000])
        lab.send_raw(topics.TIME_REPLY, payload[:60_000])
    lab.send(topics.DEVICE_ZONE, zone.model_copy(update={"rev": 10, "volume": 50}))
    eventually(
        lambda: lab.said(topics.DEVICE_STATE, DeviceState)[-1].applied == (1, 10),
    )
    assert lab.said(topics.DEVICE_STATE, DeviceState)[-1].volume == 50
    assert process.poll() is None
    assert "Traceback" not in lab.log()


def test_commands_are_answered_once_and_not_after_their_time(lab: Lab) -> None:
    music = noise(12, 30)
    lab.publish_music((lab.offer(wav(music), len(music)),))
    lab.speak()
    eventually(lambda: "ready" in lab.log())
    now = time.time_ns() // 1_000_000
    orders = [
        Command(id=str(uuid4()), exp=now + 20_000, do="identify"),
        Command(id=str(uuid4()), exp=now - 1_000, do="identify"),
        Command(id=str(uuid4()), exp=now + 20_000, do="reboot"),
    ]
    for order in (*orders, orders[0]):
        lab.send(topics.DEVICE_COMMAND, order)
    replies = eventually(lambda: r if len(r := lab.said(topics.REPLY, Reply)) == 4 else None)
    assert [(r.id, r.ok, r.code) for r in replies] == [
        (orders[0].id, True, ""),
        (orders[1].id, False, "expired"),
        (orders[2].id, False, "unsupported"),
        (orders[0].id, True, ""),
    ]


def test_play_events_wait_on_the_disk_until_they_are_acknowledged(lab: Lab) -> None:
    tracks = tuple(lab.offer(wav(noise(n, 1)), FRAME_RATE) for n in (13, 14))
    lab.acknowledges = False
    lab.publish_music(tracks)
    process = lab.speak()
    eventually(lambda: len(lab.plays()) >= 1)
    process.terminate()
    process.wait(10)
    before = lab.plays()
    lab.events.clear()
    lab.acknowledges = True
    lab.speak()
    eventually(lambda: len(lab.plays()) > len(before))
    assert lab.plays()[: len(before)] == before
    numbers = [e.seq for e in lab.plays()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_broker_gone_and_back_music_never_stops(lab: Lab) -> None:
    music = noise(15, 60)
    zone = lab.publish_music((lab.offer(wav(music), len(music)),))
    assert zone.anchor is not None
    lab.speak()
    eventually(lambda: "ready" in lab.log())
    start = zone_frame()
    lab.broker.kill()
    lab.broker.start()
    eventually(lambda: lab.log().count("link.up") == 2, 20)
    lab.rev = 5
    end = zone_frame()
    eventually(lambda: lab.recorded_until(end))
    _, about = lab.recording()
    assert len(about["segments"]) == 1
    at = start - zone.anchor.at
    assert np.array_equal(lab.heard_at(start, end - start), music[at : at + end - start])


def test_a_card_that_is_not_there_is_told_and_tried_again(lab: Lab) -> None:
    process = lab.speak(S2G_SPEAKER_SINK="card", S2G_SPEAKER_CARD="no such card")

    def faults() -> list[str]:
        states = lab.said(topics.DEVICE_STATE, DeviceState)
        return [fault.code for fault in states[-1].faults] if states else []

    eventually(lambda: faults() == ["card"])
    eventually(lambda: lab.log().count("card.failed") > 1)
    assert process.poll() is None


def test_when_its_new_plan_cannot_be_had_it_plays_what_it_knows(lab: Lab) -> None:
    known, unknown = noise(16, 20), noise(17, 6)
    track = lab.offer(wav(known), len(known))
    lab.publish_music((track,))
    lab.speak()
    eventually(lambda: "ready" in lab.log())
    lab.shelf.status = 503
    lab.publish_music((lab.offer(wav(unknown), len(unknown)),))
    eventually(lambda: [e for e in lab.plays("started") if e.item == "evergreen"])
    assert lab.plays()[-1].media == track.sha256
    lab.shelf.status = None
    eventually(lambda: lab.plays("started")[-1].media != track.sha256, 20)
    assert lab.plays()[-1].item == "b1"


def test_it_tells_systemd_that_it_sounds_and_the_platform_how_it_is(lab: Lab) -> None:
    track = lab.offer(wav(noise(50, 30)), 30 * FRAME_RATE)
    lab.publish_music((track,))
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.settimeout(30)
    told.bind(str(lab.folder / "notify"))
    process = lab.speak(NOTIFY_SOCKET=str(lab.folder / "notify"))
    assert [told.recv(64) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    # the first is said at the start, or half a minute later if there was no connection yet
    beats = eventually(lambda: lab.said(topics.HEARTBEAT, Heartbeat), 60)
    process.terminate()
    while told.recv(64) != b"STOPPING=1":
        continue
    assert process.wait(10) == 0
    told.close()
    assert beats[0].underruns is not None
    assert beats[0].disk_free is not None


def test_a_disk_that_takes_nothing_stops_no_music(lab: Lab) -> None:
    tracks = tuple(lab.offer(wav(noise(n, 2)), 2 * FRAME_RATE) for n in (40, 41))
    lab.publish_music(tracks)
    process = lab.speak(S2G_SPEAKER_SINK="null")
    eventually(lambda: len(lab.plays("finished")) > 1)
    process.terminate()
    process.wait(10)
    outbox = (lab.folder / "data" / "spool.sqlite").read_bytes()
    before = set(lab.events)

    def fresh() -> list[PlayEvent]:
        return [event for key, event in list(lab.events.items()) if key not in before]

    # no file may grow by a byte, the outbox's least of all: as on a full or a read-only disk
    lab.speak(no_disk=True, S2G_SPEAKER_SINK="null")
    told = eventually(lambda: e if len(e := fresh()) > 4 else None, 30)
    assert len({log for log, _ in lab.events}) == 2, "an outbox in memory has a name of its own"
    assert {e.media for e in told} == {track.sha256 for track in tracks}
    eventually(lambda: lab.said(topics.DEVICE_STATE, DeviceState)[-1].faults)
    assert [f.code for f in lab.said(topics.DEVICE_STATE, DeviceState)[-1].faults] == ["disk"]
    zone = lab.publish_zone(volume=40, **lab.music)
    eventually(lambda: lab.said(topics.DEVICE_STATE, DeviceState)[-1].applied == zone.version)
    assert (lab.folder / "data" / "spool.sqlite").read_bytes() == outbox
    lab.processes[-1].terminate()
    assert lab.processes[-1].wait(10) == 0


def test_two_speakers_never_share_a_folder(lab: Lab) -> None:
    lab.speak()
    eventually(lambda: "link.up" in lab.log())
    second = lab.speak()
    assert second.wait(15) == 2
    assert "cannot start" in lab.log()


def test_a_wrong_setting_is_one_clear_line(lab: Lab) -> None:
    assert lab.speak(S2G_SPEAKER_FILE="", S2G_SPEAKER_SINK="loudspeaker").wait(15) == 2
    assert lab.speak(S2G_SPEAKER_FILE="").wait(15) == 2
    (lab.folder / "credential.json").write_text("{}")
    assert lab.speak().wait(15) == 2
    assert "Traceback" not in lab.log()


def kill_loop(lab: Lab, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    tracks = tuple(lab.offer(wav(noise(n, 1.5)), 3 * FRAME_RATE // 2) for n in (30, 31, 32))
    lab.publish_music(tracks)
    for _ in range(kills):
        lab.acknowledges = chance.random() < 0.7
        process = lab.speak()
        ready = lab.log().count("ready")
        eventually(lambda before=ready: lab.log().count("ready") > before)  # type: ignore[misc]  # bound now
        time.sleep(chance.uniform(0, 2))
        process.kill()
        process.wait()
    lab.acknowledges = True
    lab.speak()
    told = len(lab.plays())
    eventually(lambda: len(lab.plays()) > told + 2)
    events = lab.plays()
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert len({e.id for e in events}) == len(events)
    starts = [(e.media, e.planned) for e in events if e.kind == "started"]
    ends = [(e.media, e.planned) for e in events if e.kind == "finished"]
    assert len(set(starts)) == len(starts), "nothing is told twice"
    assert len(set(ends)) == len(ends)
    assert set(ends) <= set(starts)
    assert len(starts) - len(ends) <= 1, "only what sounds now is open"
    assert len({log for log, _ in lab.events}) == 1


def test_kills_at_random_moments_lose_and_double_nothing(lab: Lab) -> None:
    kill_loop(lab, 3, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(2, 5))
def test_many_kills_at_random_moments_lose_and_double_nothing(lab: Lab, seed: int) -> None:
    kill_loop(lab, 40, seed)
