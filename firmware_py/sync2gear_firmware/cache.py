"""Media and programmes by SHA-256 on this disk: fetched resumably, checked, kept within a limit."""

import hashlib
import logging
import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx2
from pydantic import ValidationError

from sync2gear_broker.messages import Media, Programme
from sync2gear_firmware.facts import Fact, MediaGone, MediaHeld, ProgrammeHeld, Trouble, Want
from sync2gear_firmware.settings import Credential
from sync2gear_firmware.spool import sync_folder

log = logging.getLogger(__name__)

MAX_PROGRAMME: Final = 32 * 1024 * 1024
MAX_MEDIA: Final = 2 * 1024**3
_TIMEOUT: Final = httpx2.Timeout(10.0, read=20.0)
_BACKOFF: Final = (1.0, 60.0)
_CHUNK: Final = 64 * 1024
_RESERVE: Final = 64 * 1024 * 1024


class FetchError(Exception):
    """A download did not give what was asked for; the message is a stable code."""


class Interrupted(Exception):  # noqa: N818 - not an error: something more urgent is wanted
    """A download gives way to a more urgent one and keeps what it has."""


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Cache:
    """The files of one speaker under ``folder``; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._media = folder / "media"
        self._programmes = folder / "programmes"
        for path in (self._media, self._programmes):
            path.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._checked: set[str] = set()
        self._sizes = {p.name: p.stat().st_size for p in self._media.iterdir() if _is_sha(p.name)}

    def held(self) -> frozenset[str]:
        """The media that is whole on the disk (its content is checked before it is first used)."""
        with self._lock:
            return frozenset(self._sizes)

    def size(self) -> int:
        """Bytes of media on the disk."""
        with self._lock:
            return sum(self._sizes.values())

    def free(self) -> int:
        """Bytes free on the disk."""
        return shutil.disk_usage(self._media).free

    def sweep(self, wanted: frozenset[str]) -> None:
        """Delete what was fetched in part and is not wanted any more."""
        for part in self._media.glob("*.part"):
            if part.stem not in wanted:
                part.unlink()

    def media(self, sha256: str) -> Path | None:
        """The checked file of a media, or None; a corrupt one is deleted."""
        path = self._media / sha256
        with self._lock:
            if sha256 not in self._sizes:
                return None
            checked = sha256 in self._checked
        try:
            if not checked and digest(path) != sha256:
                log.warning("cache.corrupt media=%s", sha256)
                self.drop(sha256)
                return None
            os.utime(path)
        except OSError as error:
            log.warning("cache.unreadable media=%s error=%r", sha256, str(error))
            self.drop(sha256)
            return None
        with self._lock:
            self._checked.add(sha256)
        return path

    def drop(self, sha256: str) -> None:
        """Delete a media."""
        with self._lock:
            self._sizes.pop(sha256, None)
            self._checked.discard(sha256)
        (self._media / sha256).unlink(missing_ok=True)

    def part(self, sha256: str) -> Path:
        """Where a media grows while it is fetched."""
        return self._media / f"{sha256}.part"

    def adopt(self, sha256: str) -> None:
        """Make a fetched part the media; ``FetchError``, and no part, if it is another."""
        part = self.part(sha256)
        if digest(part) != sha256:
            part.unlink()
            raise FetchError("hash_mismatch")
        part.replace(self._media / sha256)
        sync_folder(self._media)
        with self._lock:
            self._sizes[sha256] = (self._media / sha256).stat().st_size
            self._checked.add(sha256)

    def evict(self, room: int, limit: int, keep: frozenset[str]) -> frozenset[str]:
        """Delete the longest unused media, but for ``keep``, until ``room`` bytes fit in."""
        gone: set[str] = set()
        with self._lock:
            sizes = dict(self._sizes)
        used = sum(sizes.values())
        rest = sorted(sizes.keys() - keep, key=lambda s: _mtime(self._media / s))
        for sha in rest:
            if used + room <= limit:
                break
            self.drop(sha)
            used -= sizes[sha]
            gone.add(sha)
        return frozenset(gone)

    def programme(self, sha256: str) -> Programme | None:
        """A programme from the disk, or None; a corrupt one is deleted."""
        path = self._programmes / f"{sha256}.json"
        try:
            data = path.read_bytes()
            return read_programme(sha256, data)
        except FileNotFoundError:
            return None
        except (OSError, FetchError) as error:
            log.warning("cache.corrupt programme=%s error=%r", sha256, str(error))
            path.unlink(missing_ok=True)
            return None

    def put_programme(self, sha256: str, data: bytes, keep: frozenset[str]) -> None:
        """Keep a programme's bytes, and delete those that are not in ``keep``."""
        path = self._programmes / f"{sha256}.json"
        temp = path.with_suffix(".part")
        with temp.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temp.replace(path)
        for other in self._programmes.iterdir():
            if other.stem not in keep | {sha256}:
                other.unlink()
        sync_folder(self._programmes)


def read_programme(sha256: str, data: bytes) -> Programme:
    """The programme in ``data``; ``FetchError`` if it is not the one named ``sha256``."""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise FetchError("hash_mismatch")
    try:
        return Programme.parse(data)
    except (ValidationError, RecursionError) as error:
        raise FetchError("invalid_programme") from error


def _is_sha(name: str) -> bool:
    return len(name) == 64 and set(name) <= set("0123456789abcdef")


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


@dataclass(slots=True)
class _Retry:
    """When one hash may be asked for again."""

    at: float = 0.0
    delay: float = _BACKOFF[0]


class Fetcher:
    """One thread that makes the disk hold what is wanted, most urgent first."""

    def __init__(self, cache: Cache, credential: Credential, tell: Callable[[Fact], None]) -> None:
        self._cache = cache
        self._credential = credential
        self._tell = tell
        self._want = Want()
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._retry: dict[str, _Retry] = {}
        self._got: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="fetch", daemon=True)

    def start(self) -> None:
        """Begin; nothing is fetched before something is wanted."""
        self._thread.start()

    def want(self, want: Want) -> None:
        """What should be on the disk from now on."""
        self._want = want
        self._changed.set()

    def online(self) -> None:
        """The network is back: try again at once what failed for want of it."""
        self._retry.clear()
        self._changed.set()

    def again(self) -> None:
        """Something is missing again, or may be had again: look at once."""
        self._changed.set()

    def stop(self) -> None:
        """End the thread; what it has of a file stays for the next time."""
        self._stop.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        with httpx2.Client(
            auth=(self._credential.username, self._credential.secret),
            timeout=_TIMEOUT,
            follow_redirects=True,
            headers={"Accept-Encoding": "gzip"},
        ) as http:
            while not self._stop.is_set():
                self._changed.clear()
                try:
                    wait = self._turn(http)
                except Exception:
                    log.exception("fetch.bug")
                    wait = _BACKOFF[1]
                if wait is not None:
                    self._changed.wait(wait)

    def _turn(self, http: httpx2.Client) -> float | None:
        """Fetch the most urgent missing thing; None after a success, else how long to wait."""
        soonest = _BACKOFF[1]
        for name, fetch in self._missing(self._want):
            retry = self._retry.setdefault(name, _Retry())
            if (wait := retry.at - time.monotonic()) > 0:
                soonest = min(soonest, wait)
                continue
            try:
                fetch(http)
            except Interrupted:
                return None
            except (httpx2.HTTPError, FetchError, OSError) as error:
                code = str(error) if isinstance(error, FetchError) else type(error).__name__
                log.warning("fetch.failed sha256=%s code=%s retry_in=%.0f", name, code, retry.delay)
                self._tell(Trouble("fetch", f"{code} {name[:12]}"))
                retry.at = time.monotonic() + retry.delay * random.uniform(0.7, 1.3)  # noqa: S311 - jitter
                retry.delay = min(2 * retry.delay, _BACKOFF[1])
                return 0.0
            self._retry.pop(name, None)
            if not any(True for _ in self._missing(self._want)):
                self._tell(Trouble("fetch", None))
            return None
        self._cache.sweep(frozenset(media.sha256 for media in self._want.media))
        return soonest

    def _missing(self, want: Want) -> Iterator[tuple[str, Callable[[httpx2.Client], None]]]:
        for sha in want.programmes:
            if sha not in self._got:
                yield sha, lambda http, s=sha: self._programme(http, s, want)  # type: ignore[misc]
        held = self._cache.held()
        total = 0
        for media in want.media:
            total += media.bytes
            if media.sha256 not in held and total <= want.limit and media.bytes <= MAX_MEDIA:
                yield media.sha256, lambda http, m=media: self._media(http, m, want)  # type: ignore[misc]

    def _url(self, want: Want, kind: str, sha256: str) -> str:
        return f"{want.base_url.rstrip('/') or self._credential.http_url}/api/v1/{kind}/{sha256}/"

    def _programme(self, http: httpx2.Client, sha256: str, want: Want) -> None:
        programme = self._cache.programme(sha256)
        if programme is None:
            data = bytearray()
            with http.stream("GET", self._url(want, "programmes", sha256)) as response:
                _check(response, {200})
                for chunk in response.iter_bytes(_CHUNK):
                    data += chunk
                    if len(data) > MAX_PROGRAMME:
                        raise FetchError("too_large")
            programme = read_programme(sha256, bytes(data))
            self._cache.put_programme(sha256, bytes(data), frozenset(want.programmes) | self._got)
        self._got.add(sha256)
        log.info("fetch.programme sha256=%s", sha256)
        self._tell(ProgrammeHeld(sha256, programme))

    def _media(self, http: httpx2.Client, media: Media, want: Want) -> None:
        room = self._cache.size() + self._cache.free() - _RESERVE
        gone = self._cache.evict(
            media.bytes, min(want.limit, room), frozenset(_within(want)) | want.keep
        )
        if gone:
            self._tell(MediaGone(gone))
        if media.bytes > self._cache.free() - _RESERVE:
            raise FetchError("disk_full")
        part = self._cache.part(media.sha256)
        have = part.stat().st_size if part.exists() else 0
        if have > media.bytes:
            part.unlink()
            have = 0
        if have < media.bytes:
            self._download(http, media, want, have)
        self._cache.adopt(media.sha256)
        log.debug("fetch.media sha256=%s bytes=%d title=%r", media.sha256, media.bytes, media.title)
        self._tell(MediaHeld(media.sha256))

    def _download(self, http: httpx2.Client, media: Media, want: Want, have: int) -> None:
        # identity: a compressed body has other ranges than the file
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        url = self._url(want, "media", media.sha256)
        with http.stream("GET", url, headers=headers) as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                self._cache.part(media.sha256).unlink()
            _check(response, {200, 206})
            resumed = response.status_code == HTTPStatus.PARTIAL_CONTENT
            if resumed and not response.headers.get("content-range", "").startswith(
                f"bytes {have}-"
            ):
                raise FetchError("wrong_range")
            have = have if resumed else 0
            with self._cache.part(media.sha256).open("ab" if resumed else "wb") as file:
                for chunk in response.iter_raw(_CHUNK):
                    have += len(chunk)
                    if have > media.bytes:
                        file.truncate(0)
                        raise FetchError("too_large")
                    file.write(chunk)
                    if self._stop.is_set() or self._overtaken(media.sha256, want):
                        raise Interrupted
                file.flush()
                os.fsync(file.fileno())
        if have < media.bytes:
            raise FetchError("cut_short")

    def _overtaken(self, sha256: str, begun: Want) -> bool:
        """Whether something that is wanted sooner came up since ``begun``."""
        if self._want is begun:
            return False
        first = next((name for name, _ in self._missing(self._want)), sha256)
        retry = self._retry.get(first)
        return first != sha256 and (retry is None or retry.at <= time.monotonic())


def _within(want: Want) -> Iterator[str]:
    """What is wanted, as far as the limit allows."""
    total = 0
    for media in want.media:
        total += media.bytes
        if total > want.limit:
            return
        yield media.sha256


def _check(response: httpx2.Response, good: set[int]) -> None:
    if response.status_code not in good:
        raise FetchError(f"http_{response.status_code}")
