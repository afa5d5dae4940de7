"""The speaker's downloads: what fits, what yields to what, how fast and when."""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from support.speaker_lab import Shelf, eventually, media_of, shelf_server
from sync2gear_broker import topics
from sync2gear_broker.messages import Media
from sync2gear_firmware import facts as f
from sync2gear_firmware.allowance import Allowance
from sync2gear_firmware.cache import Cache
from sync2gear_firmware.fetcher import Fetcher
from sync2gear_firmware.settings import Credential
from sync2gear_firmware.trust import Trust

SIZE = 100_000
MEGA = 1024 * 1024


class Disk(Cache):
    """A cache on a disk that has ``left`` bytes more than it seems; None: a real one."""

    left: int | None = None

    def free(self) -> int:
        return super().free() if self.left is None else self.left - self.size()


@dataclass
class Bench:
    """A fetcher with its disk and the shelf that it fetches from."""

    shelf: Shelf
    cache: Disk
    credential: Credential
    folder: Path
    told: list[f.Fact]
    fetcher: Fetcher | None = None

    def begin(self, **allowed: Any) -> Fetcher:
        trust = Trust(self.folder, self.credential, 0.0, time.time)
        self.fetcher = Fetcher(
            self.cache, self.credential, self.told.append, trust, Allowance(**allowed)
        )
        self.fetcher.start()
        return self.fetcher

    def offer(self, n: int, size: int = SIZE) -> Media:
        data = bytes([n]) * size
        media = media_of(data, 48_000)
        self.shelf.bodies[f"/api/v1/media/{media.sha256}/"] = data
        return media

    def asked(self, media: Media) -> int:
        return sum(media.sha256 in path for path, _ in self.shelf.requests)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    client, device = str(uuid4()), str(uuid4())
    shelf = Shelf(topics.username(client, device), "secret")
    with shelf_server(shelf) as url:
        credential = Credential(
            client=client, device=device, secret="secret", mqtt_url="mqtt://127.0.0.1:9",
            http_url=url,
        )  # fmt: skip
        made = Bench(shelf, Disk(tmp_path), credential, tmp_path, [])
        yield made
        if made.fetcher is not None:
            made.fetcher.stop()


def want(*media: Media, limit: int = 10**9, **more: Any) -> f.Want:
    return f.Want((), media, limit, "", **more)


def names(*media: Media) -> frozenset[str]:
    return frozenset(one.sha256 for one in media)


def test_only_what_fits_is_fetched_and_what_comes_sooner_takes_the_place_of_the_later(
    bench: Bench,
) -> None:
    a, b, c, d = (bench.offer(n) for n in range(4))
    fetcher = bench.begin()
    fetcher.want(want(a, b, c, d, limit=2 * SIZE))
    eventually(lambda: bench.cache.held() == names(a, b))
    # another hour: `d` is needed first now, `a` last
    fetcher.want(want(d, b, c, a, limit=2 * SIZE))
    eventually(lambda: bench.cache.held() == names(d, b))
    assert f.MediaGone(names(a)) in bench.told
    assert bench.asked(c) == 0
    fetcher.want(want(d, b, c, a, limit=SIZE))
    eventually(lambda: bench.cache.held() == names(d), 20)


def test_a_disk_that_runs_full_yields_what_is_needed_last_and_its_reserve_only_to_a_person(
    bench: Bench,
) -> None:
    a, b, c, d = (bench.offer(n, 8 * MEGA) for n in range(4))
    bench.cache.left = 64 * MEGA + 2 * 8 * MEGA
    fetcher = bench.begin()
    fetcher.want(want(a, b, c))
    eventually(lambda: bench.cache.held() == names(a, b))
    fetcher.want(want(c, a, b))
    eventually(lambda: bench.cache.held() == names(c, a))
    bench.cache.left = 64 * MEGA + 8 * MEGA
    fetcher.want(want(d, c, a, b, at_once=names(d), soon=names(d)))
    eventually(lambda: d.sha256 in bench.cache.held())
    bench.cache.left = 44 * MEGA
    fetcher.want(want(b, c, at_once=names(b), soon=names(b)))
    eventually(lambda: bench.cache.held() == names(b))
    fetcher.want(want(b, c))
    time.sleep(0.3)
    assert bench.asked(c) == 1, "music does not take of the reserve"


def test_outside_its_hours_only_what_is_needed_soon_is_fetched(bench: Bench) -> None:
    a, b, c = (bench.offer(n) for n in range(3))
    hour = [0.0]
    fetcher = bench.begin(hours=(60, 120), wall=lambda: hour[0])
    begin = time.mktime((2026, 6, 1, 1, 0, 0, 0, 0, -1))
    hour[0] = begin - 60
    fetcher.want(want(a, b, c, soon=names(b)))
    eventually(lambda: bench.cache.held() == names(b))
    fetcher.again()
    time.sleep(0.3)
    assert bench.cache.held() == names(b)
    hour[0] = begin
    fetcher.again()
    eventually(lambda: bench.cache.held() == names(a, b, c))


def test_a_download_keeps_to_its_rate_but_not_what_a_person_sent(bench: Bench) -> None:
    slow, sent = bench.offer(1, 3 * SIZE), bench.offer(2, 4 * MEGA)
    fetcher = bench.begin(rate=SIZE)
    began = time.monotonic()
    fetcher.want(want(slow))
    eventually(lambda: bench.cache.part(slow.sha256).exists())
    # it overtakes, and the other goes on where it was
    fetcher.want(want(sent, slow, at_once=names(sent)))
    eventually(lambda: sent.sha256 in bench.cache.held(), 30)
    assert slow.sha256 not in bench.cache.held()
    eventually(lambda: slow.sha256 in bench.cache.held(), 30)
    assert time.monotonic() - began >= 2.0
    assert bench.asked(slow) == 2
    assert [wanted for path, wanted in bench.shelf.requests if slow.sha256 in path][1] is not None


def test_a_file_left_whole_by_a_process_that_was_killed_is_taken_without_asking(
    bench: Bench,
) -> None:
    whole, torn = bench.offer(1), bench.offer(2)
    bench.cache.part(whole.sha256).write_bytes(bench.shelf.bodies[_path(whole)])
    bench.cache.part(torn.sha256).write_bytes(b"x" * SIZE)
    fetcher = bench.begin()
    fetcher.want(want(whole, torn))
    eventually(lambda: bench.cache.held() == names(whole, torn), 30)
    assert bench.asked(whole) == 0
    assert bench.asked(torn) == 1


def test_a_server_that_drips_is_given_up_and_asked_again_from_where_it_was(bench: Bench) -> None:
    """Of single bytes each is progress: without a least rate it would be waited for for ever."""
    dripping, next_one = bench.offer(1), bench.offer(2)
    bench.shelf.drip_once.add(_path(dripping))
    bench.begin(patience=1.0).want(want(dripping, next_one))
    eventually(lambda: bench.cache.held() == names(dripping, next_one), 30)
    ranges = [wanted for path, wanted in bench.shelf.requests if dripping.sha256 in path]
    first, again = ranges
    assert first is None
    assert again is not None
    assert 0 < int(again.removeprefix("bytes=").removesuffix("-")) < 1024
    told = [one for one in bench.told if isinstance(one, f.Trouble)]
    assert told[0] == f.Trouble("fetch", f"too_slow {dripping.sha256[:12]}")
    order = [one.sha256 for one in bench.told if isinstance(one, f.MediaHeld)]
    assert order == [next_one.sha256, dripping.sha256], "nothing else waits for it"


@contextmanager
def dripping_heads() -> Iterator[tuple[str, list[str]]]:
    """The address of a server whose answers never come to their body, and who came and left."""
    told: list[str] = []

    class Dripping(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            told.append("came")
            try:
                self.request.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while True:
                    self.request.sendall(b"x")
                    time.sleep(0.02)
            except OSError:
                told.append("left")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dripping) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", told
        server.shutdown()


def test_who_is_held_by_a_head_that_drips_lets_go_when_another_takes_its_place(
    bench: Bench,
) -> None:
    media = bench.offer(1)
    with dripping_heads() as (address, told):
        stuck = bench.begin()
        stuck.want(f.Want((), (media,), 10**9, address))
        eventually(lambda: "came" in told)
        stuck.abandon()
        bench.begin().want(want(media))
        eventually(lambda: bench.cache.held() == names(media))
        eventually(lambda: "left" in told)


def _path(media: Media) -> str:
    return f"/api/v1/media/{media.sha256}/"
