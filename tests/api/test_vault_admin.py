"""What the installation's own people do over HTTP: rotating the vault, dead letters."""

from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import text

from support.mail import inbox, run_jobs, send_mail
from support.smtp import smtp_sink
from support.world import World
from sync2gear_platform.jobs import app as jobs
from sync2gear_platform.kit import rotation
from sync2gear_platform.kit.vault import Vault
from sync2gear_platform.vaulting.jobs import blueprint


@pytest.fixture
async def admin(world: World) -> httpx2.AsyncClient:
    """An administrator of the installation."""
    return await world.staff("admin")


async def ask(world: World) -> None:
    async with world.ctx() as ctx:
        await jobs.defer(
            ctx, "notifications:mail", to="kim@example.com", template="password_reset",
            locale="en", values={"url": "https://x.example/canary"},
        )  # fmt: skip


async def test_a_rotation_is_asked_for_and_followed(
    world: World, admin: httpx2.AsyncClient
) -> None:
    await ask(world)
    await inbox(world)
    key = Fernet.generate_key().decode()
    rotated = Vault([key, *world.settings.vault_key_list])
    world.db.vault = rotated
    answer = await admin.post("/api/v1/admin/vault/rotate/", json={})
    assert answer.status_code == 202
    begun = answer.json()
    assert (begun["state"], begun["total"], begun["resealed"]) == ("running", 1, 0)
    await run_jobs(world, {"vaulting": blueprint(world.db, rotated)})
    ended = (await admin.get(f"/api/v1/admin/vault/rotations/{begun['id']}/")).json()
    assert (ended["state"], ended["resealed"], ended["remaining"]) == ("done", 1, 0)
    assert ended["ended_at"] > begun["created_at"]
    async with world.db.system() as session:
        assert await rotation.left(session, Vault([key])) == 0
        entries = await session.execute(text("SELECT action FROM audit_entries"))
        assert "vault.rotate" in [action for (action,) in entries]


async def test_what_no_key_opens_is_told(world: World, admin: httpx2.AsyncClient) -> None:
    await ask(world)
    await inbox(world)
    stranger = Vault([Fernet.generate_key().decode()])
    world.db.vault = stranger
    begun = (await admin.post("/api/v1/admin/vault/rotate/", json={})).json()
    await run_jobs(world, {"vaulting": blueprint(world.db, stranger)})
    ended = (await admin.get(f"/api/v1/admin/vault/rotations/{begun['id']}/")).json()
    assert (ended["state"], ended["remaining"], ended["unreadable"]) == ("incomplete", 1, 1)


async def test_unknown_rotations_and_letters_are_not_found(
    world: World, admin: httpx2.AsyncClient
) -> None:
    assert (await admin.get(f"/api/v1/admin/vault/rotations/{uuid4()}/")).status_code == 404
    assert (await admin.post(f"/api/v1/admin/mails/{uuid4()}/resend/")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/admin/vault/rotate/"),
        ("GET", f"/api/v1/admin/vault/rotations/{UUID(int=7)}/"),
        ("GET", "/api/v1/admin/mails/"),
        ("POST", f"/api/v1/admin/mails/{UUID(int=7)}/resend/"),
    ],
)
async def test_a_manager_of_a_client_may_not(world: World, method: str, path: str) -> None:
    tenant = await world.tenant()
    assert (await tenant.http.request(method, path)).status_code == 403
    assert (await (await world.http()).request(method, path)).status_code == 401


async def test_a_dead_letter_is_seen_and_sent_again(
    world: World, admin: httpx2.AsyncClient
) -> None:
    await ask(world)
    mail: dict[str, Any] = {"mail_from": "sound@example.com"}
    async with smtp_sink() as sink:
        mail["smtp_url"] = SecretStr(sink.url)
        sink.answers = ["554 5.7.1 not today"]
        settings = world.settings.model_copy(update=mail)
        await send_mail(world, settings)
        [dead] = (await admin.get("/api/v1/admin/mails/", params={"state": "dead"})).json()[
            "results"
        ]
        assert (dead["recipient"], dead["attempts"]) == ("kim@example.com", 1)
        assert "not today" in dead["reason"]
        assert "canary" not in (await admin.get("/api/v1/admin/mails/")).text
        again = await admin.post(f"/api/v1/admin/mails/{dead['id']}/resend/")
        assert (again.status_code, again.json()["state"]) == (202, "waiting")
        await send_mail(world, settings)
        refused = await admin.post(f"/api/v1/admin/mails/{dead['id']}/resend/")
        assert (refused.status_code, refused.json()["code"]) == (409, "mail_not_dead")
    assert len(sink.messages) == 1
    sent = (await admin.get("/api/v1/admin/mails/", params={"search": "KIM"})).json()["results"]
    assert [one["state"] for one in sent] == ["sent"]
    assert (await admin.get("/api/v1/admin/mails/", params={"state": "dead"})).json()[
        "results"
    ] == []
