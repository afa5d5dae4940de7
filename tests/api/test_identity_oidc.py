"""Signing in with a provider, from the browser's first step to its session."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pyotp
import pytest
from pydantic import SecretStr, ValidationError
from sqlmodel import select

from support.provider import CLIENT_ID, CLIENT_SECRET, Liar, lying_provider, rsa_key
from support.services import PostgresServer
from support.world import PASSWORD, Tenant, World, cloned_database, make_settings
from sync2gear_platform.audit.tables import AuditEntry
from sync2gear_platform.identity import service as identity
from sync2gear_platform.identity import totp
from sync2gear_platform.identity.tables import ProviderLink, User
from sync2gear_platform.settings import Settings

LOGIN = "/api/v1/auth/oidc/login/"
CALLBACK = "http://platform.test/api/v1/auth/oidc/callback/"
ATTEMPT, SESSION, RETURN = "__Host-s2g-oidc", "__Host-s2g", "__Host-s2g-oidc-otp"


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying_provider() as opened:
        yield opened


@pytest.fixture
async def world(postgres: PostgresServer, tmp_path: Path, liar: Liar) -> AsyncIterator[World]:
    """An installation with a sign-in provider."""
    with cloned_database(postgres) as (admin_url, app_url):
        settings = make_settings(tmp_path, app_url, admin_url).model_copy(
            update={
                "oidc_issuer": liar.issuer,
                "oidc_client_id": CLIENT_ID,
                "oidc_client_secret": SecretStr(CLIENT_SECRET),
                "oidc_domains": "example.test, other.test",
            }
        )
        async with World.open(settings) as opened:
            yield opened


class Browser:
    """Keeps cookies as a browser does that holds https for granted (``__Host-``)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cookies: dict[str, str] = {}
        self.attributes: dict[str, str] = {}

    async def ask(self, method: str, address: str, **more: Any) -> httpx2.Response:
        http = await self.world.http()
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**({"Cookie": cookie} if cookie else {}), **more.pop("headers", {})}
        answer = await http.request(method, address, headers=headers, **more)
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value, _, attributes = rest.partition(";")
            self.attributes[name] = attributes.lower()
            self.cookies[name] = value.strip('"')
            if "max-age=0" in attributes.lower():
                del self.cookies[name]
        return answer

    async def go(self) -> str:
        """Begin; returns the provider's address."""
        answer = await self.ask("GET", LOGIN)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def come_back(self, address: str) -> str:
        """Follow the provider's way back; returns where that leads."""
        answer = await self.ask("GET", address)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def me(self) -> dict[str, Any]:
        answer = await self.ask("GET", "/api/v1/auth/me/")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


async def sign_in(world: World, liar: Liar) -> tuple[Browser, str]:
    browser = Browser(world)
    address = await browser.go()
    return browser, await browser.come_back(liar.authorize(address))


def says(liar: Liar, email: str, **more: Any) -> None:
    liar.claims = {"email": email, "email_verified": True, **more}


async def test_a_member_signs_in_with_the_provider(world: World, liar: Liar) -> None:
    tenant = await world.tenant()
    offered = (await (await world.http()).get("/api/v1/auth/oidc/")).json()
    assert offered == {"enabled": True, "provider": "127.0.0.1"}
    says(liar, tenant.email.upper())
    browser = Browser(world)
    address = await browser.go()
    assert address.startswith(liar.issuer)
    assert parse_qs(urlsplit(address).query)["redirect_uri"] == [CALLBACK]
    for attribute in ("secure", "httponly", "samesite=lax", "path=/"):
        assert attribute in browser.attributes[ATTEMPT]
    assert await browser.come_back(liar.authorize(address)) == "/"
    assert "samesite=strict" in browser.attributes[SESSION]
    assert ATTEMPT not in browser.cookies
    me = await browser.me()
    assert (me["user"]["email"], me["client"]["id"]) == (tenant.email, str(tenant.id))
    async with world.ctx(tenant.id) as ctx:
        actions = [entry.action for entry in (await ctx.db.exec(select(AuditEntry))).all()]
    assert actions.count("provider_link.create") == 1


async def test_the_link_outlives_the_address(world: World, liar: Liar) -> None:
    tenant = await world.tenant()
    says(liar, tenant.email, sub="anna")
    assert (await sign_in(world, liar))[1] == "/"
    says(liar, "married@elsewhere.test", sub="anna", email_verified=False)
    browser, where = await sign_in(world, liar)
    assert where == "/"
    assert (await browser.me())["user"]["email"] == tenant.email
    async with world.ctx() as ctx:
        assert len((await ctx.db.exec(select(ProviderLink))).all()) == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email": "nobody@example.test"},
        {"email": None},
    ],
    ids=str,
)
async def test_only_a_verified_address_of_a_member_is_let_in(
    world: World, liar: Liar, claims: dict[str, Any]
) -> None:
    tenant = await world.tenant()
    says(liar, **{"email": tenant.email, **claims})
    liar.userinfo = {"sub": "subject-1"}
    browser, where = await sign_in(world, liar)
    assert where == "/?sign-in=oidc_no_account"
    assert SESSION not in browser.cookies


async def test_a_provider_speaks_for_its_domains_only(world: World, liar: Liar) -> None:
    tenant = await world.tenant()
    async with world.ctx() as ctx:
        user = (await ctx.db.exec(select(User).where(User.email == tenant.email))).one()
        user.email = "chef@bakery.test"
    says(liar, "chef@bakery.test")
    assert (await sign_in(world, liar))[1] == "/?sign-in=oidc_no_account"
    async with world.ctx() as ctx:
        (await ctx.db.get_one(User, user.id)).email = "chef@OTHER.test"
    says(liar, "chef@other.test")
    assert (await sign_in(world, liar))[1] == "/"


async def test_an_address_given_anew_does_not_inherit_the_account(world: World, liar: Liar) -> None:
    tenant = await world.tenant()
    says(liar, tenant.email, sub="who left")
    assert (await sign_in(world, liar))[1] == "/"
    says(liar, tenant.email, sub="who came")
    assert (await sign_in(world, liar))[1] == "/?sign-in=oidc_no_account"


async def test_a_disabled_person_is_not_let_in(world: World, liar: Liar) -> None:
    tenant = await world.tenant()
    says(liar, tenant.email)
    assert (await sign_in(world, liar))[1] == "/"
    async with world.ctx() as ctx:
        user = (await ctx.db.exec(select(User).where(User.email == tenant.email))).one()
        user.is_active = False
    assert (await sign_in(world, liar))[1] == "/?sign-in=oidc_no_account"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"nonce": "another"},
        {"exp": 1_000_000_000},
    ],
    ids=str,
)
async def test_a_token_out_of_order_signs_nobody_in(
    world: World, liar: Liar, claims: dict[str, Any]
) -> None:
    tenant = await world.tenant()
    says(liar, tenant.email, **claims)
    browser, where = await sign_in(world, liar)
    assert where == "/?sign-in=oidc_refused"
    assert SESSION not in browser.cookies


async def test_a_forged_signature_signs_nobody_in(world: World, liar: Liar) -> None:
    tenant = await world.tenant()
    says(liar, tenant.email)
    honest = liar.keys["one"]
    address = await (browser := Browser(world)).go()
    back = liar.authorize(address)
    nonce = parse_qs(urlsplit(address).query)["nonce"][0]
    liar.keys["one"] = rsa_key()
    liar.token = liar.id_token(nonce)
    liar.keys["one"] = honest
    assert await browser.come_back(back) == "/?sign-in=oidc_refused"


async def test_a_return_belongs_to_the_browser_that_went(world: World, liar: Liar) -> None:
    """Otherwise an attacker signs a victim in to the attacker's account, or the reverse."""
    tenant = await world.tenant()
    says(liar, tenant.email)
    mine, other = Browser(world), Browser(world)
    back = liar.authorize(await mine.go())
    assert await other.come_back(back) == "/?sign-in=oidc_refused"
    await other.go()
    assert await other.come_back(back) == "/?sign-in=oidc_refused"
    assert SESSION not in other.cookies
    without = back.partition("&state=")[0]
    await mine.go()
    assert await mine.come_back(without) == "/?sign-in=oidc_refused"


async def test_a_return_counts_once(world: World, liar: Liar) -> None:
    tenant = await world.tenant()
    says(liar, tenant.email)
    browser = Browser(world)
    back = liar.authorize(await browser.go())
    kept = dict(browser.cookies)
    assert await browser.come_back(back) == "/"
    assert await browser.come_back(back) == "/?sign-in=oidc_refused"
    browser.cookies = dict(kept)
    assert await browser.come_back(back) == "/?sign-in=oidc_refused"
    # even if the provider took its code again
    code = parse_qs(urlsplit(back).query)["code"][0]
    address = await (fresh := Browser(world)).go()
    again = liar.authorize(address)
    state = parse_qs(urlsplit(again).query)["state"][0]
    query = liar.codes[parse_qs(urlsplit(again).query)["code"][0]]
    liar.codes |= {code: query, "second": query}
    copies = [Browser(world) for _ in range(2)]
    for copy in copies:
        copy.cookies = dict(fresh.cookies)
    ends = await asyncio.gather(
        copies[0].come_back(f"{CALLBACK}?code={code}&state={state}"),
        copies[1].come_back(f"{CALLBACK}?code=second&state={state}"),
    )
    assert sorted(ends) == ["/", "/?sign-in=oidc_refused"]


async def test_an_attempt_ends_after_ten_minutes(world: World, liar: Liar) -> None:
    tenant = await world.tenant()
    says(liar, tenant.email)
    browser = Browser(world)
    back = liar.authorize(await browser.go())
    clock = world.app.state.edge.clock
    moved = clock.now() + timedelta(minutes=11)
    world.app.state.edge.clock = Frozen(moved)
    assert await browser.come_back(back) == "/?sign-in=oidc_refused"
    world.app.state.edge.clock = clock


class Frozen:
    """A clock that stands."""

    def __init__(self, at: Any) -> None:
        self.at = at

    def now(self) -> Any:
        return self.at


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?error=access_denied&state=x",
        "?code=x",
        "?state=x",
        "?code=x&state=%00",
        "?code=x&state=" + "y" * 4000,
        "?next=https://evil.example&error=x",
        "?code=x&state=x&iss=https://evil.example",
    ],
    ids=lambda query: query[:30],
)
async def test_a_return_that_is_none_leads_home(world: World, query: str) -> None:
    browser = Browser(world)
    assert await browser.come_back(CALLBACK + query) == "/?sign-in=oidc_refused"


async def test_a_provider_that_is_away_is_said(world: World, liar: Liar) -> None:
    browser = Browser(world)
    back = liar.authorize(await browser.go())
    liar.answers["/token"] = b"<html>"
    assert await browser.come_back(back) == "/?sign-in=oidc_unavailable"
    liar.answers["/.well-known/openid-configuration"] = b"<html>"
    world.app.state.oidc._known = None
    answer = await browser.ask("GET", LOGIN)
    assert (answer.status_code, answer.json()["code"]) == (503, "oidc_unavailable")


async def second_factor(tenant: Tenant) -> pyotp.TOTP:
    setup = await tenant.make("/auth/totp/setup/", password=PASSWORD)
    return pyotp.TOTP(setup["secret"])


async def test_a_second_factor_is_asked_for_after_the_provider(world: World, liar: Liar) -> None:
    tenant = await world.tenant()
    says(liar, tenant.email)
    app = await second_factor(tenant)
    step = totp.step_at(world.clock.now())
    codes = await tenant.make("/auth/totp/confirm/", otp=app.generate_otp(step - 1))
    browser, where = await sign_in(world, liar)
    assert where == "/?sign-in=otp_required"
    assert SESSION not in browser.cookies
    assert "samesite=strict" in browser.attributes[RETURN]
    async with world.ctx() as ctx:  # nothing is linked yet
        assert (await ctx.db.exec(select(ProviderLink))).all() == []
    path = "/api/v1/auth/oidc/otp/"
    right = {app.generate_otp(step + n) for n in range(-2, 3)}
    wrong = next(c for c in ("000000", "111111", "222222", "333333", "444444") if c not in right)
    answer = await browser.ask("POST", path, json={"otp": wrong})
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_otp")
    foreign = {"Origin": "https://evil.example"}
    answer = await browser.ask("POST", path, json={"otp": "123456"}, headers=foreign)
    assert answer.json()["code"] == "csrf_failed"
    stranger = Browser(world)
    code = codes["recovery_codes"][0]
    assert (await stranger.ask("POST", path, json={"otp": code})).status_code == 401
    stranger.cookies[RETURN] = browser.cookies[RETURN][:-4] + "AAAA"
    assert (await stranger.ask("POST", path, json={"otp": code})).status_code == 401
    answer = await browser.ask("POST", path, json={"otp": code})
    assert answer.status_code == 200, answer.text
    assert answer.json()["csrf_token"]
    assert RETURN not in browser.cookies
    assert (await browser.me())["user"]["email"] == tenant.email


async def test_without_a_provider_there_is_none(world: World) -> None:
    world.app.state.oidc, kept = None, world.app.state.oidc
    http = await world.http()
    for path in (LOGIN, "/api/v1/auth/oidc/callback/"):
        answer = await http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "oidc_off")
    world.app.state.oidc = kept


def test_half_a_provider_does_not_start() -> None:
    whole = {
        "oidc_issuer": "https://login.example",
        "oidc_client_id": "shop",
        "oidc_client_secret": "secret",
        "oidc_domains": "Example.test ,",
        "secret_key": "x" * 32,
        "vault_keys": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    }
    assert Settings(**whole).oidc_domain_list == ["example.test"]  # type: ignore[arg-type]  # words, as from the environment
    for broken in (
        {"oidc_client_id": ""},
        {"oidc_client_secret": ""},
        {"oidc_domains": " , "},
        {"oidc_issuer": "http://login.example"},
    ):
        with pytest.raises(ValidationError, match="S2G_OIDC_ISSUER"):
            Settings(**{**whole, **broken})  # type: ignore[arg-type]  # words, as from the environment


async def test_staff_may_be_let_in_by_the_provider_too(world: World, liar: Liar) -> None:
    async with world.ctx() as ctx:
        await identity.create_staff(
            ctx, world.passwords, email="ops@example.test", name="Ops", password=PASSWORD,
            role="staff",
        )  # fmt: skip
    says(liar, "ops@example.test")
    browser, where = await sign_in(world, liar)
    assert where == "/"
    assert (await browser.me())["client"] is None
