"""Access tokens: JWT signed with Ed25519 (RFC 8037), one algorithm, one hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta
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


class SessionEnded(Refusal):
    """You are not signed in, or your session has ended: sign in again."""

    kind = "unauthenticated"
    code = "session_ended"


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a token speaks for, in which client, and for which version of the user's session."""

    user_id: UUID
    client_id: UUID
    session_version: int


class Signer:
    """Signs and reads tokens with a key derived from the installation's secret."""

    def __init__(self, secret: str) -> None:
        seed = HKDF(SHA256(), 32, salt=None, info=b"sync2gear access token").derive(secret.encode())
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._private.public_key()

    def sign(self, claims: Claims, now: datetime) -> str:
        """A token that is good for ``ACCESS_LIFETIME`` from ``now``."""
        return jwt.encode(
            {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "typ": "access",
                "sub": str(claims.user_id),
                "client": str(claims.client_id),
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
            return Claims(UUID(body["sub"]), UUID(body["client"]), int(body["sv"]))
        except (jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
            raise SessionEnded from error
