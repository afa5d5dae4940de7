"""Playlists of other programs: written and read back, and nothing of a hostile one is followed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_platform.library.playlists import BadPlaylist, Entry, Format, read, write

LINE = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="\\/%?#"), max_size=20
).filter(lambda text: text != "-" and "://" not in text)
ENTRY = st.builds(
    Entry,
    filename=LINE.filter(bool),
    title=LINE.filter(bool),
    artist=LINE.filter(bool),
    seconds=st.integers(0, 100_000),
    sha256=st.one_of(st.just(""), st.text("0123456789abcdef", min_size=64, max_size=64)),
)


@pytest.mark.parametrize("kind", ["m3u8", "xspf"])
@given(entries=st.lists(ENTRY, max_size=8), name=LINE)
def test_what_is_written_is_read_back(kind: Format, entries: list[Entry], name: str) -> None:
    assert read(write(kind, name, entries).encode()) == entries


def test_playlists_of_others_are_read() -> None:
    data = (
        '\ufeff#EXTM3U\r\n#EXTINF:123 tvg-id="x",Sample artist - Sample title\r\n'
        "C:\\Music\\Sample.mp3\r\n\r\nhttp://example.test/Ex%20ample.ogg\r\n#EXTINF:-1,Only\r\na/b.mp3"
    )
    assert read(data.encode()) == [
        Entry("Sample.mp3", "Sample title", "Sample artist", 123),
        Entry("Ex ample.ogg"),
        Entry("b.mp3", "Only"),
    ]


HEAD = '<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>'


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe#EXTM3U",
        b"#EXTM3U\n\x00",
        b"<html></html>",
        b"<playlist",
        b'<!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><playlist>&b;</playlist>',
        b'<!DOCTYPE p SYSTEM "file:///etc/passwd"><playlist/>',
        (HEAD + "<a>" * 50).encode(),
        b"\n".join(b"x.mp3" for _ in range(10_001)),
        b"#" * ((4 << 20) + 1),
    ],
    ids=["not-utf8", "nul", "html", "cut", "entities", "external", "deep", "long", "large"],
)
def test_a_hostile_playlist_is_refused(data: bytes) -> None:
    with pytest.raises(BadPlaylist):
        read(data)


def test_xspf_of_others_is_read() -> None:
    data = HEAD + (
        "<track><location>file:///home/kim/Caf%C3%A9.flac</location><creator>Kim</creator>"
        "<title>Caf&#233;</title><duration>61500</duration><x><title>inner</title></x></track>"
        "</trackList></playlist>"
    )
    assert read(data.encode()) == [Entry("Café.flac", "Café", "Kim", 61)]
