"""Fetches what should be on this disk, most urgent first: resumably, and only what it should be."""

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final

import httpx2

from sync2gear_broker.messages import Media
from sync2gear_firmware.allowance import Allowance, TooSlow
from sync2gear_firmware.cache import Cache, FetchError, read_programme
from sync2gear_firmware.facts import (
    Fact,
    MediaGone,
    MediaHeld,
    ProgrammeHeld,
    Trouble,
    Trusted,
    Want,
)
from sync2gear_firmware.machine import this_thread_is
from sync2gear_firmware.needs import fitting
from sync2gear_firmware.settings import Credential
from sync2gear_firmware.trust import Refused, Trust

log = logging.getLogger(__name__)

MAX_PROGRAMME: Final = 32 * 1024 * 1024
MAX_MEDIA: Final = 2 * 1024**3
_TIMEOUT: Final = httpx2.Timeout(10.0, read=20.0)
_BACKOFF: Final = (1.0, 60.0)
_RESERVE: Final = 64 * 1024 * 1024
_SPARE: Final = _RESERVE // 2


class Interrupted(Exception):  # noqa: N818 - not an error: something more urgent is wanted
    """A download gives way to a more urgent one and keeps what it has."""


@dataclass(slots=True)
class _Retry:
    """When one hash may be asked for again."""

    at: float = 0.0
    delay: float = _BACKOFF[0]


class Fetcher:
    """One thread that makes the disk hold what is wanted, most urgent first."""

    def __init__(
        self,
        cache: Cache,
        credential: Credential,
        tell: Callable[[Fact], None],
        trust: Trust,
        allowance: Allowance,
    ) -> None:
        self._allowance = allowance
        self._cache = cache
        self._credential = credential
        self._trust = trust
        self._tell = tell
        self._want = Want()
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._retry: dict[str, _Retry] = {}
        self._got: set[str] = set()
        self._http: httpx2.Client | None = None
        self.rounds = 0
        """Counts whatever shows that fetching goes on."""
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
        self._trust.soon()
        self._changed.set()

    def again(self) -> None:
        """Something is missing again, or may be had again: look at once."""
        self._changed.set()

    def abandon(self) -> None:
        """It stands still: whatever it may do yet is heard by nobody, another takes its place.

        Its connections are closed, so that no server that drips keeps it, and others after it.
        """
        self._tell = _nobody
        self._stop.set()
        if self._http is not None:
            self._http.close()

    def stop(self) -> None:
        """End the thread; what it has of a file stays for the next time."""
        self._stop.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        this_thread_is("fetch")
        while not self._stop.is_set():
            key = self._trust.key()
            with httpx2.Client(
                auth=(self._credential.username, self._credential.secret),
                timeout=_TIMEOUT,
                follow_redirects=True,
                headers={"Accept-Encoding": "gzip"},
                verify=self._trust.context(),
            ) as http:
                self._http = http
                while not self._stop.is_set() and self._trust.key() == key:
                    self._changed.clear()
                    self.rounds += 1
                    try:
                        wait = self._turn(http)
                    except Exception:
                        log.exception("fetch.bug")
                        wait = _BACKOFF[1]
                    if wait is not None:
                        self._changed.wait(wait)

    def _turn(self, http: httpx2.Client) -> float | None:
        """Fetch the most urgent missing thing; None after a success, else how long to wait."""
        if self._fetch_trust(http):
            return None
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
            except (httpx2.HTTPError, FetchError, TooSlow, OSError) as error:
                ours = isinstance(error, FetchError | TooSlow)
                code = str(error) if ours else type(error).__name__
                log.warning("fetch.failed sha256=%s code=%s retry_in=%.0f", name, code, retry.delay)
                self._tell(Trouble("fetch", f"{code} {name[:12]}"))
                retry.at = time.monotonic() + retry.delay * random.uniform(0.7, 1.3)  # noqa: S311 - jitter
                retry.delay = min(2 * retry.delay, _BACKOFF[1])
                return 0.0
            self._retry.pop(name, None)
            if not any(True for _ in self._missing(self._want)):
                self._tell(Trouble("fetch", None))
            return None
        want = self._want
        self._cache.sweep(frozenset(media.sha256 for media in want.media))
        if want.media:
            self._evict(0, want, self._room(want))  # the limit may have become smaller
        return soonest

    def _fetch_trust(self, http: httpx2.Client) -> bool:
        """Ask for new roots if it is time; whether there are some, which need a new client."""
        try:
            new = self._trust.refresh(http, self._base(self._want))
        except (Refused, httpx2.HTTPError, OSError) as error:
            log.warning("trust.failed error=%r", str(error)[:300])
            if isinstance(error, Refused):
                self._tell(Trouble("trust", str(error)))
            return False
        if new:
            self._tell(Trouble("trust", None))
            self._tell(Trusted(self._trust.sha256))
        return new

    def _missing(self, want: Want) -> Iterator[tuple[str, Callable[[httpx2.Client], None]]]:
        for sha in want.programmes:
            if sha not in self._got:
                yield sha, partial(self._programme, want=want, sha256=sha)
        held = self._cache.held()
        # outside its window the network is only for what would be lacking within the hour
        open_now = self._allowance.open()
        for media in self._planned(want):
            if media.sha256 not in held and (open_now or media.sha256 in want.soon):
                yield media.sha256, partial(self._media, media=media, want=want)

    def _planned(self, want: Want) -> tuple[Media, ...]:
        """What is wanted as far as there is room: what comes sooner never yields to the later."""
        possible = tuple(media for media in want.media if media.bytes <= MAX_MEDIA)
        # what a person sent may take of the reserve: it is there for such a moment
        sent = (m for m in fitting(possible, self._room(want, _SPARE)) if m.sha256 in want.at_once)
        return tuple(dict.fromkeys((*fitting(possible, self._room(want)), *sent)))

    def _room(self, want: Want, reserve: int = _RESERVE) -> int:
        return min(want.limit, self._cache.size() + self._cache.free() - reserve)

    def _evict(self, room: int, want: Want, limit: int) -> None:
        planned = frozenset(media.sha256 for media in self._planned(want))
        late = [media.sha256 for media in want.media]
        if gone := self._cache.evict(room, limit, planned, late):
            self._tell(MediaGone(gone))

    def _base(self, want: Want) -> str:
        return want.base_url.rstrip("/") or self._credential.http_url

    def _url(self, want: Want, kind: str, sha256: str) -> str:
        return f"{self._base(want)}/api/v1/{kind}/{sha256}/"

    def _programme(self, http: httpx2.Client, sha256: str, want: Want) -> None:
        programme = self._cache.programme(sha256)
        if programme is None:
            data = bytearray()
            with http.stream("GET", self._url(want, "programmes", sha256)) as response:
                _check(response, {200})
                # as they come: gathered to a size, single bytes would look like nothing for hours
                for chunk in self._allowance.steady(response.iter_bytes()):
                    data += chunk
                    self.rounds += 1
                    if len(data) > MAX_PROGRAMME:
                        raise FetchError("too_large")
            programme = read_programme(sha256, bytes(data))
            self._cache.put_programme(sha256, bytes(data), frozenset(want.programmes) | self._got)
        self._got.add(sha256)
        log.info("fetch.programme sha256=%s", sha256)
        self._tell(ProgrammeHeld(sha256, programme))

    def _media(self, http: httpx2.Client, media: Media, want: Want) -> None:
        reserve = _SPARE if media.sha256 in want.at_once else _RESERVE
        self._evict(media.bytes, want, self._room(want, reserve))
        if media.bytes > self._cache.free() - reserve:
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
        with self._opened(http, url, headers) as response:
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
                for chunk in self._allowance.steady(response.iter_raw()):
                    have += len(chunk)
                    if have > media.bytes:
                        file.truncate(0)
                        raise FetchError("too_large")
                    file.write(chunk)
                    self.rounds += 1
                    if media.sha256 not in want.at_once:
                        self._stop.wait(self._allowance.pause(len(chunk)))
                    if self._stop.is_set() or self._overtaken(media.sha256, want):
                        raise Interrupted
                file.flush()
                os.fsync(file.fileno())
        if have < media.bytes:
            raise FetchError("cut_short")

    @contextmanager
    def _opened(
        self, http: httpx2.Client, url: str, headers: dict[str, str]
    ) -> Iterator[httpx2.Response]:
        """The answer of ``url``, or of where it leads: a store elsewhere, which gets no credential.

        That store's certificate may be one that only the system knows; the digest tells the rest.
        """
        with http.stream("GET", url, headers=headers, follow_redirects=False) as response:
            if not response.has_redirect_location:
                yield response
                return
            there = response.url.join(response.headers["location"])
            if response.url.scheme == "https" and there.scheme != "https":
                raise FetchError("insecure_redirect")
            # Another spelling of the same server, or its HTTPS: httpx2 knows what it may tell whom.
            ours = there.host == response.url.host and (
                there.port == response.url.port or response.url.scheme != there.scheme
            )
        if ours:
            with http.stream("GET", url, headers=headers) as response:
                yield response
            return
        with (
            httpx2.Client(timeout=_TIMEOUT, verify=self._trust.abroad()) as abroad,
            abroad.stream("GET", there, headers=headers) as response,
        ):
            yield response

    def _overtaken(self, sha256: str, begun: Want) -> bool:
        """Whether something that is wanted sooner came up since ``begun``."""
        if self._want is begun:
            return False
        first = next((name for name, _ in self._missing(self._want)), sha256)
        retry = self._retry.get(first)
        return first != sha256 and (retry is None or retry.at <= time.monotonic())


def _nobody(_fact: Fact) -> None:
    """Nobody hears it."""


def _check(response: httpx2.Response, good: set[int]) -> None:
    if response.status_code not in good:
        raise FetchError(f"http_{response.status_code}")
