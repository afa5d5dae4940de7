"""Speaking with a sign-in provider on a socket: an honest one, and one that lies."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from pydantic import SecretStr

from support.provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Liar,
    honest_provider,
    let_in,
    lying_provider,
    rsa_key,
)
from sync2gear_platform.identity.adapters import oidc as adapter
from sync2gear_platform.identity.adapters.oidc import Provider
from sync2gear_platform.identity.oidc import Identity, OidcRefused, ProviderDown, UnknownKey


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def provider_at(issuer: str, client_id: str = CLIENT_ID) -> AsyncIterator[Provider]:
    provider = Provider(
        issuer=issuer,
        client_id=client_id,
        client_secret=SecretStr(CLIENT_SECRET),
        redirect_uri="https://shop.test/back/",
    )
    yield provider
    await provider.close()


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying_provider() as opened:
        yield opened


@pytest.fixture
async def provider(liar: Liar) -> AsyncIterator[Provider]:
    async with provider_at(liar.issuer) as opened:
        yield opened


async def sign_in(provider: Provider, liar: Liar, later: timedelta = timedelta()) -> Identity:
    attempt, address = await provider.begin(now() + later)
    back = liar.authorize(address)
    return await provider.finish(attempt, code_of(back), now() + later)


def code_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["code"][0]


async def test_a_person_signs_in_at_a_provider_of_another_make(tmp_path: Path) -> None:
    with honest_provider(tmp_path) as issuer:
        # it does not decode what RFC 6749 encodes: no space in the name
        async with provider_at(issuer, "shop") as provider:
            attempt, address = await provider.begin(now())
            back = let_in(address, "anna@example.test")
            query = parse_qs(urlsplit(back).query)
            assert back.startswith("https://shop.test/back/?")
            assert query["state"] == [attempt.state]
            found = await provider.finish(attempt, query["code"][0], now())
            # it does not say that it has verified the address
            assert found == Identity(issuer, "anna@example.test", "")
            with pytest.raises(OidcRefused):
                await provider.finish(attempt, query["code"][0], now())


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_person_signs_in(liar: Liar, provider: Provider, method: str) -> None:
    liar.description = {"token_endpoint_auth_methods_supported": [method]}
    for _ in range(3):
        found = await sign_in(provider, liar)
        assert found == Identity(liar.issuer, "subject-1", "anna@example.test")
    assert liar.asked.count("/jwks") == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "somebody else"},
        {"nonce": "another"},
        {"exp": 1_000_000_000},
        {"sub": None},
    ],
    ids=str,
)
async def test_a_foreign_or_stale_token_is_refused(
    liar: Liar, provider: Provider, claims: dict[str, Any]
) -> None:
    liar.claims = claims
    with pytest.raises(OidcRefused):
        await sign_in(provider, liar)


async def test_an_unsigned_token_is_refused(liar: Liar, provider: Provider) -> None:
    liar.token = jwt.encode({"sub": "x"}, None, algorithm="none")
    with pytest.raises(OidcRefused):
        await sign_in(provider, liar)


async def test_a_code_belongs_to_the_attempt_that_asked_for_it(
    liar: Liar, provider: Provider
) -> None:
    """A stolen code is worth nothing without the verifier that stayed with us."""
    _, address = await provider.begin(now())
    stolen = code_of(liar.authorize(address))
    thief, _ = await provider.begin(now())
    with pytest.raises(OidcRefused):
        await provider.finish(thief, stolen, now())


async def test_new_keys_are_fetched_when_they_appear_but_not_on_demand(
    liar: Liar, provider: Provider
) -> None:
    await sign_in(provider, liar)
    liar.keys["two"] = rsa_key()
    liar.signs_with = "two"
    later = timedelta(seconds=31)
    assert (await sign_in(provider, liar, later)).subject == "subject-1"
    asked = liar.asked.count("/jwks")
    assert asked == 2
    liar.keys["three"] = rsa_key()
    liar.signs_with = "three"
    for _ in range(3):
        with pytest.raises(UnknownKey):
            await sign_in(provider, liar, later)
    assert liar.asked.count("/jwks") == asked


async def test_a_withdrawn_key_is_forgotten_within_the_hour(liar: Liar, provider: Provider) -> None:
    await sign_in(provider, liar)
    old = liar.keys.pop("one")
    liar.keys["two"] = rsa_key()
    key, liar.keys = liar.keys, {"one": old}
    attempt, address = await provider.begin(now())
    code = code_of(liar.authorize(address))
    token = liar.id_token(attempt.nonce)
    liar.keys, liar.token = key, token
    with pytest.raises(OidcRefused):
        await provider.finish(attempt, code, now() + timedelta(minutes=61))


async def test_the_address_may_come_from_userinfo_of_the_same_person_only(
    liar: Liar, provider: Provider
) -> None:
    liar.claims = {"email": None, "email_verified": None}
    liar.userinfo = {"sub": "subject-1", "email": "anna@b.example", "email_verified": True}
    assert (await sign_in(provider, liar)).email == "anna@b.example"
    liar.userinfo["sub"] = "subject-2"
    with pytest.raises(OidcRefused):
        await sign_in(provider, liar)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/.well-known/openid-configuration", b"<html>"),
        ("/.well-known/openid-configuration", b"[]"),
        ("/.well-known/openid-configuration", b"{}"),
        ("/.well-known/openid-configuration", b"[" * 200_000),
        ("/jwks", b" " * (adapter.MAX_ANSWER + 1)),
        ("/jwks", b'{"keys": 7}'),
        ("/token", b"\xff\xfe"),
        ("/token", b'{"id_token": "' + b"x" * adapter.MAX_ANSWER + b'"}'),
    ],
)
async def test_an_answer_that_is_none_is_the_providers_fault(
    liar: Liar, provider: Provider, path: str, body: bytes
) -> None:
    liar.answers[path] = body
    with pytest.raises(ProviderDown):
        await sign_in(provider, liar)


async def test_a_provider_that_is_away_or_slow_holds_nobody_up(
    liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "SECONDS", 0.3)
    async with AsyncExitStack() as stack:
        slow = await stack.enter_async_context(provider_at(liar.issuer))
        liar.delay = 1
        asked = now()
        with pytest.raises(ProviderDown):
            await slow.begin(asked)
        before = len(liar.asked)
        with pytest.raises(ProviderDown):
            await slow.begin(asked + timedelta(seconds=1))
        assert len(liar.asked) == before
        liar.delay = 0
        await slow.begin(asked + timedelta(seconds=6))
        away = await stack.enter_async_context(provider_at("http://127.0.0.1:9"))
        with pytest.raises(ProviderDown):
            await away.begin(asked)


async def test_redirects_are_not_followed(liar: Liar, provider: Provider) -> None:
    """Neither to a forger nor into the operator's network."""
    status = liar.answer

    def elsewhere(path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        return (302, {}) if path == "/jwks" else status(path, form, authorization)

    liar.answer = elsewhere  # type: ignore[method-assign]  # the liar is made to be changed
    with pytest.raises(ProviderDown):
        await sign_in(provider, liar)
