"""A new e-mail address: proved by a link to it, told to the old one."""

import json
import secrets

from sqlmodel import col, select

from support.mail import inbox, link_of, run_jobs
from support.world import PASSWORD, Tenant, World
from sync2gear_platform.audit.tables import AuditDetails, AuditEntry
from sync2gear_platform.identity import jobs
from sync2gear_platform.identity.tables import Ticket
from sync2gear_platform.notifications import jobs as mail
from sync2gear_platform.notifications.queries import Kept

PATH = "/api/v1/auth/me/email/"
CONFIRM = "/api/v1/auth/me/email/confirm/"


async def ask(world: World, tenant: Tenant, email: str, password: str = PASSWORD) -> int:
    answer = await tenant.http.post(PATH, json={"email": email, "password": password})
    return answer.status_code


async def letters(world: World, email: str) -> list[Kept]:
    """Do what is due; what the development inbox has for ``email``, the newest first."""
    office = mail.open_office(world.settings, world.db)
    domains = {
        "identity": jobs.blueprint(world.db, world.settings.public_url),
        "notifications": mail.blueprint(office),
    }
    await run_jobs(world, domains)
    return await inbox(world, email)


async def token(world: World, email: str) -> str:
    """The secret of the newest link that was mailed to ``email``."""
    return link_of((await letters(world, email))[0]).partition("#token=")[2]


async def confirm(world: World, secret: str) -> tuple[int, str]:
    answer = await (await world.http()).post(CONFIRM, json={"token": secret})
    return answer.status_code, answer.json()["code"] if answer.content else ""


async def sign_in(world: World, email: str) -> int:
    http = await world.http()
    answer = await http.post("/api/v1/auth/login/", json={"email": email, "password": PASSWORD})
    return answer.status_code


def fresh() -> str:
    return f"{secrets.token_hex(6)}@example.com"


async def test_the_link_moves_the_account_and_the_old_address_is_told(world: World) -> None:
    tenant, new = await world.tenant(), fresh()
    assert await ask(world, tenant, new) == 202
    # until the link is used nothing has changed
    assert (await tenant.read("/auth/me/"))["user"]["email"] == tenant.email
    assert await sign_in(world, new) == 401
    secret = await token(world, new)
    assert await confirm(world, secret) == (204, "")
    assert (await tenant.http.get("/api/v1/auth/me/")).status_code == 401
    assert await sign_in(world, tenant.email) == 401
    assert await sign_in(world, new) == 200
    told = (await letters(world, tenant.email))[0]
    assert new in told.letter.text
    assert await confirm(world, secret) == (422, "bad_link")
    async with world.ctx(tenant.id) as ctx:
        entry = select(AuditEntry.id).where(col(AuditEntry.action) == "user.email")
        found = select(AuditDetails.body).where(col(AuditDetails.entry_id).in_(entry))
        body = json.loads((await ctx.db.exec(found)).one())
    assert (body["before"], body["after"]) == ({"email": tenant.email}, {"email": new})


async def test_a_stolen_session_does_not_take_the_account_along(world: World) -> None:
    tenant, new = await world.tenant(), fresh()
    assert await ask(world, tenant, new, "not the password") == 403
    assert await letters(world, new) == []
    for body in ({"email": new}, {"email": "no address", "password": PASSWORD}):
        assert (await tenant.http.post(PATH, json=body)).status_code == 422
    http = await world.http()
    assert (await http.post(PATH, json={"email": new, "password": PASSWORD})).status_code == 401


async def test_somebody_elses_address_answers_alike_and_gets_no_link(world: World) -> None:
    tenant, other, taken = await world.tenant(), await world.tenant(), fresh()
    await ask(world, other, taken)
    await confirm(world, await token(world, taken))
    before = len(await letters(world, taken))
    assert await ask(world, tenant, taken.upper()) == 202
    assert len(await letters(world, taken)) == before
    async with world.ctx() as ctx:
        open_ones = select(Ticket).where(col(Ticket.used_at).is_(None))
        assert (await ctx.db.exec(open_ones)).all() == []


async def test_an_address_that_was_taken_meanwhile_is_not_taken_over(world: World) -> None:
    tenant, other, new = await world.tenant(), await world.tenant(), fresh()
    await ask(world, tenant, new)
    mine = await token(world, new)
    await ask(world, other, new)
    assert await confirm(world, await token(world, new)) == (204, "")
    assert await confirm(world, mine) == (409, "email_taken")
    assert (await tenant.read("/auth/me/"))["user"]["email"] == tenant.email


async def test_a_link_is_for_one_purpose_and_one_change(world: World) -> None:
    tenant, one, two = await world.tenant(), fresh(), fresh()
    await ask(world, tenant, one)
    await ask(world, tenant, two)
    first, second = await token(world, one), await token(world, two)
    reset = await (await world.http()).post(
        "/api/v1/auth/password-reset/confirm/",
        json={"token": first, "new_password": "another horse battery"},
    )
    assert reset.status_code == 422
    assert await confirm(world, first) == (204, "")
    assert await confirm(world, second) == (422, "bad_link")
    assert await sign_in(world, one) == 200
