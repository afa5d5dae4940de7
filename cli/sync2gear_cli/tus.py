"""Sending a file so that a bad line costs time and never a byte twice: tus 1.0, and what was begun.

Our own, since the client that there is (tuspy) brings another HTTP library, cannot renew a session
and knows nothing of what an earlier call had begun.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2

from sync2gear_cli import session
from sync2gear_cli.client import Api
from sync2gear_cli.failures import UNREACHABLE, Failure
from sync2gear_cli.services.process import write_file

MUSIC: Final = "/music/uploads/"
ANNOUNCEMENTS: Final = "/announcements/uploads/"
CHUNK: Final = 1 << 18
PATIENCE_SECONDS: Final = 120.0
"""How long nothing may get through before a file is given up for now."""

_PAUSES: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_VERSION: Final = {"Tus-Resumable": "1.0.0"}
_GONE: Final = frozenset({404, 410})
_AGAIN: Final = frozenset({408, 409, 423, 429, 460, 502, 503, 504})
_KEPT: Final = 5000
"""Uploads that are remembered; the oldest make place."""

Progress = Callable[[int], None]
"""Called with how many bytes of the file are on the other side."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to send, as it is now: another time or length is another file.

    ``told`` is said of it beside its name, such as the folder, and ``place`` takes it.
    """

    path: Path
    size: int
    changed: int
    told: tuple[tuple[str, str], ...] = ()
    place: str = MUSIC

    @classmethod
    def of(cls, path: Path, told: Mapping[str, str], place: str = MUSIC) -> "Source":
        """The file at ``path``; raises ``OSError``."""
        found = path.stat()
        return cls(path, found.st_size, found.st_mtime_ns, tuple(sorted(told.items())), place)

    def key(self, url: str) -> str:
        """What it is remembered by."""
        told = " ".join(f"{name}={value}" for name, value in self.told if value)
        return f"{url} {self.place} {told} {self.size} {self.changed} {self.path.resolve()}"


class Memory:
    """Where the uploads are that were begun: a file beside the sessions."""

    def __init__(self) -> None:
        self._path = session.sessions_file().with_name("uploads.json")
        try:
            found = json.loads(self._path.read_text())
        except (OSError, ValueError):
            found = {}
        self._places: dict[str, str] = found if isinstance(found, dict) else {}

    def get(self, key: str) -> str | None:
        """The address of an upload that was begun."""
        place = self._places.get(key)
        return place if isinstance(place, str) and place.startswith("/api/") else None

    def put(self, key: str, place: str | None) -> None:
        """Remember it, or forget it (``None``)."""
        self._places.pop(key, None)
        if place is not None:
            self._places[key] = place
        kept = dict(list(self._places.items())[-_KEPT:])
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_file(self._path, json.dumps(kept), 0o600)


def send(api: Api, memory: Memory, source: Source, progress: Progress) -> str:
    """Send a file, going on where an earlier call or a broken line stopped; the upload's id.

    Raises :class:`Failure` where the platform refuses it, or nothing gets through for long.
    """
    key = source.key(api.connection.url)
    place = memory.get(key)
    line = _Line(api)
    while True:
        offset = line.offset(place) if place else None
        if place is None or offset is None:
            place, offset = line.begin(source), 0
            memory.put(key, place)
        while offset is not None and offset < source.size:
            progress(offset)
            offset = line.send(place, source, offset, progress)
        if offset is not None:
            memory.put(key, None)
            progress(source.size)
            return place.strip("/").rpartition("/")[2]
        place = None  # it expired meanwhile: from the beginning


class Patience:
    """How long a line that breaks is tried again, at growing intervals."""

    def __init__(self) -> None:
        self.got_through()

    def got_through(self) -> None:
        """Something arrived: the time starts anew."""
        self._tries, self._since = 0, time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether nothing got through for :data:`PATIENCE_SECONDS`."""
        return time.monotonic() - self._since > PATIENCE_SECONDS

    def pause(self, answer: httpx2.Response | None) -> None:
        """Wait before the next try, as ``answer`` asks; :class:`Failure` once it is over."""
        if self.is_over:
            raise Failure(
                "nothing gets through any more: try again later", "unreachable", UNREACHABLE
            )
        given = "" if answer is None else answer.headers.get("Retry-After", "")
        pause = _PAUSES[min(self._tries, len(_PAUSES) - 1)]
        time.sleep(min(float(given), 30.0) if given.isdigit() else pause)
        self._tries += 1


class _Line:
    """One file's way over a line that may break."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._patience = Patience()

    def begin(self, source: Source) -> str:
        """A new upload's address."""
        told = {"filename": source.path.name, **dict(source.told)}
        headers = {"Upload-Length": str(source.size), "Upload-Metadata": metadata(told)}
        return str(self._patiently("POST", f"/api/v1{source.place}", headers).headers["Location"])

    def offset(self, place: str) -> int | None:
        """How much is there; ``None`` where the upload is no more."""
        answer = self._patiently("HEAD", place, {})
        return None if answer.status_code in _GONE else int(answer.headers["Upload-Offset"])

    def send(self, place: str, source: Source, offset: int, progress: Progress) -> int | None:
        """Send from ``offset`` on; how much is there afterwards."""
        headers = {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
            "Content-Length": str(source.size - offset),
        }
        try:
            body = read(source, offset, source.size - offset, progress)
            answer = self._once("PATCH", place, headers, body)
        except Failure as failure:
            if failure.status != UNREACHABLE:
                raise
            answer = None
        if answer is not None and answer.is_success:
            self._patience.got_through()
            return int(answer.headers["Upload-Offset"])
        if answer is not None and answer.status_code not in _AGAIN | _GONE:
            self._api.refuse(answer)
        self._patience.pause(answer)
        now = self.offset(place)
        if now is not None and now > offset:
            self._patience.got_through()
        return now

    def _patiently(self, method: str, path: str, headers: dict[str, str]) -> httpx2.Response:
        while True:
            try:
                answer = self._once(method, path, headers)
            except Failure as failure:
                if failure.status != UNREACHABLE or self._patience.is_over:
                    raise
                self._patience.pause(None)
                continue
            if answer.is_success or (method == "HEAD" and answer.status_code in _GONE):
                return answer
            busy = answer.status_code in {429, 502, 503, 504}
            if not busy or self._patience.is_over:
                self._api.refuse(answer)
            self._patience.pause(answer)

    def _once(
        self, method: str, path: str, headers: dict[str, str], body: Any = None
    ) -> httpx2.Response:
        answer = self._api.exchange(method, path, {**_VERSION, **headers}, body)
        if answer.status_code == httpx2.codes.UNAUTHORIZED and self._api.renew(refused=True):
            if body is not None:
                return httpx2.Response(409)  # what was sent of the body is gone: ask, and go on
            answer = self._api.exchange(method, path, {**_VERSION, **headers}, None)
        return answer


def metadata(values: dict[str, str]) -> str:
    """``Upload-Metadata``; what is empty is left out."""
    encoded = (
        (key, base64.b64encode(value.encode("utf-8", "surrogateescape")).decode())
        for key, value in values.items()
        if value
    )
    return ",".join(f"{key} {value}" for key, value in encoded)


def read(source: Source, offset: int, size: int, progress: Progress) -> Iterator[bytes]:
    """``size`` bytes of a file from ``offset`` on; :class:`Failure` where it has fewer by now."""
    end = offset + size
    with source.path.open("rb") as file:
        file.seek(offset)
        left = size
        while left > 0:
            piece = file.read(min(CHUNK, left))
            if not piece:
                raise Failure(f"{source.path.name} became shorter while it was sent", "changed")
            left -= len(piece)
            yield piece
            progress(end - left)
