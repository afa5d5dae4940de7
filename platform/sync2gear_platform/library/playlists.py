"""Playlists as other programs know them: M3U8 (RFC 8216's extended M3U, UTF-8) and XSPF 1.

Read ones come from strangers: sizes are bounded, XML with a document type is refused, and names in
them are only compared with, never opened.
"""

import xml.parsers.expat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final, Literal
from urllib.parse import quote, unquote, urlsplit
from xml.sax.saxutils import escape

from sync2gear_platform.kit.errors import Refusal

MAX_LINES: Final = 10_000
MAX_BYTES: Final = 4 << 20
MAX_TEXT: Final = 1000

Format = Literal["m3u8", "xspf"]
MEDIA_TYPES: Final[dict[Format, str]] = {
    "m3u8": "application/vnd.apple.mpegurl",
    "xspf": "application/xspf+xml",
}
_DIGEST: Final = "urn:sha256:"
_XSPF: Final = "http://xspf.org/ns/0/"


class BadPlaylist(Refusal):
    """This is no playlist that can be read: send M3U8 in UTF-8 or XSPF without a document type."""

    code = "bad_playlist"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a playlist: whatever of it is known; ``seconds`` 0 where it does not say."""

    filename: str = ""
    title: str = ""
    artist: str = ""
    seconds: int = 0
    sha256: str = ""


def write(kind: Format, name: str, entries: Iterable[Entry]) -> str:
    """A playlist of ``entries`` that is called ``name``."""
    return _write_m3u8(name, entries) if kind == "m3u8" else _write_xspf(name, entries)


def read(data: bytes) -> list[Entry]:
    """The entries of a playlist of either kind; raises :class:`BadPlaylist`."""
    if len(data) > MAX_BYTES:
        raise BadPlaylist(f"A playlist has at most {MAX_BYTES} bytes.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadPlaylist from error
    if text.lstrip().startswith("<"):
        return _read_xspf(data)
    if "\0" in text:
        raise BadPlaylist
    return _read_m3u8(text)


def _write_m3u8(name: str, entries: Iterable[Entry]) -> str:
    lines = ["#EXTM3U", f"#PLAYLIST:{_line(name)}"]
    for entry in entries:
        shown = " - ".join(part for part in (entry.artist, entry.title) if part)
        if entry.sha256:
            lines.append(f"#EXT-SHA256:{entry.sha256}")
        lines.append(f"#EXTINF:{entry.seconds or -1},{_line(shown)}")
        # A name that begins like a comment would be one.
        lines.append(f"./{_line(entry.filename)}" if entry.filename[:1] == "#" else
                     _line(entry.filename) or "-")  # fmt: skip
    return "\n".join(lines) + "\n"


def _line(text: str) -> str:
    return " ".join(text.split())


def _read_m3u8(text: str) -> list[Entry]:
    entries: list[Entry] = []
    digest, seconds, shown = "", 0, ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("#EXT-SHA256:"):
            digest = line.partition(":")[2].strip()
        elif line.startswith("#EXTINF:"):
            length, _, shown = line.partition(":")[2].partition(",")
            seconds = _seconds(length)
        elif line and not line.startswith("#"):
            artist, dash, title = shown.partition(" - ")
            entries.append(
                _entry(line, title if dash else shown, artist if dash else "", seconds, digest)
            )
            digest, seconds, shown = "", 0, ""
            _bound(entries)
    return entries


def _seconds(text: str) -> int:
    """Whole seconds at the beginning of an EXTINF, whose attributes may follow."""
    number = text.split()[0].partition(".")[0] if text.split() else ""
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0


def _entry(location: str, title: str, artist: str, seconds: int, digest: str) -> Entry:
    lower = digest.lower()
    known = len(lower) == 64 and all(c in "0123456789abcdef" for c in lower)
    return Entry(
        filename=_name_of(location)[:MAX_TEXT],
        title=title.strip()[:MAX_TEXT],
        artist=artist.strip()[:MAX_TEXT],
        seconds=seconds,
        sha256=lower if known else "",
    )


def _name_of(location: str) -> str:
    """The file's own name in a path of either kind, or in an address."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return location
    if parts.scheme in {"http", "https", "file"}:
        location = unquote(parts.path)
    name = PureWindowsPath(location).name if "\\" in location else PurePosixPath(location).name
    return "" if name == "-" else name


def _bound(entries: Sequence[Entry]) -> None:
    if len(entries) > MAX_LINES:
        raise BadPlaylist(f"A playlist has at most {MAX_LINES} lines.")


def _write_xspf(name: str, entries: Iterable[Entry]) -> str:
    def tag(label: str, text: str) -> str:
        return f"<{label}>{escape(_clean(text))}</{label}>" if text else ""

    tracks = "\n".join(
        "    <track>"
        + tag("location", quote(entry.filename))
        + tag("identifier", f"{_DIGEST}{entry.sha256}" if entry.sha256 else "")
        + tag("title", entry.title)
        + tag("creator", entry.artist)
        + tag("duration", str(entry.seconds * 1000) if entry.seconds else "")
        + "</track>"
        for entry in entries
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<playlist version="1" xmlns="{_XSPF}">\n'
        f"  {tag('title', name)}\n  <trackList>\n{tracks}\n  </trackList>\n</playlist>\n"
    )


def _clean(text: str) -> str:
    """What XML may hold of ``text``."""
    return "".join(c for c in text if c in "\t\n" or (c >= " " and not 0xFFFE <= ord(c) <= 0xFFFF))


@dataclass
class _Reader:
    """What of an XSPF has been read so far."""

    entries: list[Entry] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)

    def begin(self, label: str, _: dict[str, str]) -> None:
        name = label.rpartition(" ")[2]
        if not self.path and label != f"{_XSPF} playlist":
            raise BadPlaylist
        self.path.append(name)
        if len(self.path) > 20:
            raise BadPlaylist
        if name == "track":
            self.told = {}

    def text(self, data: str) -> None:
        if self.path[:3] == ["playlist", "trackList", "track"] and len(self.path) == 4:
            said = self.told.get(self.path[3], "")
            self.told[self.path[3]] = (said + data)[:MAX_TEXT]

    def end(self, _: str) -> None:
        name = self.path.pop()
        if name == "track" and self.path == ["playlist", "trackList"]:
            told = {label: text.strip() for label, text in self.told.items()}
            location = told.get("location", "")
            self.entries.append(
                _entry(
                    location if "://" in location else unquote(location),
                    told.get("title", ""),
                    told.get("creator", ""),
                    _seconds(told.get("duration", "")) // 1000,
                    told.get("identifier", "").removeprefix(_DIGEST),
                )
            )
            _bound(self.entries)


def _read_xspf(data: bytes) -> list[Entry]:
    reader = _Reader()
    parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(data, True)
    except (xml.parsers.expat.ExpatError, ValueError) as error:
        raise BadPlaylist from error
    return reader.entries


def _refuse_doctype(*_: object) -> None:
    raise BadPlaylist
