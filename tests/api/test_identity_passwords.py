"""New passwords over HTTP: judged wherever one is chosen, with what is known of the person."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.services import PostgresServer
from support.world import PASSWORD, World, cloned_database, make_settings

BREACHED = "vier Enten tanzen heimlich"
SIGNUP = {
    "email": "anna.schmidt@backhaus.example.com",
    "name": "Anna Schmidt",
    "company": "Backhaus Lindner",
}


@pytest.fixture
async def world(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[World]:
    """An installation with a list of breached passwords."""
    path = tmp_path / "pwned.txt"
    known = (BREACHED, "something else", "and more")
    digests = sorted(hashlib.sha1(p.encode()).hexdigest().upper() for p in known)
    path.write_text("".join(f"{digest}:7\r\n" for digest in digests))
    with cloned_database(postgres) as (admin_url, app_url):
        settings = make_settings(tmp_path, app_url, admin_url)
        settings = settings.model_copy(update={"breached_passwords": path})
        async with World.open(settings) as opened:
            yield opened


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("k7%Qz", "too_short"),
        ("password1234", "passwords"),
        ("Anna.Schmidt!1984", "own"),
        ("Backhaus-Lindner", "own"),
        (BREACHED, "breached"),
    ],
)
async def test_a_weak_password_signs_nobody_up(world: World, password: str, reason: str) -> None:
    http = await world.http()
    answer = await http.post("/api/v1/auth/signup/", json={**SIGNUP, "password": password})
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["reason"]) == ("weak_password", reason)
    assert password not in answer.text
    answer = await http.post("/api/v1/auth/signup/", json={**SIGNUP, "password": PASSWORD})
    assert answer.status_code == 202, answer.text


async def test_a_password_is_not_changed_for_a_weak_or_breached_one(world: World) -> None:
    tenant = await world.tenant()
    for new, reason in (
        ("qwertyuiop12", "passwords"),
        (tenant.email, "own"),
        (BREACHED, "breached"),
    ):
        answer = await tenant.http.post(
            "/api/v1/auth/change-password/",
            json={"current_password": PASSWORD, "new_password": new},
        )
        assert (answer.status_code, answer.json().get("reason")) == (422, reason)
    assert await world.token(tenant.email)


async def test_accents_sign_in_from_every_keyboard(world: World) -> None:
    tenant = await world.tenant()
    composed, decomposed = "Öl für Großmütter", "O\u0308l fu\u0308r Großmu\u0308tter"
    answer = await tenant.http.post(
        "/api/v1/auth/change-password/",
        json={"current_password": PASSWORD, "new_password": composed},
    )
    assert answer.status_code == 200, answer.text
    http = await world.http()
    for typed in (composed, decomposed):
        body = {"email": tenant.email, "password": typed}
        assert (await http.post("/api/v1/auth/login/", json=body)).status_code == 200


async def test_a_list_that_is_gone_lets_no_password_pass(world: World) -> None:
    assert world.settings.breached_passwords is not None
    world.settings.breached_passwords.unlink()
    http = await world.http()
    answer = await http.post("/api/v1/auth/signup/", json={**SIGNUP, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (503, "breached_list_unavailable")
