"""The installation's people read and verify every chain; a removed one is explained."""

import json
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.requests import HTTPConnection

from support.world import World
from sync2gear_platform.audit import rules, service
from sync2gear_platform.audit.anchoring import Anchoring
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import driver_url

NIL = str(rules.INSTALLATION)


@pytest.fixture
async def staff(world: World) -> httpx2.AsyncClient:
    """Somebody of the installation, in no client, whom the edge recognises by a header."""
    people = world.app.state.edge.authenticate

    async def recognise(connection: HTTPConnection, ctx: Ctx) -> Actor:
        if connection.headers.get("authorization") != "Bearer staff":
            found: Actor = await people(connection, ctx)
            return found
        allowed = frozenset({"audit.read", connection.headers.get("x-also", "admin.read")})
        return Actor("user", uuid4(), None, allowed, "staff@example.test")

    world.app.state.edge.authenticate = recognise
    return await world.http("staff")


async def test_the_installations_people_see_every_chain_and_its_own(
    world: World, staff: httpx2.AsyncClient
) -> None:
    one, two = await world.tenant("One"), await world.tenant("Two")
    async with world.ctx() as ctx:
        service.record(ctx, "backup.finish", "backup", None)
    listed = (await staff.get("/api/v1/audit/")).json()["results"]
    assert {entry["client_id"] for entry in listed} == {str(one.id), str(two.id), None}
    narrowed = (await staff.get(f"/api/v1/audit/?client_id={two.id}")).json()["results"]
    assert {entry["client_id"] for entry in narrowed} == {str(two.id)}
    own = (await staff.get(f"/api/v1/audit/?client_id={NIL}")).json()["results"]
    assert [entry["action"] for entry in own] == ["backup.finish"]
    exported = await staff.get("/api/v1/audit/export/")
    places = [(e["chain"], e["seq"]) for e in map(json.loads, exported.text.splitlines())]
    assert {chain for chain, _ in places} == {str(one.id), str(two.id), NIL}
    assert places == sorted(places)
    for path in ("audit/", "audit/export/"):
        refused = await staff.get(f"/api/v1/{path}", headers={"x-also": "nothing.else"})
        assert refused.status_code == 403, "without admin.read nobody reads without a client"


async def test_every_chain_is_verified_and_one_that_vanished_is_named(
    world: World, staff: httpx2.AsyncClient
) -> None:
    kept, removed, vanished = [await world.tenant(name) for name in ("A", "B", "C")]
    anchoring = Anchoring(world.db, world.clock, world.settings.anchors_path)
    await anchoring.tick()
    anchoring.close()
    async with world.ctx() as ctx:
        await service.remove_chain(ctx, removed.id)
    await forget(world, str(vanished.id))
    chains = (await staff.get("/api/v1/audit/chains/")).json()["results"]
    assert {one["client_id"]: one["entries"] for one in chains} == {
        str(kept.id): 4, str(vanished.id): 0, NIL: 1,
    }  # fmt: skip
    verdicts = {}
    for one in chains:
        body = {"client_id": one["client_id"]}
        verdict = (await staff.post("/api/v1/audit/verify/", json=body)).json()
        verdicts[one["client_id"]] = verdict["fault"] and verdict["fault"]["kind"]
    assert verdicts == {str(kept.id): None, NIL: None, str(vanished.id): "chain_missing"}


async def forget(world: World, chain: str) -> None:
    """A chain goes without a word, by the owner's hand and with its triggers off."""
    assert world.settings.database_admin_url is not None
    engine = create_async_engine(driver_url(world.settings.database_admin_url.get_secret_value()))
    async with engine.begin() as connection:
        for table, column in (("seals", "chain"), ("details", "client_id"),
                              ("entries", "client_id"), ("heads", "chain")):  # fmt: skip
            await connection.execute(text(f"ALTER TABLE audit_{table} DISABLE TRIGGER USER"))
            await connection.execute(
                text(f"DELETE FROM audit_{table} WHERE {column} = :id"), {"id": chain}
            )
            await connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            await connection.execute(text(f"ALTER TABLE audit_{table} ENABLE TRIGGER USER"))
    await engine.dispose()
