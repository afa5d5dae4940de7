"""A part of the speaker that stands still: it is given up, and another goes on."""

import os
import socket
from pathlib import Path

import pytest

from support.speaker_lab import eventually, media_of, noise, wav
from sync2gear_firmware import supervisor
from sync2gear_firmware.decoder import Pool
from sync2gear_firmware.supervisor import Part, Supervisor


def test_a_file_over_which_the_decoder_stands_is_given_up_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    sounds = noise(1, 1), noise(2, 1)
    stuck, fine = (media_of(wav(n), len(n)) for n in sounds)
    os.mkfifo(tmp_path / stuck.sha256)  # whoever opens it waits for somebody who writes
    (tmp_path / fine.sha256).write_bytes(wav(sounds[1]))
    broken: list[tuple[str, str]] = []
    pool = Pool(lambda sha: tmp_path / sha, lambda sha, why: broken.append((sha, why)))
    pool.want([(stuck, 0), (fine, 0)])
    pool.start()
    eventually(lambda: pool._busy == stuck.sha256)
    pool.renew()
    eventually(lambda: pool.has(fine, 0))
    assert broken == [(stuck.sha256, "takes for ever")]
    (tmp_path / stuck.sha256).open("wb").close()  # let the first one go
    pool.stop()


def test_whatever_a_file_does_to_the_decoder_the_others_go_on(tmp_path: Path) -> None:
    sound = noise(2, 1)
    bad, fine = media_of(b"x", 48_000), media_of(wav(sound), len(sound))
    (tmp_path / fine.sha256).write_bytes(wav(sound))

    def find(sha256: str) -> Path:
        if sha256 == bad.sha256:
            raise MemoryError("a bug")
        return tmp_path / sha256

    broken: list[str] = []
    pool = Pool(find, lambda sha, _: broken.append(sha))
    pool.want([(bad, 0), (fine, 0)])
    while pool.fill():
        assert len(broken) <= 1
    assert pool.has(fine, 0)
    assert broken == [bad.sha256]


def test_the_watchdog_is_fed_only_while_it_renders_and_what_stands_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "EVERY", 0.0)
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(str(tmp_path / "notify"))
    told.setblocking(False)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    rounds, renewed = [0], []
    watched = Supervisor(
        {"a": Part(lambda: 1, 0, lambda: renewed.append("a"))}, lambda: rounds[0]
    )  # fmt: skip
    for _ in range(3):
        assert watched.look()
    assert told.recv(64) == b"WATCHDOG=1"
    with pytest.raises(BlockingIOError):
        told.recv(64)
    assert renewed == ["a", "a"]
    rounds[0] = 1
    watched.look()
    assert told.recv(64) == b"WATCHDOG=1"
    told.close()
    watched.look()  # with nobody there it only says so
