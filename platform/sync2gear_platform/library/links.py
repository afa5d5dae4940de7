"""Signed addresses of audio: whoever holds one may fetch that one piece, that way, until then.

A store with addresses of its own signs them itself. Ours are a payload and its HMAC-SHA256 under a
key derived from the vault's: the first signs, all of them are believed, so that links outlive a
rotation. Everything that shapes the answer is in the payload, and nothing else is asked.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync2gear_platform.kit.blobs import Blobs, Shown
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Kind, Refusal
from sync2gear_platform.library.tables import Media

Method = Literal["GET", "HEAD"]

SECONDS: Final = 300
"""How long a link works if nothing else is asked for."""

MAX_SECONDS: Final = 3600
MAX_TOKEN: Final = 2048
SCHEME: Final = 1


class LinkRefused(Refusal):
    """This link was not made here, or for something else: ask for a new one."""

    kind: Kind = "forbidden"
    code = "link_refused"


class LinkExpired(Refusal):
    """This link has expired: ask for a new one."""

    kind: Kind = "forbidden"
    code = "link_expired"


@dataclass(frozen=True, slots=True)
class Link:
    """An address and until when it works."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """What a link of ours allows: one method on one client's media, shown in one way."""

    method: str
    client_id: UUID
    sha256: str
    expires: int
    content_type: str
    disposition: str

    @property
    def shown(self) -> Shown:
        """How the bytes are given out."""
        return Shown(self.content_type, self.disposition)


class Links:
    """Makes links and believes them. ``base`` is where ours begin, without a slash at the end.

    ``abroad``, if any, stands in for the store's own host: a network that carries requests to it.
    """

    def __init__(self, blobs: Blobs, keys: Sequence[str], base: str, abroad: str = "") -> None:
        self._blobs = blobs
        self._keys = [_derived(key) for key in keys]
        self._base = abroad or base
        self._abroad = abroad

    async def link(
        self,
        ctx: Ctx,
        media: Media,
        *,
        method: Method = "GET",
        expires: int = SECONDS,
        name: str = "",
    ) -> Link:
        """An address of ``media`` for ``expires`` seconds, downloaded as ``name``."""
        ends = ctx.now + timedelta(seconds=expires)
        shown = Shown(media_type(media.codec), disposition(name or media.sha256))
        url = await self.of_store(media, shown, method=method, expires=expires)
        if url is None:
            grant = Grant(
                method, media.client_id, media.sha256, int(ends.timestamp()),
                shown.content_type, shown.disposition,
            )  # fmt: skip
            url = f"{self._base}/api/v1/media/signed/{self.sign(grant)}/"
        return Link(url, datetime.fromtimestamp(int(ends.timestamp()), UTC))

    async def of_store(
        self, media: Media, shown: Shown, *, method: Method = "GET", expires: int = SECONDS
    ) -> str | None:
        """The store's own address of ``media``; ``None`` where it has none."""
        url = await self._blobs.address(media.sha256, shown, method=method, seconds=expires)
        if url is None or not self._abroad:
            return url
        there, own = urlsplit(self._abroad), urlsplit(url)
        path = there.path.rstrip("/") + own.path
        return urlunsplit((there.scheme, there.netloc, path, own.query, ""))

    def sign(self, grant: Grant) -> str:
        """The token of a grant."""
        said = [
            SCHEME, grant.method, str(grant.client_id), grant.sha256, grant.expires,
            grant.content_type, grant.disposition,
        ]  # fmt: skip
        payload = json.dumps(said, separators=(",", ":")).encode()
        return f"{_text(payload)}.{_text(_mac(self._keys[0], payload))}"

    def read(self, token: str, method: str, now: datetime) -> Grant:
        """What ``token`` allows; raises :class:`LinkRefused` and :class:`LinkExpired`."""
        payload, _, mac = token[:MAX_TOKEN].partition(".")
        try:
            said, given = _bytes(payload), _bytes(mac)
        except (ValueError, NotBase64) as error:
            raise LinkRefused from error
        if not any(hmac.compare_digest(_mac(key, said), given) for key in self._keys):
            raise LinkRefused
        # What follows is what we said ourselves.
        scheme, allowed, client, sha256, expires, content_type, shown = json.loads(said)
        if scheme != SCHEME or allowed != method:
            raise LinkRefused
        if expires <= now.timestamp():
            raise LinkExpired
        return Grant(allowed, UUID(client), sha256, expires, content_type, shown)


def media_type(codec: str) -> str:
    """By codec. A container may differ, so that players look at the bytes, as ours do."""
    known = {"mp3": "audio/mpeg", "flac": "audio/flac", "vorbis": "audio/ogg", "opus": "audio/ogg"}
    if codec.startswith("pcm_"):
        return "audio/wav"
    return known.get(codec.removesuffix("float"), "application/octet-stream")


def disposition(name: str) -> str:
    """A download called ``name`` (RFC 6266): never shown as a page."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{extended}'


def _derived(key: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"sync2gear media links").derive(key.encode())


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _text(data) != text:  # the decoder passes over what it does not know
        raise ValueError("another spelling")
    return data
