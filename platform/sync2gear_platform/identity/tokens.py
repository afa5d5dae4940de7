"""What is signed or derived from the installation's secret: access tokens, CSRF, secrets' hashes.

Access tokens are JWTs signed with Ed25519 (RFC 8037), one algorithm, one hour.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync2gear_platform.kit.errors import Refusal

ACCESS_LIFETIME = timedelta(hours=1)
ALGORITHM = "EdDSA"
ISSUER = "sync2gear"
AUDIENCE = "sync2gear-api"
SECRET_BYTES: Final = 32
"""256 random bits: 43 characters that any URL or header can hold."""


class SessionEnded(Refusal):
    """You are not signed in, or your session has ended: sign in again."""

    kind = "unauthenticated"
    code = "session_ended"


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a token speaks for, by which sign-in, and for which version of the user's sessions."""

    user_id: UUID
    session_id: UUID
    session_version: int


def new_secret() -> str:
    """A secret that nobody guesses."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """How a secret of full strength is kept: SHA-256 in hex; it needs no salt and no slowness."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def named(prefix: str, owner: UUID, secret: str) -> str:
    """``prefix_owner_secret``: a bearer's secret that says to which row it belongs."""
    return f"{prefix}_{owner.hex}_{secret}"


def read_named(prefix: str, token: str) -> tuple[UUID, str] | None:
    """The owner and the secret of a token of :func:`named`; ``None`` for anything else."""
    kind, _, rest = token.partition("_")
    owner, _, secret = rest.partition("_")
    if kind != prefix or len(owner) != 32 or not 20 <= len(secret) <= 100:
        return None
    try:
        return UUID(owner), secret
    except ValueError:
        return None


class Signer:
    """Signs, reads and derives with keys that come from the installation's secret."""

    def __init__(self, secret: str) -> None:
        seed = self._key(secret, b"sync2gear access token")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._private.public_key()
        self._csrf = self._key(secret, b"sync2gear csrf")
        self._refresh = self._key(secret, b"sync2gear refresh")
        self._accounts = self._key(secret, b"sync2gear sign-in attempts")

    @staticmethod
    def _key(secret: str, purpose: bytes) -> bytes:
        return HKDF(SHA256(), 32, salt=None, info=purpose).derive(secret.encode())

    def sign(self, claims: Claims, now: datetime) -> str:
        """A token that is good for ``ACCESS_LIFETIME`` from ``now``."""
        return jwt.encode(
            {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "typ": "access",
                "sub": str(claims.user_id),
                "sid": str(claims.session_id),
                "sv": claims.session_version,
                "iat": now,
                "nbf": now,
                "exp": now + ACCESS_LIFETIME,
            },
            self._private,
            algorithm=ALGORITHM,
        )

    def read(self, token: str) -> Claims:
        """The claims of a good token; raises :class:`SessionEnded` for any other."""
        try:
            body = jwt.decode(
                token,
                self._public,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=5,
                options={"require": ["iss", "aud", "sub", "iat", "nbf", "exp"]},
            )
            if body.get("typ") != "access":
                raise SessionEnded
            return Claims(UUID(body["sub"]), UUID(body["sid"]), int(body["sv"]))
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise SessionEnded from error

    def csrf(self, session_id: UUID) -> str:
        """The token that a browser's page sends back to prove that it is ours."""
        return _text(hmac.digest(self._csrf, session_id.bytes, "sha256"))

    def successor(self, session_id: UUID, refresh_hash: str) -> str:
        """The secret that follows a refresh secret: the same for all who use that one at once."""
        return _text(hmac.digest(self._refresh, session_id.bytes + refresh_hash.encode(), "sha256"))

    def account(self, email: str) -> str:
        """The name under which tries to sign in with ``email`` are counted: not the address."""
        folded = email.strip().casefold().encode("utf-8", "replace")
        return hmac.digest(self._accounts, folded, "sha256").hex()


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
