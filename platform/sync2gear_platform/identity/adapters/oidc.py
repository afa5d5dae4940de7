"""Speaking with an OpenID Connect provider: its description, its keys, and codes for tokens.

Its addresses come from the operator's configuration and from the provider's own description.
Redirects are not followed; every answer has a limit in size and time.
"""

import asyncio
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote_plus

import httpx2
from pydantic import SecretStr

from sync2gear_platform.identity import oidc
from sync2gear_platform.identity.oidc import (
    Attempt,
    Endpoints,
    Identity,
    OidcRefused,
    ProviderDown,
    UnknownKey,
)
from sync2gear_platform.kit import log

logger = log.get(__name__)

MAX_ANSWER: Final = 262_144
SECONDS: Final = 10.0
"""For one whole question to the provider."""

FRESH: Final = timedelta(hours=1)
"""How long the provider's description and keys are believed without asking again."""

ROLLOVER: Final = timedelta(seconds=30)
"""How often an unknown key makes us ask for the keys again, at most."""

PAUSE: Final = timedelta(seconds=5)
"""After a failure nobody asks again for so long: those who wait would wait one after the other."""

FAULTS: Final = (
    httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError, RecursionError,
)  # fmt: skip
"""What strangers' networks and answers throw at us."""


@dataclass(frozen=True, slots=True)
class _Known:
    endpoints: Endpoints
    keys: list[object]
    at: datetime


class Provider:
    """The one provider of this installation, asked when somebody signs in."""

    def __init__(
        self, *, issuer: str, client_id: str, client_secret: SecretStr, redirect_uri: str
    ) -> None:
        self.issuer = issuer
        self.redirect_uri = redirect_uri
        self._client_id = client_id
        self._client_secret = client_secret
        self._known: _Known | None = None
        self._failed: datetime | None = None
        self._asking = asyncio.Lock()
        self._http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(SECONDS / 2),
            follow_redirects=False,
            limits=httpx2.Limits(max_connections=20),
            # what is packed small may unpack large
            headers={"Accept-Encoding": "identity", "Accept": "application/json"},
        )

    async def close(self) -> None:
        """Close what is open to the provider."""
        await self._http.aclose()

    async def begin(self, now: datetime) -> tuple[Attempt, str]:
        """A new attempt, and the address to send the browser to."""
        known = await self._describe(now)
        attempt = Attempt(*(secrets.token_urlsafe(32) for _ in range(3)))
        address = oidc.authorization_url(
            known.endpoints.authorization,
            attempt,
            client_id=self._client_id,
            redirect_uri=self.redirect_uri,
        )
        return attempt, address

    async def finish(self, attempt: Attempt, code: str, now: datetime) -> Identity:
        """Who came back with ``code``; :class:`OidcRefused` unless everything is in order."""
        known = await self._describe(now)
        tokens = await self._redeem(known.endpoints, attempt, code)
        claims = await self._believe(tokens.get("id_token"), attempt, now)
        if "email" not in claims and known.endpoints.userinfo:
            claims = {**await self._userinfo(known.endpoints, tokens, claims["sub"]), **claims}
        return oidc.identity(claims)

    async def _believe(self, token: object, attempt: Attempt, now: datetime) -> dict[str, Any]:
        def read(known: _Known) -> dict[str, Any]:
            return oidc.read_id_token(
                token,
                known.keys,
                issuer=self.issuer,
                client_id=self._client_id,
                nonce=attempt.nonce,
                now=now,
            )

        known = await self._describe(now)
        try:
            return read(known)
        except UnknownKey:
            if now - known.at < ROLLOVER:
                raise
            return read(await self._describe(now, newer_than=known.at))

    async def _describe(self, now: datetime, newer_than: datetime | None = None) -> _Known:
        """The provider's description and keys, asked for once for all who wait."""
        async with self._asking:
            if self._failed is not None and now - self._failed < PAUSE:
                raise ProviderDown
            known = self._known
            fresh = known is not None and now - known.at < FRESH
            if known is None or not fresh or (newer_than is not None and known.at <= newer_than):
                self._failed = now
                known = self._known = await self._ask(now)
                self._failed = None
            return known

    async def _ask(self, now: datetime) -> _Known:
        base = self.issuer.rstrip("/")
        document = await self._json("GET", f"{base}/.well-known/openid-configuration")
        endpoints = oidc.endpoints(document, self.issuer)
        keys = (await self._json("GET", endpoints.jwks)).get("keys")
        if not isinstance(keys, list):
            raise ProviderDown
        return _Known(endpoints, keys, now)

    async def _redeem(self, endpoints: Endpoints, attempt: Attempt, code: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        client_id, secret = self._client_id, self._client_secret.get_secret_value()
        if endpoints.client_auth == "basic":
            # RFC 6749, 2.3.1: both are form-encoded before they become a user and a password
            auth = httpx2.BasicAuth(quote_plus(client_id), quote_plus(secret))
            return await self._json("POST", endpoints.token, data=form, auth=auth)
        form |= {"client_id": client_id, "client_secret": secret}
        return await self._json("POST", endpoints.token, data=form)

    async def _userinfo(
        self, endpoints: Endpoints, tokens: dict[str, Any], subject: str
    ) -> dict[str, Any]:
        bearer = {"Authorization": f"Bearer {tokens.get('access_token')}"}
        found = await self._json("GET", endpoints.userinfo, headers=bearer)
        if found.get("sub") != subject:
            raise OidcRefused
        return found

    async def _json(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        """The JSON object at ``address``."""
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._http.stream(method, address, **more) as reply,
            ):
                body = bytearray()
                async for piece in reply.aiter_raw():
                    body += piece
                    if len(body) > MAX_ANSWER:
                        raise ProviderDown
            found = json.loads(body) if reply.is_success else {}
        except FAULTS as error:
            logger.warning("oidc.no_answer", address=address, error=type(error).__name__)
            raise ProviderDown from error
        if 400 <= reply.status_code < 500 and method == "POST":
            # the code is used up, forged, or was meant for somebody else
            logger.warning("oidc.code_refused", status=reply.status_code)
            raise OidcRefused
        if not reply.is_success or not isinstance(found, dict):
            logger.warning("oidc.no_answer", address=address, status=reply.status_code)
            raise ProviderDown
        return found
