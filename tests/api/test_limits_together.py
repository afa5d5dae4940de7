"""Tries to sign in are counted over all processes, and mailboxes are not filled by strangers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text

from support.mail import inbox, send_mail
from support.services import PostgresServer
from support.world import World, cloned_database, make_settings

LOGIN = {"email": "nobody@example.test", "password": "wrong but long enough"}
ADDRESS = "203.0.113.7"


@pytest.fixture
async def pair(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[tuple[World, World]]:
    """Two processes of one installation: what they keep in memory is each one's own."""
    with cloned_database(postgres) as (admin_url, app_url):
        settings = make_settings(tmp_path, app_url, admin_url, rate_sign_in="8/hour")
        async with World.open(settings) as one, World.open(settings) as other:
            yield one, other


async def sign_in(http: httpx2.AsyncClient) -> httpx2.Response:
    return await http.post("/api/v1/auth/login/", json=LOGIN)


async def test_two_processes_let_no_more_through_than_one(pair: tuple[World, World]) -> None:
    first, second = [await world.http(address=ADDRESS) for world in pair]
    answers = [await sign_in(http) for http in (first, second) * 5]
    assert [answer.status_code for answer in answers] == [401] * 8 + [429] * 2
    problem = answers[-1].json()
    assert problem["code"] == "rate_limited"
    assert problem["violated-policies"] == ["sign_in-address"]
    assert 3000 < int(answers[-1].headers["retry-after"]) <= 3600
    assert answers[-1].headers["ratelimit"].startswith('"sign_in-address";r=0;t=')
    # it is one limit for all that may be a guess, or makes us send mail
    reset = await first.post("/api/v1/auth/password-reset/", json={"email": LOGIN["email"]})
    assert reset.status_code == 429
    # another address, and what is no guess, are not meant
    neighbour = await pair[1].http(address="203.0.113.8")
    assert (await sign_in(neighbour)).status_code == 401
    assert (await second.get("/api/v1/health/")).status_code == 200


async def test_many_at_once_are_counted_as_many(pair: tuple[World, World]) -> None:
    both = [await world.http(address=ADDRESS) for world in pair]
    answers = await asyncio.gather(*(sign_in(http) for http in both * 6))
    assert Counter(answer.status_code for answer in answers) == {401: 8, 429: 4}


async def test_who_waited_may_try_again(pair: tuple[World, World]) -> None:
    first, second = [await world.http(address=ADDRESS) for world in pair]
    for _ in range(8):
        await sign_in(first)
    assert (await sign_in(second)).status_code == 429
    async with pair[0].ctx() as ctx:
        older = "ARRAY(SELECT t - interval '1 hour' FROM unnest(tries) t)"
        await ctx.db.execute(text(f"UPDATE recent_tries SET tries = {older}"))
    assert (await sign_in(second)).status_code == 401
    async with pair[0].ctx() as ctx:
        kept = await ctx.db.execute(text("SELECT cardinality(tries), site FROM recent_tries"))
        number, site = kept.one()
    assert number == 1, "what no longer counts is forgotten"
    assert ADDRESS not in site


async def letters(world: World, to: str) -> int:
    """How many were sent to an address, however it is written."""
    return sum(one.mail.recipient.lower() == to.lower() for one in await inbox(world))


@pytest.mark.parametrize("known", [True, False])
async def test_nobody_fills_a_mailbox_by_asking_for_links(world: World, known: bool) -> None:
    """However many addresses ask: only so many links, of which the newest works yet."""
    tenant = await world.tenant()
    email = tenant.email if known else "stranger@example.com"
    other = (await world.tenant("Other")).email
    signup = {"password": "a long unusual password 7", "name": "Kim", "company": "Acme"}
    for number in range(8):
        http = await world.http(address=f"198.51.100.{number}")
        asked = email.upper() if number % 2 else email
        answer = await http.post("/api/v1/auth/password-reset/", json={"email": asked})
        assert answer.status_code == 202, "the answer says nothing"
        answer = await http.post("/api/v1/auth/signup/", json={"email": asked, **signup})
        assert answer.status_code == 202, answer.text
        await send_mail(world)
    # a link to a password only where there is one, and about the sign-up in any case
    assert await letters(world, email) == (10 if known else 5)
    async with world.ctx() as ctx:
        live = text("SELECT count(*) FROM tickets WHERE token_hash IS NOT NULL AND used_at IS NULL")
        assert (await ctx.db.execute(live)).scalar_one() == 5
    http = await world.http()
    await http.post("/api/v1/auth/password-reset/", json={"email": other})
    assert await letters(world, other) == 1
