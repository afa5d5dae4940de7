"""Signing in with a provider (OpenID Connect Core 1.0) as values: what is sent, what is believed.

Authorization code flow with PKCE (RFC 7636), state and nonce. Nothing here speaks to anybody.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import jwt
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync2gear_platform.kit.errors import Refusal, Unavailable

ALGORITHMS: Final[Mapping[str, str]] = {
    **{f"{family}{bits}": "RSA" for family in ("RS", "PS") for bits in (256, 384, 512)},
    **{f"ES{bits}": "EC" for bits in (256, 384, 512)},
    "EdDSA": "OKP",
}
"""Signatures that are believed, with the type of key that each needs: never ``none``, and never a
shared secret, with which whoever can check can also sign."""

SCOPE: Final = "openid email profile"
ATTEMPT_LIFETIME: Final = timedelta(minutes=10)
LEEWAY: Final = 60
"""Seconds by which a provider's clock may be off."""

MAX_TOKEN: Final = 16_384
MAX_KEYS: Final = 50


class OidcRefused(Refusal):
    """Signing in with your provider did not work: start again from the sign-in page."""

    kind = "unauthenticated"
    code = "oidc_refused"


class UnknownKey(OidcRefused):
    """The provider signed with a key that it has not published."""


class ProviderDown(Unavailable):
    """Your sign-in provider does not answer: try again shortly, or sign in with your password."""

    code = "oidc_unavailable"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in under way; it lies sealed in the browser's cookie while the provider asks."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Return:
    """Somebody whom the provider let in and whose second factor is still asked for here."""

    user_id: UUID
    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What of the provider's own description is used."""

    authorization: str
    token: str
    jwks: str
    userinfo: str
    client_auth: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says that somebody is. ``email`` is empty unless it is verified."""

    issuer: str
    subject: str
    email: str


def challenge(verifier: str) -> str:
    """PKCE's S256 challenge of ``verifier``."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def authorization_url(endpoint: str, attempt: Attempt, *, client_id: str, redirect_uri: str) -> str:
    """Where the browser is sent to."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPE,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge(attempt.verifier),
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"


class Sealer:
    """Seals for a browser to keep what we want back, with a key from the installation's secret."""

    def __init__(self, secret: str) -> None:
        seed = HKDF(SHA256(), 32, salt=None, info=b"sync2gear oidc").derive(secret.encode())
        self._fernet = Fernet(urlsafe_b64encode(seed))

    def seal(self, attempt: Attempt, now: datetime) -> str:
        """``attempt`` as a cookie's value."""
        return self._seal({"attempt": asdict(attempt)}, now)

    def open(self, sealed: str, state: str, now: datetime) -> Attempt:
        """The attempt that this browser began with ``state``, while it lasts."""
        attempt = Attempt(**self._open(sealed, "attempt", now))
        if not _same(attempt.state, state):
            raise OidcRefused
        return attempt

    def seal_return(self, back: Return, now: datetime) -> str:
        """``back``, who still owes a code of the second factor, as a cookie's value."""
        return self._seal({"return": {**asdict(back), "user_id": str(back.user_id)}}, now)

    def open_return(self, sealed: str, now: datetime) -> Return:
        """Who came back in this browser, while it lasts."""
        body = self._open(sealed, "return", now)
        return Return(UUID(body["user_id"]), body["issuer"], body["subject"])

    def _seal(self, body: dict[str, Any], now: datetime) -> str:
        return self._fernet.encrypt_at_time(
            json.dumps(body).encode(), int(now.timestamp())
        ).decode()

    def _open(self, sealed: str, kind: str, now: datetime) -> dict[str, Any]:
        lifetime = int(ATTEMPT_LIFETIME.total_seconds())
        try:
            body = self._fernet.decrypt_at_time(sealed.encode(), lifetime, int(now.timestamp()))
            found: dict[str, Any] = json.loads(body)[kind]
        except (InvalidToken, ValueError, KeyError) as error:
            raise OidcRefused(
                "This sign-in took longer than ten minutes, or was begun in another browser:"
                " start again from the sign-in page."
            ) from error
        return found


def endpoints(document: Mapping[str, Any], issuer: str) -> Endpoints:
    """What the provider says of itself (OpenID Connect Discovery 1.0), if it is the right one."""
    if document.get("issuer") != issuer:
        raise ProviderDown("The sign-in provider calls itself by another name than configured.")
    secure = urlsplit(issuer).scheme == "https"
    found = {
        name: document.get(name)
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
    }
    for name, address in found.items():
        if name == "userinfo_endpoint" and address is None:
            continue
        scheme = urlsplit(address).scheme if isinstance(address, str) else ""
        if scheme != "https" and (secure or scheme != "http"):
            raise ProviderDown(f"The sign-in provider's {name} is no https address.")
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Endpoints(
        authorization=str(found["authorization_endpoint"]),
        token=str(found["token_endpoint"]),
        jwks=str(found["jwks_uri"]),
        userinfo=str(found["userinfo_endpoint"] or ""),
        client_auth="basic" if "client_secret_basic" in methods else "post",
    )


def read_id_token(
    token: object,
    keys: Sequence[object],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now: datetime,
) -> dict[str, Any]:
    """The claims of an ID token, all of section 3.1.3.7 checked; :class:`OidcRefused` otherwise.

    :class:`UnknownKey` where none of ``keys`` (the provider's JWK set) may have signed it.
    """
    if not isinstance(token, str) or len(token) > MAX_TOKEN:
        raise OidcRefused
    try:
        claims = _signed(token, keys, issuer=issuer, client_id=client_id)
    except jwt.PyJWTError as error:
        raise OidcRefused from error
    at = now.timestamp()
    times = [claims.get(name) for name in ("exp", "iat")]
    if any(isinstance(t, bool) or not isinstance(t, int | float) for t in times):
        raise OidcRefused
    audience = claims["aud"]
    authorized = claims.get(
        "azp", None if isinstance(audience, list) and audience[1:] else client_id
    )
    sound = (
        claims["exp"] > at - LEEWAY
        and claims["iat"] < at + LEEWAY
        and authorized == client_id
        and _same(claims.get("nonce"), nonce)
        and _is_word(claims["sub"])
    )
    if not sound:
        raise OidcRefused
    return claims


def identity(claims: Mapping[str, Any]) -> Identity:
    """Who ``claims`` speak of. An e-mail counts only if the provider says that it is verified."""
    email = claims.get("email")
    # some providers write the boolean as a word
    verified = claims.get("email_verified") in (True, "true")
    known = email if verified and isinstance(email, str) and 0 < len(email) <= 320 else ""
    if not known.isprintable():
        known = ""
    return Identity(issuer=str(claims["iss"]), subject=str(claims["sub"]), email=known.strip())


def speaks_for(domains: Sequence[str], email: str) -> bool:
    """Whether the provider is trusted with addresses of this domain: listed, or ``*`` for all."""
    name, at, domain = email.rpartition("@")
    return bool(name and at) and ("*" in domains or domain.lower() in domains)


def _signed(token: str, keys: Sequence[object], *, issuer: str, client_id: str) -> dict[str, Any]:
    header = jwt.get_unverified_header(token)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise OidcRefused
    candidates = [k for k in keys[:MAX_KEYS] if isinstance(k, dict) and _may_sign(k, header)]
    if not candidates:
        raise UnknownKey
    error: jwt.PyJWTError = jwt.InvalidSignatureError()
    for key in candidates:
        try:
            return jwt.decode(
                token,
                jwt.PyJWK(key, algorithm),
                algorithms=[algorithm],
                audience=client_id,
                issuer=issuer,
                options={
                    "require": ["iss", "sub", "aud", "exp", "iat", "nonce"],
                    "enforce_minimum_key_length": True,
                    # by our clock, below
                    "verify_exp": False, "verify_iat": False, "verify_nbf": False,
                },
            )  # fmt: skip
        except jwt.InvalidSignatureError as wrong_key:
            error = wrong_key
    raise error


def _may_sign(key: Mapping[str, Any], header: Mapping[str, Any]) -> bool:
    return (
        key.get("kty") == ALGORITHMS[header["alg"]]
        and key.get("use", "sig") == "sig"
        and key.get("alg", header["alg"]) == header["alg"]
        and ("kid" not in header or key.get("kid") == header["kid"])
    )


def _same(one: object, other: str) -> bool:
    return isinstance(one, str) and hmac.compare_digest(_bytes(one), _bytes(other))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _is_word(text: object) -> bool:
    """Whether ``text`` is a subject as section 2 has it: at most 255 ASCII characters."""
    return isinstance(text, str) and 0 < len(text) <= 255 and text.isascii() and text.isprintable()
