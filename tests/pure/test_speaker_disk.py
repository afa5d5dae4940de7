"""The speaker's disk: the outbox, the cache, and what a damaged file does to them."""

import json
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from support.speaker_lab import media_of
from sync2gear_broker.messages import Block, Media, PlayEvents, Programme, sha256_hex
from sync2gear_firmware.cache import Cache, FetchError, read_programme
from sync2gear_firmware.facts import Play, Record
from sync2gear_firmware.settings import Credential, read_credential
from sync2gear_firmware.spool import Spool, load, save, write

ZONE = "0" * 8 + "-0000-4000-8000-" + "0" * 12
TRACK = Media(sha256="a" * 64, bytes=10, frames=1000, title="x")


def record(n: int) -> Record:
    return Record("started", ZONE, f"item{n}", TRACK, 1000 + n, 1000 + n)


def play() -> Play:
    return Play("music", "b", TRACK, ZONE, 10, 0, 20, None, 5, 5)


def numbers(batch: tuple[bytes, int] | None) -> list[int]:
    return [] if batch is None else [event.seq for event in PlayEvents.parse(batch[0]).events]


def test_numbers_stay_gapless_over_restarts_and_deletions(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    spool = Spool(path)
    name = spool.log
    assert spool.keep([record(1), record(2)], (play(),), 77) == 2
    spool.forget(2)
    spool.close()
    spool = Spool(path)
    left = spool.left()
    assert (left.log, left.spooled, left.acked, left.frame) == (name, 2, 2, 77)
    assert left.open == (play(),)
    assert spool.keep([record(3)], (), 78) == 3
    assert numbers(spool.batch(0, 16384)) == [3]
    assert spool.left().acked == 2
    assert spool.batch(3, 16384) is None
    spool.close()


def test_a_batch_fits_its_topic_and_an_event_keeps_its_id(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite")
    spool.keep([record(n) for n in range(120)], (), 1)
    after, seen, ids = 0, [], []
    while (batch := spool.batch(after, 4096)) is not None:
        payload, after = batch
        assert len(payload) <= 4096
        seen += numbers(batch)
        ids += [event.id for event in PlayEvents.parse(payload).events]
    assert seen == list(range(1, 121))
    assert len(set(ids)) == 120
    again = spool.batch(0, 16384)
    assert again is not None
    assert len(numbers(again)) <= 50
    assert PlayEvents.parse(again[0]).events[0].id == ids[0]
    spool.close()


def test_a_damaged_outbox_is_put_aside_and_a_new_one_has_a_new_name(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    spool = Spool(path)
    spool.keep([record(n) for n in range(200)], (), 1)
    name = spool.log
    spool.close()
    path.write_bytes(b"not a database at all " * 100)
    spool = Spool(path)
    assert spool.log != name
    assert spool.left().spooled == 0
    assert len(list(tmp_path.glob("spool.sqlite.bad-*"))) == 1
    spool.close()


def test_an_event_that_cannot_be_read_is_put_aside_and_leaves_its_number(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    spool = Spool(path)
    nameless = replace(record(2), item="no key of ours, with blanks")
    assert spool.keep([record(1), nameless, *(record(n) for n in (3, 4, 5))], (), 1) == 5
    with sqlite3.connect(path) as db:
        db.execute("UPDATE events SET body = CAST(x'ff00' AS TEXT) WHERE seq = 3")
        db.execute("UPDATE events SET body = replace(body, '\"seq\":4', '\"seq\":9') WHERE seq = 4")
    db.close()
    for _ in range(2):
        batch = spool.batch(0, 16384)
        assert batch is not None
        payload, last = batch
        assert last == 5
        events = json.loads(payload)["events"]
        assert [event["seq"] for event in events] == [1, 2, 3, 4, 5]
        assert events[1:4] == [{"seq": 2}, {"seq": 3}, {"seq": 4}]
        assert events[0]["item"], "the others are whole"
    spool.close()
    with sqlite3.connect(path) as db:
        dead = db.execute("SELECT seq, body, why FROM dead ORDER BY seq").fetchall()
    db.close()
    assert [row[0] for row in dead] == [2, 3, 4]
    assert b"with blanks" in dead[0][1]
    assert all(row[2] for row in dead)


def test_an_outbox_that_cannot_be_opened_lies_in_memory_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    path.mkdir()
    spool = Spool(path)
    assert "open" in spool.why
    assert spool.keep([record(1), record(2)], (play(),), 5) == 2
    assert numbers(spool.batch(0, 16384)) == [1, 2]
    spool.forget(2)
    spool.close()
    assert [p.name for p in tmp_path.iterdir()] == ["spool.sqlite"], "nothing was moved aside"


def test_open_plays_that_cannot_be_read_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    spool = Spool(path)
    spool.keep([record(1)], (play(),), 1)
    spool.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = '[{}]' WHERE key = 'open'")
    db.close()
    spool = Spool(path)
    assert spool.left().open == ()
    assert spool.left().spooled == 1
    spool.close()


def test_a_document_is_read_back_and_a_torn_one_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "media.json"
    assert load(path, Media) is None
    save(path, TRACK)
    assert load(path, Media) == TRACK
    write(path, path.read_bytes()[:-5])
    assert load(path, Media) is None
    assert list(tmp_path.glob("*.tmp")) == []


def test_what_is_kept_twice_is_read_from_either(tmp_path: Path) -> None:
    path = tmp_path / "media.json"
    save(path, TRACK, twice=True)
    path.write_bytes(b"{")
    assert load(path, Media) == TRACK
    save(path, TRACK, twice=True)
    (tmp_path / "media.json.copy").unlink()
    assert load(path, Media) == TRACK
    path.unlink()
    assert load(path, Media) is None


def fill(cache: Cache, data: bytes) -> str:
    sha = sha256_hex(data)
    cache.part(sha).write_bytes(data)
    cache.adopt(sha)
    return sha


def test_the_longest_unused_goes_first_and_what_is_needed_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    shas = [fill(cache, bytes([n]) * 1000) for n in range(5)]
    for age, sha in enumerate(shas):
        os.utime(tmp_path / "media" / sha, (1000 + age, 1000 + age))
    assert cache.media(shas[1]) is not None
    gone = cache.evict(1000, 4000, keep=frozenset({shas[0]}))
    assert gone == {shas[2], shas[3]}
    assert cache.held() == {shas[0], shas[1], shas[4]}
    assert cache.size() == 3000
    assert Cache(tmp_path).held() == cache.held()
    assert cache.evict(10**9, 10, keep=cache.held()) == frozenset()
    # what nobody needs goes before what is needed, and of that the latest first
    order = [shas[1], shas[4]]
    assert cache.evict(1000, 3000, frozenset(), order) == {shas[0]}
    assert cache.evict(1000, 2000, frozenset(), order) == {shas[4]}


def test_what_is_not_what_its_name_says_never_becomes_a_file(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.part("a" * 64).write_bytes(b"other")
    with pytest.raises(FetchError, match="hash_mismatch"):
        cache.adopt("a" * 64)
    assert list((tmp_path / "media").iterdir()) == []
    sha = fill(cache, b"good")
    (tmp_path / "media" / sha).write_bytes(b"evil")
    assert Cache(tmp_path).media(sha) is None
    assert list((tmp_path / "media").iterdir()) == []
    assert cache.media("b" * 64) is None


def test_a_file_that_vanished_is_not_held(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    sha = fill(cache, b"good")
    (tmp_path / "media" / sha).unlink()
    assert cache.media(sha) is None
    assert cache.held() == frozenset()


def test_half_fetched_files_that_nobody_wants_are_swept(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for sha in ("a" * 64, "b" * 64):
        cache.part(sha).write_bytes(b"x")
    cache.sweep(frozenset({"a" * 64}))
    assert cache.part("a" * 64).exists()
    assert not cache.part("b" * 64).exists()


def test_programmes_are_checked_by_content(tmp_path: Path) -> None:
    media = media_of(b"x", 100)
    programme = Programme(media=(media,), blocks=(Block(id="b", source="s", at=1, items=(0,)),))
    cache = Cache(tmp_path)
    sha = programme.sha256()
    assert cache.programme(sha) is None
    cache.put_programme(sha, programme.canonical(), frozenset())
    assert cache.programme(sha) == programme
    with pytest.raises(FetchError, match="hash_mismatch"):
        read_programme("a" * 64, programme.canonical())
    nonsense = b'{"v":1}'
    with pytest.raises(FetchError, match="invalid_programme"):
        read_programme(sha256_hex(nonsense), nonsense)
    (tmp_path / "programmes" / f"{sha}.json").write_bytes(b"{}")
    assert cache.programme(sha) is None
    assert list((tmp_path / "programmes").iterdir()) == []
    cache.put_programme(sha, programme.canonical(), frozenset())
    other = Programme(media=(media,), blocks=(Block(id="c", source="s", at=1, items=(0,)),))
    cache.put_programme(other.sha256(), other.canonical(), frozenset())
    assert cache.programme(sha) is None


@pytest.mark.parametrize(
    "change",
    [
        {"client": "../etc"},
        {"mqtt_url": "http://x"},
        {"mqtt_url": "mqtt://"},
        {"http_url": "file:///etc/passwd"},
        {"secret": None},
    ],
)
def test_a_credential_that_makes_no_sense_is_refused(
    tmp_path: Path, change: dict[str, object]
) -> None:
    good = {
        "client": ZONE,
        "device": ZONE,
        "secret": "s",
        "mqtt_url": "mqtt://127.0.0.1:1",
        "http_url": "http://127.0.0.1:2/",
    }
    credential = Credential.model_validate(good)
    assert credential.username == f"{ZONE}/{ZONE}"
    assert credential.http_url == "http://127.0.0.1:2"
    path = tmp_path / "credential.json"
    path.write_text(credential.model_dump_json())
    assert read_credential(path) == credential
    with pytest.raises(ValueError, match="validation error"):
        Credential.model_validate({**good, **change})
