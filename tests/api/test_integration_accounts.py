"""Integration accounts over REST: made, listed, revoked, limited, audited, each client's own."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import select

from support.world import Tenant, World
from sync2gear_broker import topics
from sync2gear_platform.audit.tables import AuditEntry
from sync2gear_platform.fleet import rules
from sync2gear_platform.fleet.tables import MqttAccount

PATH = "/api/v1/integrations/mqtt/"


async def make(tenant: Tenant, name: str = "Till", **more: Any) -> dict[str, Any]:
    return await tenant.make("/integrations/mqtt/", name=name, **more)


async def test_an_account_is_shown_but_its_secret_only_once(world: World) -> None:
    tenant = await world.tenant()
    made = await make(tenant)
    account, credential = made["account"], made["credential"]
    assert len(credential["secret"]) == 43
    assert credential["username"] == account["username"] == f"integration-{account['id']}"
    assert credential["topic_filter"] == f"s2g/1/{tenant.id}/_z/#"
    assert credential["mqtt_url"] == world.settings.mqtt_device_url
    listed = await tenant.read("/integrations/mqtt/")
    assert listed["results"] == [account]
    assert credential["secret"] not in str(listed)
    async with world.ctx() as ctx:
        row = (await ctx.db.exec(select(MqttAccount))).one()
        audited = (await ctx.db.exec(select(AuditEntry))).all()
    assert rules.verify_secret(credential["secret"], row.secret_hash)
    assert credential["secret"] not in str(audited)


async def test_making_and_revoking_are_written_down(world: World) -> None:
    tenant = await world.tenant()
    account = (await make(tenant))["account"]
    assert (await tenant.http.delete(f"{PATH}{account['id']}/")).status_code == 204
    assert (await tenant.http.delete(f"{PATH}{account['id']}/")).status_code == 404
    assert (await tenant.read("/integrations/mqtt/"))["results"] == []
    async with world.ctx() as ctx:
        entries = (await ctx.db.exec(select(AuditEntry).order_by(AuditEntry.at))).all()
    found = [(e.action, str(e.subject_id)) for e in entries if e.subject_type == "mqtt_account"]
    assert found == [("integration.make", account["id"]), ("integration.revoke", account["id"])]


async def test_another_clients_accounts_do_not_exist(world: World) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    account = (await make(theirs))["account"]
    foreign = await mine.http.delete(f"{PATH}{account['id']}/")
    unknown = await mine.http.delete(f"{PATH}{uuid4()}/")
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json()["detail"] == unknown.json()["detail"]
    assert (await mine.read("/integrations/mqtt/"))["results"] == []
    assert len((await theirs.read("/integrations/mqtt/"))["results"]) == 1


@pytest.mark.parametrize("role", ["floor", "viewer", "technician"])
async def test_only_a_manager_makes_accounts(world: World, role: str) -> None:
    tenant = await world.tenant()
    http = await world.colleague(tenant, role)
    assert (await http.post(PATH, json={"name": "x"})).status_code == 403
    assert (await http.get(PATH)).status_code == 403
    assert (await http.delete(f"{PATH}{uuid4()}/")).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "a\0b"},
        {"name": "a" * 256},
        {"name": "a", "secret": "mine"},
        {"name": "a", "expires_at": "tomorrow"},
        {"name": "a", "expires_at": "2030-01-01T00:00:00"},
    ],
)
async def test_a_bad_account_is_refused(world: World, body: dict[str, Any]) -> None:
    tenant = await world.tenant()
    answer = await tenant.http.post(PATH, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_an_account_may_expire_but_not_before_it_is_made(world: World) -> None:
    tenant = await world.tenant()
    later = world.clock.now() + timedelta(days=1)
    made = await make(tenant, expires_at=later.isoformat())
    assert made["account"]["expires_at"].startswith(later.isoformat()[:19])
    past = world.clock.now() - timedelta(seconds=1)
    answer = await tenant.http.post(PATH, json={"name": "x", "expires_at": past.isoformat()})
    assert (answer.status_code, answer.json()["code"]) == (422, "already_expired")


async def test_a_client_has_so_many_accounts_even_when_all_come_at_once(world: World) -> None:
    tenant = await world.tenant()
    answers = await asyncio.gather(
        *(tenant.http.post(PATH, json={"name": f"{n}"}) for n in range(25))
    )
    assert [a.status_code for a in answers].count(201) == 20
    assert {a.json()["code"] for a in answers if a.status_code != 201} == {"account_limit"}


async def test_an_integrations_secret_opens_nothing_over_http(world: World) -> None:
    tenant = await world.tenant()
    credential = (await make(tenant))["credential"]
    http = await world.http()
    for path in ("/api/v1/zones/", f"/api/v1/programmes/{'0' * 64}/"):
        answer = await http.get(path, auth=(credential["username"], credential["secret"]))
        assert answer.status_code == 401
    assert topics.split_username(credential["username"]) is None
