"""Whom this speaker trusts: its platform's roots, fetched before they change, and what time it is.

A machine without a clock of its own wakes in 1970, and no certificate was valid then. So there is a
floor: the newest instant that has surely passed. A clock below it is wrong, and so is one that no
NTP server keeps and that is an hour off the platform's; then the floor is held against the
certificates instead.
"""

import hashlib
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from sync2gear_firmware.settings import Credential
from sync2gear_firmware.spool import write

log = logging.getLogger(__name__)

RELEASED: Final = 1_795_500_000.0
"""Some instant before this version was made (seconds since 1970): no true clock shows less."""

MAX_BUNDLE: Final = 64 * 1024
_EVERY: Final = 3600.0
_AGAIN: Final = 300.0
_NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for."""

_SECONDS: Final = 10.0
_PORTS: Final = {"https": 443, "mqtts": 8883}


class Refused(Exception):  # noqa: N818 - an answer, not a bug
    """A bundle that is not taken; the message says why."""


class Trust:
    """The roots of one speaker. ``passed`` is an instant that has surely been, ``wall`` its clock,
    ``doubted`` whether there is reason to believe that this clock is wrong, early or late.

    Without roots of its own, whom the system trusts. Safe to use from several threads.
    """

    def __init__(
        self,
        folder: Path,
        credential: Credential,
        passed: float,
        wall: Callable[[], float],
        doubted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._file = folder / "trust.pem"
        self._device = _device_file(credential)
        self._credential = credential
        self._wall = wall
        self._doubted = doubted
        self._passed = max(passed, RELEASED)
        self._due = 0.0
        self._lock = threading.Lock()
        self._pem = self._held() or credential.ca
        self._floor = self._floor_of(self._pem)

    @property
    def sha256(self) -> str | None:
        """What names the bundle that is trusted; None where it is the system's."""
        return hashlib.sha256(self._pem.encode()).hexdigest() if self._pem else None

    @property
    def clock_is_wrong(self) -> bool:
        """Whether the machine's clock shows a time that has surely passed, or is doubted."""
        return self._wall() < self._floor or self._doubted()

    def context(self) -> ssl.SSLContext:
        """For one connection, or many as long as :meth:`key` stays: names are always checked."""
        with self._lock:
            return self._make(self._pem, self._floor)

    def abroad(self) -> ssl.SSLContext:
        """For servers that are not the platform's: also whom the system trusts, and no certificate
        of ours. Only for what is checked by its digest.
        """
        with self._lock:
            context = self._checked(ssl.create_default_context(), self._floor)
            if self._pem:
                context.load_verify_locations(cadata=self._pem)
            return context

    def key(self) -> tuple[str | None, bool]:
        """What a context depends on."""
        return self.sha256, self.clock_is_wrong

    def soon(self) -> None:
        """Ask for the bundle at the next opportunity: the platform was away."""
        self._due = 0.0

    def refresh(self, http: httpx2.Client, url: str) -> bool:
        """Fetch the bundle of ``url`` if it is time; whether a new one is trusted now.

        Only what came over HTTPS counts, and only roots that know every server in use: no mistake
        of an operator's may lock a speaker out. ``Refused`` and httpx2's errors otherwise.
        """
        if time.monotonic() < self._due or urlsplit(url).scheme != "https":
            return False
        self._due = time.monotonic() + _AGAIN
        answer = http.get(f"{url}/api/v1/devices/trust/")
        if answer.status_code == httpx2.codes.NOT_FOUND:  # a platform of an older version
            self._due = time.monotonic() + _EVERY
            return False
        answer.raise_for_status()
        pem = _bundle_in(answer)
        self._due = time.monotonic() + _EVERY
        if pem in ("", self._pem):
            return False
        self._try(pem, (url, self._credential.mqtt_url, self._credential.http_url))
        write(self._file, pem.encode())
        with self._lock:
            self._pem, self._floor = pem, self._floor_of(pem)
        log.info("trust.new sha256=%s", self.sha256)
        return True

    def _try(self, pem: str, urls: Iterable[str]) -> None:
        for at in {urlsplit(url)[:2]: urlsplit(url) for url in urls}.values():
            if at.scheme not in _PORTS or at.hostname is None:
                continue
            try:
                context = self._make(pem, self._floor_of(pem))
                with (
                    socket.create_connection(
                        (at.hostname, at.port or _PORTS[at.scheme]), _SECONDS
                    ) as link,
                    context.wrap_socket(link, server_hostname=at.hostname),
                ):
                    continue
            except OSError as error:  # ssl.SSLError is one
                raise Refused(f"{at.hostname} does not stand before it: {error}"[:200]) from error

    def _make(self, pem: str, floor: float) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=pem or None)
        if self._device is not None:
            context.load_cert_chain(self._device)
        return self._checked(context, floor)

    def _checked(self, context: ssl.SSLContext, floor: float) -> ssl.SSLContext:
        if self._wall() < floor or self._doubted():
            context.verify_flags |= _NO_CHECK_TIME
            context.sslsocket_class = _checking(floor)
        return context

    def _floor_of(self, pem: str) -> float:
        """The newest instant that has passed: this version, the last time, our roots' making."""
        if not pem:
            return self._passed
        made = [_seconds(root, "notBefore") for root in _roots(pem)]
        return max([self._passed, *made])

    def _held(self) -> str:
        try:
            pem = self._file.read_text()
            _roots(pem)
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            log.warning("trust.unreadable error=%r", str(error)[:200])
            return ""
        return pem


def _checking(floor: float) -> type[ssl.SSLSocket]:
    class Checking(ssl.SSLSocket):
        """A connection whose server's certificate must not have ended before ``floor``."""

        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            certificate: Any = self.getpeercert() or {}
            if _seconds(certificate, "notAfter") < floor:
                raise ssl.SSLCertVerificationError("certificate has expired before our last clock")

    return Checking


def _roots(pem: str) -> list[Any]:
    """What ``pem`` holds; ssl.SSLError, which is an OSError, where that is nothing."""
    return ssl.create_default_context(cadata=pem).get_ca_certs()


def _seconds(certificate: Any, name: str) -> float:
    return float(ssl.cert_time_to_seconds(certificate[name]))


def _bundle_in(answer: httpx2.Response) -> str:
    if len(answer.content) > 2 * MAX_BUNDLE:
        raise Refused("too large")
    try:
        pem = answer.json()["ca"]
        if not isinstance(pem, str) or len(pem) > MAX_BUNDLE:
            raise Refused("not a bundle")
        if pem:
            _roots(pem)
    except (ValueError, TypeError, KeyError, RecursionError, ssl.SSLError) as error:
        raise Refused(f"not a bundle: {error!r}"[:200]) from error
    return pem


def _device_file(credential: Credential) -> Path | None:
    """The device's own certificate and key as a file, which is all that OpenSSL takes.

    It lies in memory, for as long as this process lives: no disk sees the key a second time, and
    it is there where the disk cannot be written.
    """
    if not credential.certificate or not credential.key:
        return None
    descriptor = os.memfd_create("device.pem")
    os.write(descriptor, (credential.certificate + credential.key).encode())
    return Path(f"/proc/self/fd/{descriptor}")
