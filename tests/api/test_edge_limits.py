"""Rate limits over HTTP and WebSocket, behind proxies, and what each client's use adds up to."""

import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from support.services import PostgresServer
from support.world import Tenant, World, cloned_database, make_settings
from sync2gear_platform.kit import usage
from sync2gear_platform.kit.limits import Limits, quotas

LOGIN = {"email": "nobody@example.test", "password": "wrong but long enough"}


@pytest.fixture
async def tight(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[World]:
    """An installation behind one proxy, with limits that a test reaches quickly."""
    with cloned_database(postgres) as (admin_url, app_url):
        settings = make_settings(
            tmp_path,
            app_url,
            admin_url,
            trusted_proxies="10.0.0.1",
            rate_sign_in="6/minute",
            rate_commands="5/minute",
            rate_commands_shared="8/minute",
            rate_reads="20/minute",
            rate_reads_shared="60/minute",
            rate_fetches="30/minute",
            rate_fetches_shared="1000/minute",
        )
        async with World.open(settings) as opened:
            stopped = Limits(quotas(settings), clock=lambda: 600.0)  # no window ends meanwhile
            for name, value in vars(stopped).items():
                setattr(opened.app.state.limits, name, value)
            yield opened


async def statuses(http: httpx2.AsyncClient, count: int, path: str = "/api/v1/zones/") -> list[int]:
    return [(await http.get(path)).status_code for _ in range(count)]


async def test_signing_in_is_limited_by_the_address_that_the_proxy_saw(tight: World) -> None:
    proxy = await tight.http(address="10.0.0.1")

    async def attempt(http: httpx2.AsyncClient, *hops: str) -> httpx2.Response:
        headers = {"X-Forwarded-For": ", ".join(hops)} if hops else {}
        return await http.post("/api/v1/auth/login/", json=LOGIN, headers=headers)

    # an attacker who invents another address each time
    for number in range(6):
        answer = await attempt(proxy, f"198.51.100.{number}", "203.0.113.9")
        assert answer.status_code == 401
    answer = await attempt(proxy, "198.51.100.99", "203.0.113.9")
    assert answer.status_code == 429
    problem = answer.json()
    assert problem["code"] == "rate_limited"
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert problem["violated-policies"] == ["sign_in-address"]
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert answer.headers["ratelimit-policy"] == '"sign_in-address";q=6;w=60'
    assert answer.headers["ratelimit"].startswith('"sign_in-address";r=0;t=')
    assert answer.headers["x-request-id"] == problem["trace"]
    # the neighbour behind the same proxy is not meant, nor is the attacker's reading
    assert (await attempt(proxy, "203.0.113.10")).status_code == 401
    reading = await proxy.get("/api/v1/health/", headers={"X-Forwarded-For": "203.0.113.9"})
    assert reading.status_code == 200
    # from anywhere else the header is worth nothing
    direct = await tight.http(address="192.0.2.50")
    codes = [(await attempt(direct, f"198.51.100.{n}")).status_code for n in range(8)]
    assert codes == [401] * 6 + [429] * 2


async def test_a_person_is_limited_alone_and_a_client_as_a_whole(tight: World) -> None:
    acme = await tight.tenant()
    token = acme.http.headers["authorization"]
    colleagues = [await tight.colleague(acme, "client") for _ in range(3)]
    people = [token, *(colleague.headers["authorization"] for colleague in colleagues)]

    async def reading(person: str, address: str, count: int) -> list[int]:
        http = await tight.http(address=address)
        http.headers["authorization"] = person
        return await statuses(http, count)

    ok = await acme.http.get("/api/v1/zones/")
    assert ok.headers["ratelimit-policy"] == '"read-user";q=20;w=60'
    assert ok.headers["ratelimit"].startswith('"read-user";r=19;t=')
    # each from an address of its own, which would be the next limit
    assert await reading(people[0], "203.0.113.1", 22) == [200] * 19 + [429] * 3
    assert await reading(people[1], "203.0.113.2", 22) == [200] * 20 + [429] * 2
    assert await reading(people[2], "203.0.113.3", 22) == [200] * 20 + [429] * 2
    assert await reading(people[3], "203.0.113.4", 22) == [429] * 22
    # another class, and another client, notice nothing
    answer = await acme.http.post("/api/v1/locations/", json={"name": "x"})
    assert answer.status_code == 201
    other = await tight.tenant("Other")
    token = other.http.headers["authorization"]
    assert await reading(token, "203.0.113.5", 20) == [200] * 20


async def test_an_abusive_client_costs_its_neighbours_nothing(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    with cloned_database(postgres) as (admin_url, app_url):
        settings = make_settings(
            tmp_path, app_url, admin_url, rate_reads="10/minute", rate_reads_shared="20/minute"
        )
        async with World.open(settings) as world:
            bad, good = await world.tenant("Bad"), await world.tenant("Good")
            token = bad.http.headers["authorization"]
            refused = passed = 0
            for number in range(200):
                # from everywhere, so that no address gives it away
                http = await world.http(address=f"203.0.113.{number}")
                answer = await http.get("/api/v1/zones/", headers={"authorization": token})
                refused += answer.status_code == 429
                passed += answer.status_code == 200
                if number % 25 == 0:
                    assert (await good.http.get("/api/v1/zones/")).status_code == 200
            assert passed <= 20
            assert refused >= 180


async def device_of(tenant: Tenant) -> dict[str, str]:
    """The header of a new speaker's credential."""
    made = await tenant.make("/devices/register/", name="s", hardware_id="00:11", model="t")
    credential = made["credential"]
    plain = f"{credential['client']}/{credential['device']}:{credential['secret']}"
    return {"Authorization": f"Basic {base64.b64encode(plain.encode()).decode()}"}


async def test_speakers_have_a_class_of_their_own(tight: World) -> None:
    acme = await tight.tenant()
    headers = await device_of(acme)
    speaker = await tight.http(address="203.0.113.77")
    person = await tight.http(address="203.0.113.77")
    assert await statuses(person, 61, "/api/v1/health/") == [200] * 60 + [429]
    path = f"/api/v1/media/{'0' * 64}/"
    codes = [(await speaker.get(path, headers=headers)).status_code for _ in range(35)]
    assert codes == [404] * 30 + [429] * 5
    # a credential that is none is refused by its secret, and counted by its address
    answer = await speaker.get(path, headers={"Authorization": "Basic eDp5"})
    assert answer.status_code == 401


async def test_a_websocket_is_refused_before_it_opens(tight: World) -> None:
    client = TestClient(tight.app, client=("203.0.113.30", 1))
    for _ in range(60):
        client.get("/api/v1/health/")
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect("/ws/playback/"),
    ):
        pass
    answer: Any = refused.value
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


async def test_use_is_counted_by_client_and_written_in_batches(world: World) -> None:
    acme, other = await world.tenant(), await world.tenant("Other")
    for _ in range(3):
        await acme.read("/zones/")
    assert (await acme.http.get("/api/v1/zones/nonsense/")).status_code == 422
    await other.read("/zones/")
    anonymous = await world.http()
    assert (await anonymous.get("/api/v1/zones/")).status_code == 401
    counters = world.app.state.usage
    today = world.clock.now().date()

    async def used(client: Tenant | None) -> list[tuple[Any, ...]]:
        async with world.ctx(client.id if client else None) as ctx:
            rows = await usage.of_clients(ctx, today - timedelta(1), today)
        return [(r.client_id, r.traffic, r.requests, r.errors) for r in rows]

    assert await used(None) == []  # nothing is written while people wait
    assert await counters.flush(world.db) == 4
    assert await counters.flush(world.db) == 0
    await acme.read("/zones/")
    await counters.flush(world.db)
    mine = [(acme.id, "command", 1, 0), (acme.id, "read", 5, 1)]
    theirs = [(other.id, "command", 1, 0), (other.id, "read", 1, 0)]
    assert await used(None) == sorted([*mine, *theirs])
    assert await used(acme) == mine  # the fence holds
    async with world.ctx() as ctx:
        rows = await usage.of_clients(ctx, today, today, acme.id)
        assert [r.traffic for r in rows] == ["command", "read"]
        assert all(r.bytes_sent > 0 for r in rows)
        assert await usage.of_clients(ctx, today + timedelta(1), today + timedelta(9)) == []


async def test_what_cannot_be_written_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = await world.tenant()
    today = world.clock.now().date()
    counters = usage.Usage()
    counters.count(acme.id, today, "read", failed=True, sent=10)
    whole = world.db.engine
    dead = create_async_engine(whole.url.set(port=1))
    monkeypatch.setattr(world.db, "engine", dead)
    with pytest.raises(OperationalError):
        await counters.flush(world.db)
    counters.count(acme.id, today, "read", failed=False, sent=5)
    await dead.dispose()
    monkeypatch.setattr(world.db, "engine", whole)
    assert await counters.flush(world.db) == 1
    async with world.ctx() as ctx:
        rows = await usage.of_clients(ctx, today, today)
    assert [(r.requests, r.errors, r.bytes_sent) for r in rows] == [(2, 1, 15)]


async def test_counters_do_not_grow_without_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "MAX_COUNTERS", 2)
    today = world.clock.now().date()
    counters = usage.Usage()
    acme = await world.tenant()
    for traffic in ("read", "command", "fetch", "read"):
        counters.count(acme.id, today, traffic, failed=False, sent=0)
    assert await counters.flush(world.db) == 2


async def test_a_websocket_opens_for_pages_of_allowed_origins_only(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    with cloned_database(postgres) as (admin_url, app_url):
        settings = make_settings(tmp_path, app_url, admin_url, cors_origins="https://till.example")
        async with World.open(settings) as world:
            client = TestClient(world.app)
            for origin in ("http://platform.test", "https://till.example"):
                with client.websocket_connect("/ws/playback/", headers={"Origin": origin}) as ws:
                    ws.send_json({"type": "auth", "token": "none"})
                    assert ws.receive_json()["code"] == "session_ended"
            for origin in ("https://evil.example", "http://till.example", "null"):
                with (
                    pytest.raises(WebSocketDisconnect),
                    client.websocket_connect("/ws/playback/", headers={"Origin": origin}),
                ):
                    pass
