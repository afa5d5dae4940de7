"""Files of a speaker that rotted while it was off: it boots to sound without any server."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.services import MosquittoServer
from support.speaker_lab import Lab, eventually, noise, open_lab, wav
from sync2gear_broker.messages import DeviceConfig
from sync2gear_broker.topics import DEVICE_CONFIG


def gone(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def rotten(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for n in range(0, len(data), 7):
        data[n] ^= 0x5A
    path.write_bytes(data)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = (gone, emptied, torn, rotten, a_folder)
DOCUMENTS = ("zone.json", "config.json", "clock.json", "evergreens.json", "spool.sqlite")


@pytest.fixture(scope="module")
def lab(mosquitto: MosquittoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A speaker that has played and is off; no server of its own answers any more."""
    with open_lab(mosquitto, tmp_path_factory.mktemp("damaged")) as lab:
        tracks = tuple(lab.offer(wav(noise(n, 20)), 20 * 48_000) for n in (90, 91, 92))
        lab.publish_music(tracks)
        lab.send(DEVICE_CONFIG, DeviceConfig(epoch=1, rev=1, volume_max=60))
        process = lab.speak()
        eventually(lambda: "ready" in lab.log() and "config.applied" in lab.log(), 30)
        eventually(lambda: len(list((lab.folder / "data" / "media").glob("*"))) == 3)
        eventually(lambda: lab.plays("started"))
        process.terminate()
        assert process.wait(10) == 0
        credential = lab.folder / "credential.json"
        text = credential.read_text().replace(lab.broker.device_url, "mqtt://127.0.0.1:9")
        credential.write_text(text.replace('"http_url": "http', '"http_url": "http://127.0.0.1:9/'))
        shutil.copytree(lab.folder / "data", lab.folder / "whole")
        yield lab


def boots(lab: Lab, damage: Callable[[Path], None]) -> float:
    """Start it on a copy of its disk after ``damage``; the loudest sample of what it plays."""
    data = lab.folder / "data"
    shutil.rmtree(data)
    shutil.copytree(lab.folder / "whole", data)
    damage(data)
    for old in lab.folder.glob("heard*"):
        old.unlink()
    process = lab.speak()

    def sounds() -> bool:
        try:
            return bool(lab.recording()[0][-4800:].any()) and len(lab.recording()[0]) > 24_000
        except (FileNotFoundError, EOFError):
            return False

    try:
        eventually(sounds, 20)
        assert process.poll() is None
        return float(abs(lab.recording()[0][12_000:].astype(int)).max())
    finally:
        process.kill()
        process.wait()


def to(document: str, damage: Callable[[Path], None]) -> Callable[[Path], None]:
    """``damage`` to one document of a speaker's folder."""
    return lambda data: damage(data / document)


def whole(lab: Lab) -> float:
    return boots(lab, lambda _: None)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_whatever_became_of_one_file_it_boots_to_sound(lab: Lab, document: str) -> None:
    loud = whole(lab)
    for damage in DAMAGES:
        heard = boots(lab, to(document, damage))
        assert heard == pytest.approx(loud, rel=0.05), f"{damage.__name__}: as loud as it was set"


def test_whatever_became_of_its_programme_and_a_track_it_boots_to_sound(lab: Lab) -> None:
    def programme(damage: Callable[[Path], None]) -> Callable[[Path], None]:
        def do(data: Path) -> None:
            for one in (data / "programmes").iterdir():
                damage(one)

        return do

    def tracks(damage: Callable[[Path], None]) -> Callable[[Path], None]:
        def do(data: Path) -> None:
            for one in sorted((data / "media").iterdir())[:2]:
                damage(one)

        return do

    for damage in DAMAGES:
        assert boots(lab, programme(damage)) > 0
        assert boots(lab, tracks(damage)) > 0


def zone_lost(data: Path, damage: Callable[[Path], None]) -> None:
    damage(data / "zone.json")
    damage(data / "zone.json.copy")


def test_whatever_became_of_both_copies_of_its_zone_it_boots_to_its_evergreens(lab: Lab) -> None:
    """Also where the list of those is gone: any programme that is left names some."""
    for damage in DAMAGES:
        said = lab.log().count("zone.lost")
        assert boots(lab, lambda data, damage=damage: zone_lost(data, damage)) > 0
        assert lab.log().count("zone.lost") == said + 1

    def greens_too(data: Path) -> None:
        zone_lost(data, rotten)
        rotten(data / "evergreens.json")

    assert boots(lab, greens_too) > 0
    assert "Traceback" not in lab.log()


def test_where_nothing_says_any_more_what_its_media_is_it_waits_for_the_platform(lab: Lab) -> None:
    """The limit: zone, evergreens and programmes, all of them."""
    said = lab.log().count("disk.unreadable")

    def all_of_it(data: Path) -> None:
        zone_lost(data, rotten)
        rotten(data / "evergreens.json")
        shutil.rmtree(data / "programmes")

    with pytest.raises(AssertionError, match="nothing within"):
        boots(lab, all_of_it)
    assert lab.log().count("disk.unreadable") >= said + 3
    assert "Traceback" not in lab.log()
