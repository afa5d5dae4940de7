"""The journey of the product: music in two zones, an announcement, and every server killed once."""

import asyncio
import csv
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import httpx2
import numpy as np
import psycopg
import pytest

from support.hearing import (
    RATE,
    Mono,
    Recording,
    decode,
    locate,
    noise_tune,
    recording,
    silent_stretches,
)
from support.stack import Stack, wait_until
from sync2gear_platform.kit.clock import Clock, frames_of
from sync2gear_platform.kit.db import Database
from sync2gear_platform.playback import rules
from sync2gear_platform.proof import rounds

pytestmark = pytest.mark.timeout(300)

TRACKS = 3
SECONDS = 25.0
FADE = rules.FADE_MILLIS * RATE // 1000
LOOK = RATE  # samples of a needle: one second is nowhere like another
SETTLE = 30.0  # within which everything must agree again after a kill


def write_flac(path: Path, seed: int) -> None:
    """A tagged track of noise that cross-correlation finds to the frame."""
    samples = noise_tune(seed, SECONDS)
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="stereo")
        container.metadata.update({"title": f"Tune {seed}", "artist": "The Testers"})
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of real audio files: ``S2G_MUSIC``, or noise that is nowhere like itself."""
    if given := os.environ.get("S2G_MUSIC"):
        return Path(given)
    path = tmp_path_factory.mktemp("music")
    for seed in range(TRACKS):
        write_flac(path / f"{seed}.flac", seed)
    return path


@pytest.fixture(scope="module")
def music(folder: Path) -> dict[str, Mono]:
    """The tracks of the folder: name -> samples."""
    return {path.name: decode(path) for path in sorted(folder.iterdir()) if path.is_file()}


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[Stack]:
    """Everything runs, and every speaker has begun a track."""
    running = Stack.start(music=folder, sinks=("file", "file", "file"))
    try:
        with running.http() as http:
            wait_until(
                lambda: len({e["device_id"] for e in events(http, "started")}) == 3,
                "all three speakers play",
            )
        yield running
    except BaseException as error:
        error.add_note(running.logs())
        raise
    finally:
        running.stop()


def events(http: httpx2.Client, kind: str = "", media_kind: str = "") -> list[dict[str, Any]]:
    """The proof of play so far, oldest first."""
    found: list[dict[str, Any]] = []
    path: str | None = "/api/v1/playback/events/?page_size=200"
    while path:
        page = http.get(path).raise_for_status().json()
        found += page["results"]
        path = page["next"]
    return [
        e
        for e in sorted(found, key=lambda e: e["at_frame"])
        if kind in ("", e["kind"]) and media_kind in ("", e["media_kind"])
    ]


def zone_of(stack: Stack, index: int) -> dict[str, str]:
    return stack.zones[index]


def speakers_of(stack: Stack, zone: dict[str, str]) -> list[str]:
    return [s["name"] for s in stack.speakers if s["zone"] in (zone["id"], zone["name"])]


def where(heard: Mono, music: dict[str, Mono]) -> tuple[str, int, float]:
    """Which track a second of sound is from, and at which of its frames it begins."""
    found = {title: locate(heard, samples) for title, samples in music.items()}
    title = max(found, key=lambda t: found[t][1])
    return title, *found[title]


def view(http: httpx2.Client, zone: dict[str, str]) -> dict[str, Any]:
    answer = http.get("/api/v1/playback/state/", params={"zone_id": zone["id"]})
    result: dict[str, Any] = answer.raise_for_status().json()["results"][0]
    return result


def recorded(stack: Stack, name: str, until: int) -> Recording:
    """What a speaker played, once its file reaches zone frame ``until``."""
    path = stack.played(name)
    wait_until(lambda: recording(path).end >= until, f"{name} has written up to {until}", 20)
    return recording(path)


def now_frames() -> int:
    return time.time_ns() * 48 // 1_000_000


def test_an_announcement_interrupts_and_music_resumes_on_the_frame(
    stack: Stack, music: dict[str, Mono]
) -> None:
    shop, cafe = zone_of(stack, 0), zone_of(stack, 1)
    with stack.http() as http:
        # Between two tracks the position could not be read off one of them: keep clear of edges.
        def inside() -> bool:
            segment = view(http, shop)["segments"][0]
            played, left = segment["offset"], segment["duration"] - segment["offset"]
            return bool(played > 3 * RATE and left > 8 * RATE)

        wait_until(inside, "the middle of a track", 40)
        said = http.post(
            "/api/v1/announcements/say/",
            json={"text": "A red car is blocking the gate.", "zone_ids": [shop["id"]]},
        )
        assert said.status_code == 202, said.text
        play = said.json()["plays"][0]
        names = speakers_of(stack, shop)
        done = wait_until(
            lambda: (
                len(
                    e := [
                        x
                        for x in events(http, "finished", "announcement")
                        if x["item"] == play["event_id"]
                    ]
                )
                == len(names)
                and e
            ),
            "both speakers of the zone have said it",
        )
    start, frames = play["start_frame"], done[0]["frames"]
    assert {e["planned_frame"] for e in done} == {start}
    end = start + frames
    tapes = [recorded(stack, name, end + 2 * LOOK) for name in names]
    for tape in tapes:
        # How much a fade takes away depends on what it takes it from: look beside both.
        before = where(tape.cut(start - FADE - LOOK, start - FADE), music)
        after = where(tape.cut(end + FADE, end + FADE + LOOK), music)
        assert min(before[2], after[2]) > 0.98, (before, after)
        assert after[0] == before[0], "the same track goes on"
        assert after[1] == before[1] + LOOK + 2 * FADE, "on the very frame"
        assert where(tape.cut(start, start + LOOK), music)[2] < 0.3, "no music under the voice"
        assert np.abs(tape.cut(start, end)).max() > 0.01, "there is a voice"
    a, b = tapes
    assert np.array_equal(a.cut(start - RATE, end + RATE), b.cut(start - RATE, end + RATE)), (
        "both speakers of the zone play the same samples at the same frames"
    )
    other = recorded(stack, speakers_of(stack, cafe)[0], end)
    title, offset, likeness = where(other.cut(start, start + LOOK), music)
    assert likeness > 0.98, f"the other zone plays on: {title} at {offset}"


def test_an_announcement_that_was_never_played_lies_on_the_speakers_and_starts_at_once(
    stack: Stack,
) -> None:
    shop = zone_of(stack, 0)
    names = speakers_of(stack, shop)

    def lead(http: httpx2.Client, announcement: str) -> tuple[float, dict[str, Any]]:
        called = now_frames()
        answer = http.post(
            f"/api/v1/announcements/{announcement}/play-instant/", json={"zone_ids": [shop["id"]]}
        )
        play: dict[str, Any] = answer.raise_for_status().json()["plays"][0]
        ended = wait_until(
            lambda: (
                len(
                    told := [
                        e
                        for e in events(http, media_kind="announcement")
                        if e["item"] == play["event_id"] and e["kind"] == "finished"
                    ]
                )
                == len(names)
                and told
            ),
            "every speaker of the zone has said it",
        )
        assert {e["planned_frame"] for e in ended} == {play["start_frame"]}
        return (play["start_frame"] - called) / 48, play

    def make(http: httpx2.Client, text: str, **more: Any) -> dict[str, Any]:
        answer = http.post("/api/v1/announcements/tts/", json={"text": text, **more})
        made: dict[str, Any] = answer.raise_for_status().json()
        return made

    with stack.http() as http, psycopg.connect(stack.postgres.superuser_url) as connection:
        held = make(http, "Nobody has ever heard this.")
        lacked = make(http, "Nor has anybody heard that.", prefetch=False)

        def reported() -> bool:
            with connection.transaction():
                found = connection.execute(
                    "SELECT count(*) FROM device_presence WHERE state->'prefetched' ? %s",
                    (held["sha256"][:12],),
                ).fetchone()
            return found is not None and found[0] == len(stack.speakers)

        wait_until(reported, "every speaker holds it", SETTLE)
        small, play = lead(http, held["id"])
        large, _ = lead(http, lacked["id"])
    assert large - small > 300, (small, large)
    start = play["start_frame"]
    for name in names:
        tape = recorded(stack, name, start + RATE)
        assert np.abs(tape.cut(start, start + RATE)).max() > 0.01, "it is heard"


def test_play_pause_volume_and_next_reach_the_speakers(stack: Stack) -> None:
    cafe = zone_of(stack, 1)
    name = speakers_of(stack, cafe)[0]
    with stack.http() as http:
        http.post("/api/v1/playback/pause/", json={"zone_id": cafe["id"]}).raise_for_status()
        assert view(http, cafe)["status"] == "paused"
        quiet_from = now_frames() + RATE
        tape = recorded(stack, name, quiet_from + RATE)
        assert np.abs(tape.cut(quiet_from, quiet_from + RATE)).max() < 1e-4
        http.post("/api/v1/playback/resume/", json={"zone_id": cafe["id"]}).raise_for_status()
        loud_from = now_frames() + RATE
        tape = recorded(stack, name, loud_from + RATE)
        before = float(np.abs(tape.cut(loud_from, loud_from + RATE)).mean())
        assert before > 0.001
        body = {"zone_id": cafe["id"], "volume": 10}
        http.post("/api/v1/playback/volume/", json=body).raise_for_status()
        soft_from = now_frames() + RATE
        tape = recorded(stack, name, soft_from + RATE)
        assert float(np.abs(tape.cut(soft_from, soft_from + RATE)).mean()) < before / 2
        title = view(http, cafe)["music"]["title"]
        http.post("/api/v1/playback/next/", json={"zone_id": cafe["id"]}).raise_for_status()
        assert wait_until(lambda: view(http, cafe)["music"]["title"] != title, "another track", 5)
        body = {"zone_id": cafe["id"], "volume": 70}
        http.post("/api/v1/playback/volume/", json=body).raise_for_status()


def applied(http: httpx2.Client) -> dict[str, tuple[int, int] | None]:
    """Speaker -> the version that it reports to have applied."""
    devices = http.get("/api/v1/devices/").raise_for_status().json()["results"]
    return {d["name"]: tuple(d["applied"]) if d["applied"] else None for d in devices}


def agree(stack: Stack, volume: int) -> None:
    """A command takes effect on every speaker: the system is whole."""
    wait_until(stack.answers, "the api answers", SETTLE)
    with stack.http() as http:
        ids = [z["id"] for z in stack.zones]

        def told() -> dict[str, Any] | None:
            try:
                answer = http.post(
                    "/api/v1/playback/volume/", json={"zone_ids": ids, "volume": volume}
                )
            except httpx2.HTTPError:
                return None
            return answer.json() if answer.is_success else None

        results = wait_until(told, "the command is taken", SETTLE)["results"]
        want = {r["zone_id"]: (r["epoch"], r["rev"]) for r in results}
        names = {z["id"]: z["name"] for z in stack.zones}
        wait_until(
            lambda: all(
                applied(http)[s["name"]] == want[zone]
                for zone in want
                for s in stack.speakers
                if s["zone"] in (zone, names[zone])
            ),
            f"every speaker has applied volume {volume}",
            SETTLE,
        )


VICTIMS = ["broker", "broker without its store", "api", "worker", "database", "speaker"]


@pytest.mark.parametrize("victim", VICTIMS)
def test_nothing_falls_silent_when_a_server_is_killed(
    stack: Stack, victim: str, music: dict[str, Mono]
) -> None:
    speaker = stack.speakers[0]["name"]
    killed_at = now_frames()
    match victim:
        case "broker" | "broker without its store":
            stack.mosquitto.kill()
            if "store" in victim:
                stack.mosquitto.store.unlink(missing_ok=True)
            time.sleep(2)
            stack.mosquitto.start()
        case "database":
            stack.postgres.kill()
            time.sleep(2)
            stack.postgres.start()
        case "speaker":
            stack[speaker].kill()
            stack.played(speaker).replace(stack.played(speaker).with_suffix(".before"))
            time.sleep(1)
            stack[speaker].start()
        case _:
            stack[victim].kill()
            time.sleep(2)
            stack[victim].start()
    agree(stack, 71 + VICTIMS.index(victim))
    back_at = now_frames()
    for one in stack.speakers:
        if victim == "speaker" and one["name"] == speaker:
            # Its own file begins anew; the music in it is where the zone clock says.
            mine = recorded(stack, speaker, back_at + 3 * RATE)
            other = recorded(stack, stack.speakers[1]["name"], back_at + 3 * RATE)
            at = max(mine.first, back_at) + RATE
            assert (
                where(mine.cut(at, at + LOOK), music)[:2]
                == where(other.cut(at, at + LOOK), music)[:2]
            )
            continue
        tape = recorded(stack, one["name"], back_at)
        heard = tape.cut(max(killed_at, tape.first), back_at)
        assert silent_stretches(heard, RATE // 2) == [], f"{one['name']} fell silent"


async def reckon(url: str) -> None:
    """Work out the proof of play as in half an hour, when nobody may tell otherwise any more."""
    ahead = timedelta(minutes=30) // timedelta(microseconds=1) * 1000
    db = Database(url, pool_size=2)
    try:
        await rounds.reckon_all(db, Clock(wall_ns=lambda: time.time_ns() + ahead))
    finally:
        await db.close()


def at_frame(moment: str) -> int:
    return frames_of(datetime.fromisoformat(moment))


def check_proof(stack: Stack, music: dict[str, Mono]) -> None:
    """What a speaker's file holds of music and calls, and no other, was played then, and why."""
    shop = zone_of(stack, 0)
    name = speakers_of(stack, shop)[1]  # the one that was never killed: its file is whole
    asyncio.run(reckon(stack.postgres.app_url))
    with stack.http() as http:

        def proof(kind: str) -> list[dict[str, Any]]:
            asked = {"zone": shop["id"], "kind": kind, "ordering": "planned_at", "page_size": 200}
            answer = http.get("/api/v1/proof/", params=asked)
            found: list[dict[str, Any]] = answer.raise_for_status().json()["results"]
            return [line for line in found if line["began_at"] is not None]

        calls, songs = proof("announcement"), proof("music")
        told = {e["item"]: e for e in events(http, "started", "announcement")}
        assert len(calls) == 3
        for call in calls:
            mine = told.pop(call["item"])
            assert (at_frame(call["planned_at"]), call["source"]) == (mine["planned_frame"], "call")
            assert abs(at_frame(call["began_at"]) - mine["planned_frame"]) < RATE
            assert call["outcome"] == "played"
            assert call["heard_by"] == call["speakers"] == len(speakers_of(stack, shop))
            why = http.get(f"/api/v1/plays/{call['id']}/why/").raise_for_status().json()
            assert (why["source"], why["announcement"]["id"]) == ("call", call["announcement_id"])
        span = {"from": calls[0]["planned_at"], "to": datetime.now(UTC).isoformat()}
        export = http.get("/api/v1/proof/export/", params={**span, "zone": shop["id"]})
    rows = {row["id"]: row for row in csv.DictReader(export.raise_for_status().text.splitlines())}
    called = [at_frame(call["began_at"]) for call in calls]
    undisturbed = [
        song
        for song in songs
        if song["planned_at"] > calls[0]["planned_at"]  # everything had started by then
        and not any(0 <= one - at_frame(song["began_at"]) < 3 * RATE for one in called)
    ]
    assert undisturbed or "S2G_MUSIC" in os.environ, "strangers' songs may last longer than this"
    for song in undisturbed:
        tape = recorded(stack, name, at_frame(song["began_at"]) + 3 * RATE)
        began = at_frame(song["began_at"])
        title, offset, likeness = where(tape.cut(began + RATE, began + RATE + LOOK), music)
        assert likeness > 0.98, song
        assert not song["title"].startswith("Tune") or song["title"][5:] == Path(title).stem, song
        assert abs(offset - RATE - (began - at_frame(song["planned_at"]))) <= 48, song
    for line in (*calls, *undisturbed):
        row = rows[line["id"]]
        same = ("planned_at", "began_at", "outcome", "source", "title", "heard_millis", "item")
        assert {key: row[key] for key in same} == {key: str(line[key]) for key in same}


def test_no_play_event_is_lost_or_doubled(stack: Stack, music: dict[str, Mono]) -> None:
    """After all those kills: what speakers made equals what is stored, by number and by ear."""
    made: dict[str, int] = {}

    def drained() -> bool:
        made.clear()
        for one in stack.speakers:
            log, last, waiting = outbox(Path(stack[one["name"]].env["S2G_SPEAKER_DATA_DIR"]))
            if waiting:
                return False
            made[log] = last
        return True

    wait_until(drained, "every outbox is empty", SETTLE, every=0.02)
    with psycopg.connect(stack.postgres.superuser_url) as connection:
        rows = connection.execute(
            "SELECT log::text, count(*), count(DISTINCT seq), max(seq), count(DISTINCT id)"
            " FROM play_events GROUP BY log"
        ).fetchall()
    stored = {log: (count, distinct, last, ids) for log, count, distinct, last, ids in rows}
    assert sum(made.values()) > 10
    for log, last in made.items():
        assert stored[log][0] == stored[log][1] == stored[log][2] == stored[log][3]
        assert stored[log][2] >= last
    check_proof(stack, music)


def outbox(data_dir: Path) -> tuple[str, int, int]:
    """``(log, last number made, how many wait)`` of a speaker's outbox."""
    path = next(p for p in data_dir.rglob("*") if p.suffix in {".db", ".sqlite", ".sqlite3"})
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as db:
        meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
        waiting = db.execute("SELECT count(*) FROM events").fetchone()[0]
    return meta["log"], int(meta.get("last", 0)), int(waiting)
