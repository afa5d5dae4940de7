"""Asked twice, done once: keys over HTTP, twins at the same moment, and a process that dies."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy import func, text
from sqlmodel import col, select

from support.world import Tenant, World
from sync2gear_platform.kit import idempotency
from sync2gear_platform.kit.idempotency import KeptAnswer, install_replays, is_once, once
from sync2gear_platform.sites.tables import Location

ZONES = "/api/v1/locations/"

HARMLESS = {
    # the same request again leaves the same state
    "/api/v1/devices/{device_id}/volume/": "sets a value",
    "/api/v1/music/folders/{folder_id}/reorder/": "sets an order",
    "/api/v1/channels/{channel_id}/reorder/": "sets an order",
    "/api/v1/music/files/{track_id}/cover/": "sets a picture",
    "/api/v1/music/folders/{folder_id}/cover/": "sets a picture",
    "/api/v1/music/upload/": "what is sent twice is one content, and told so",
    "/api/v1/music/upload/batch/": "likewise",
    "/api/v1/music/uploads/": "one that nobody fills expires; what is sent twice is one content",
    "/api/v1/music/uploads/direct/": "likewise",
    "/api/v1/music/uploads/{upload_id}/complete/": "what is put together stays so",
    "/api/v1/music/uploads/{upload_id}/retry/": "only a failed one can be tried again",
    "/api/v1/announcements/upload/": "one too many, which the list shows, and removes",
    "/api/v1/announcements/recording/": "likewise",
    "/api/v1/announcements/uploads/": "one that nobody fills expires",
    "/api/v1/announcements/uploads/direct/": "one that nobody fills expires",
    "/api/v1/announcements/uploads/{upload_id}/complete/": "what is put together stays so",
    "/api/v1/announcements/uploads/{upload_id}/retry/": "only a failed one can be tried again",
    "/api/v1/emergencies/{emergency_id}/clear/": "what is over is not cleared again",
    "/api/v1/music/files/bulk/": "sets values",
    "/api/v1/music/files/bulk-delete/": "what is gone is not here",
    "/api/v1/music/smart/preview/": "looks, and changes nothing",
    "/api/v1/schedules/dry-run/": "changes nothing",
    "/api/v1/schedules/document/plan/": "changes nothing",
    "/api/v1/playback/pause/": "a pause pauses no further",
    "/api/v1/playback/resume/": "what plays resumes no further",
    "/api/v1/playback/stop/": "a stop stops no further",
    "/api/v1/playback/seek/": "goes to a position, not by a distance",
    "/api/v1/playback/volume/": "sets a value",
    "/api/v1/playback/cancel/": "a cancelled event is over",
    "/api/v1/playback/queue/clear/": "what is over does not end again",
    "/api/v1/announcements/templates/{template_id}/preview/": "looks, and changes nothing",
    "/api/v1/client/deletion/": "the first date stands; its fingerprint would hold a password",
    "/api/v1/ai-providers/{provider_id}/test/": "looks, and changes nothing",
    "/api/v1/admin/ai-providers/{provider_id}/test/": "likewise",
    "/api/v1/announcements/voices/preview/": "what was said once is kept, and costs nothing again",
    "/api/v1/audit/verify/": "looks, and changes nothing",
    "/api/v1/admin/vault/rotate/": "passes over what lies under the first key already",
    "/api/v1/admin/clients/{client_id}/restore/": "what is there is not restored again",
    "/api/v1/admin/users/{user_id}/restore/": "likewise",
    "/api/v1/admin/mails/{mail_id}/resend/": "only a dead letter can be sent again",
}
"""POST routes that take no key, with the reason."""

SIGN_IN = "/api/v1/auth/"
"""Signing in and what belongs to it: nobody is known yet whose keys these could be, a code or a
link works once, and a second session or letter is harmless and limited."""


async def test_every_post_takes_a_key_or_says_why_not(world: World) -> None:
    keyed, others = set(), set()
    for route in iter_route_contexts(world.app.routes):
        if "POST" in (getattr(route, "methods", None) or ()):
            (keyed if is_once(route) else others).add(str(route.path))
    others = {path for path in others if not path.startswith(SIGN_IN)}
    assert others == set(HARMLESS), "let it be once(...), or write down why it need not be"
    assert len(keyed) >= 14
    for path in keyed:
        operation = world.app.openapi()["paths"][path]["post"]
        assert "Idempotency-Key" in {p["name"] for p in operation["parameters"]}, path


async def test_a_router_that_cannot_remember_fails_the_start() -> None:
    app = FastAPI()
    router = APIRouter()

    @router.post("/forgetful/", dependencies=[once("zones.write")])
    async def forgetful() -> None:
        """Its answer would not be kept."""

    app.include_router(router)
    with pytest.raises(RuntimeError, match="/forgetful/ needs a router"):
        install_replays(app)


async def ask(
    http: httpx2.AsyncClient, key: str | None, path: str = ZONES, **body: Any
) -> httpx2.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await http.post(path, json=body or {"name": "Shop"}, headers=headers)


async def places(world: World, tenant: Tenant, name: str = "Shop") -> int:
    async with world.ctx(tenant.id) as ctx:
        counted = select(func.count()).where(
            col(Location.client_id) == tenant.id, col(Location.name) == name
        )
        return (await ctx.db.exec(counted)).one()


async def test_the_same_request_again_gets_the_same_answer(world: World) -> None:
    acme = await world.tenant()
    first = await ask(acme.http, "a-key")
    again = await ask(acme.http, "a-key")
    quoted = await ask(acme.http, '"a-key"')  # as the draft writes it
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    for repeated in (again, quoted):
        assert repeated.status_code == 201
        assert repeated.headers["idempotency-replayed"] == "true"
        assert repeated.content == first.content
        assert repeated.headers["etag"] == first.headers["etag"]
        assert repeated.headers["content-type"] == first.headers["content-type"]
        assert repeated.headers["x-request-id"] != first.headers["x-request-id"]
    assert await places(world, acme) == 1
    await ask(acme.http, None)
    await ask(acme.http, "another")
    assert await places(world, acme) == 3


async def test_another_request_with_the_same_key_is_refused(world: World) -> None:
    acme = await world.tenant()
    await ask(acme.http, "k")
    for wrong in (
        await ask(acme.http, "k", name="Other"),
        await ask(acme.http, "k", path=ZONES + "?x=1"),
    ):
        assert (wrong.status_code, wrong.json()["code"]) == (422, "idempotency_mismatch")
    assert await places(world, acme, "Other") == 0
    # of another route, another person and another client it is another key
    folder = await ask(acme.http, "k", path="/api/v1/music/folders/", name="F")
    assert folder.status_code == 201
    colleague = await world.colleague(acme, "client")
    assert "idempotency-replayed" not in (await ask(colleague, "k")).headers
    other = await world.tenant("Other")
    assert "idempotency-replayed" not in (await ask(other.http, "k")).headers
    assert await places(world, acme) == 2
    assert await places(world, other) == 1


@pytest.mark.parametrize("bad", ["", "x" * 256, "a b", "ü".encode("latin-1")])
async def test_what_is_no_key_is_refused(world: World, bad: Any) -> None:
    acme = await world.tenant()
    headers = {"Idempotency-Key": bad}
    answer = await acme.http.post(ZONES, json={"name": "Shop"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_a_refusal_is_not_remembered(world: World) -> None:
    acme = await world.tenant()
    gone = str(uuid4())
    body = {"name": "Hall", "location_id": gone}
    refused = await ask(acme.http, "k", path="/api/v1/floors/", **body)
    assert refused.status_code in {404, 409, 422}
    async with world.ctx() as ctx:
        assert (await ctx.db.exec(select(func.count()).select_from(KeptAnswer))).one() == 0
    repaired = await ask(acme.http, "k")
    assert repaired.status_code == 201


async def test_a_secret_shown_once_is_shown_again_and_lies_sealed(world: World) -> None:
    acme = await world.tenant()
    body = {"name": "s", "hardware_id": "00:11", "model": "t"}
    path = "/api/v1/devices/register/"
    first = await ask(acme.http, "k", path=path, **body)
    again = await ask(acme.http, "k", path=path, **body)
    secret = first.json()["credential"]["secret"]
    assert again.json()["credential"]["secret"] == secret
    async with world.ctx() as ctx:
        row = (await ctx.db.exec(select(KeptAnswer))).one()
        assert row.answer is not None
        assert secret not in row.answer
        assert row.answer.startswith("s1.")
    other = await world.tenant("Other")
    async with world.ctx(other.id) as ctx:  # the fence holds around kept answers too
        assert (await ctx.db.exec(select(KeptAnswer))).all() == []


async def test_after_a_day_a_key_is_forgotten(world: World) -> None:
    acme = await world.tenant()
    await ask(acme.http, "old")
    async with world.ctx() as ctx:
        await ctx.db.execute(
            text("UPDATE kept_answers SET created_at = created_at - interval '24 hours 1 minute'")
        )
    await ask(acme.http, "new")
    async with world.ctx() as ctx:
        assert await idempotency.collect(ctx) == 1
    assert "idempotency-replayed" in (await ask(acme.http, "new")).headers
    assert "idempotency-replayed" not in (await ask(acme.http, "old")).headers
    assert timedelta(hours=24) == idempotency.KEPT


async def test_a_twin_that_would_wait_too_long_comes_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 1)
    acme = await world.tenant()
    await ask(acme.http, "k")
    async with world.ctx() as ctx:  # the first is still being worked on
        await ctx.db.execute(text("DELETE FROM kept_answers"))
        mine = await _actor_of(acme)
        row = KeptAnswer(
            client_id=acme.id,
            actor=f"user {mine}",
            route=f"POST {ZONES}",
            key="slow",
            fingerprint="",
            created_at=ctx.now,
        )
        ctx.db.add(row)
        await ctx.db.flush()
        answer = await ask(acme.http, "slow")
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_progress")
        assert answer.headers["retry-after"] == "2"


async def _actor_of(tenant: Tenant) -> UUID:
    return UUID((await tenant.read("/auth/me/"))["user"]["id"])


async def rush(
    world: World, tenant: Tenant, count: int, send: Callable[..., Awaitable[httpx2.Response]]
) -> int:
    """``count`` requests, each sent three times at once; how many effects there are."""

    async def three(number: int) -> None:
        body = {"name": "Shop", "address": f"{number}"}
        answers = await asyncio.gather(
            *(send(tenant.http, f"key {number}".replace(" ", "-"), ZONES, **body) for _ in range(3))
        )
        assert [a.status_code for a in answers] == [201] * 3
        if send is ask:
            assert len({a.content for a in answers}) == 1
            assert sum("idempotency-replayed" in a.headers for a in answers) == 2

    for begin in range(0, count, 4):
        await asyncio.gather(*(three(n) for n in range(begin, min(count, begin + 4))))
    return await places(world, tenant)


async def test_three_at_once_are_one(world: World) -> None:
    assert await rush(world, await world.tenant(), 40, ask) == 40


@pytest.mark.soak
async def test_a_thousand_times_three_at_once_are_a_thousand(world: World) -> None:
    assert await rush(world, await world.tenant(), 1000, ask) == 1000


async def test_the_count_would_notice_if_keys_did_nothing(world: World) -> None:
    async def without_key(
        http: httpx2.AsyncClient, _: str, path: str, **body: Any
    ) -> httpx2.Response:
        return await ask(http, None, path, **body)

    assert await rush(world, await world.tenant(), 4, without_key) == 12
