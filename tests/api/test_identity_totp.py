"""The second factor: setting it up, signing in with it, losing the telephone, and guessing."""

import asyncio
from typing import Any
from uuid import UUID

import httpx2
import pyotp
import pytest
from sqlalchemy import func, text
from sqlmodel import col, select

from support.world import PASSWORD, Tenant, World
from sync2gear_platform.audit.tables import AuditEntry
from sync2gear_platform.identity import second_factor, totp
from sync2gear_platform.identity.tables import RecoveryCode, SecondFactor, SignInAttempt, User

LOGIN = "/api/v1/auth/login/"
TOTP = "/api/v1/auth/totp/"


class App:
    """The authenticator app on somebody's telephone, whose clock tests move."""

    def __init__(self, world: World, secret: str) -> None:
        self.world = world
        self.totp = pyotp.TOTP(secret)

    def code(self, steps: int = 0) -> str:
        return self.totp.generate_otp(totp.step_at(self.world.clock.now()) + steps)

    def wrong(self) -> str:
        right = {self.code(steps) for steps in range(-3, 4)}
        return next(c for c in ("000000", "111111", "222222", "333333") if c not in right)


async def ask(http: httpx2.AsyncClient, path: str, **body: Any) -> httpx2.Response:
    return await http.post(TOTP + path, json=body)


async def set_up(world: World, tenant: Tenant) -> tuple[App, list[str]]:
    """Switch the second factor on, with the code of the step before, so that the next is unused."""
    offer = (await ask(tenant.http, "setup/", password=PASSWORD)).json()
    app = App(world, offer["secret"])
    answer = await ask(tenant.http, "confirm/", otp=app.code(-1))
    assert answer.status_code == 200, answer.text
    codes: list[str] = answer.json()["recovery_codes"]
    return app, codes


async def sign_in(world: World, tenant: Tenant, **more: str) -> httpx2.Response:
    http = await world.http()
    return await http.post(LOGIN, json={"email": tenant.email, "password": PASSWORD, **more})


async def my_id(tenant: Tenant) -> UUID:
    return UUID((await tenant.read("/auth/me/"))["user"]["id"])


async def actions(world: World, tenant: Tenant) -> list[str]:
    async with world.ctx(tenant.id) as ctx:
        statement = select(AuditEntry.action).order_by(col(AuditEntry.id))
        found = (await ctx.db.exec(statement)).all()
    return list(found)


async def mails(world: World) -> list[str]:
    async with world.ctx() as ctx:
        found = await ctx.db.execute(
            text("SELECT args->>'template' FROM procrastinate_jobs WHERE task_name LIKE '%mail'")
        )
        return [row[0] for row in found]


async def test_a_telephone_becomes_the_second_factor(world: World) -> None:
    tenant = await world.tenant()
    assert (await tenant.read("/auth/totp/")) == {
        "enabled": False, "since": None, "recovery_codes_left": 0, "required": False,
    }  # fmt: skip
    answer = await ask(tenant.http, "setup/", password=PASSWORD)
    offer = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    read = pyotp.parse_uri(offer["uri"])
    assert (read.secret, read.name) == (offer["secret"], tenant.email)
    assert offer["svg"].startswith("<svg")
    # it does not count yet
    assert (await sign_in(world, tenant)).status_code == 200
    assert not (await tenant.read("/auth/totp/"))["enabled"]
    app = App(world, offer["secret"])
    assert (await ask(tenant.http, "confirm/", otp=app.wrong())).json()["code"] == "wrong_otp"
    answer = await ask(tenant.http, "confirm/", otp=app.code())
    assert answer.headers["cache-control"] == "no-store"
    assert len(set(answer.json()["recovery_codes"])) == 10
    status = await tenant.read("/auth/totp/")
    assert (status["enabled"], status["recovery_codes_left"]) == (True, 10)
    assert "totp.enable" in await actions(world, tenant)
    assert "totp_enabled" in await mails(world)


async def test_signing_in_asks_for_the_code_after_the_right_password_only(world: World) -> None:
    tenant = await world.tenant()
    app, _ = await set_up(world, tenant)
    asked = await sign_in(world, tenant)
    assert (asked.status_code, asked.json()["code"]) == (401, "otp_required")
    assert "access" not in asked.json()
    http = await world.http()
    for otp in ({}, {"otp": app.code()}):
        body = {"email": tenant.email, "password": "not the password", **otp}
        answer = await http.post(LOGIN, json=body)
        assert answer.json()["code"] == "wrong_login"
    assert (await sign_in(world, tenant, otp=app.wrong())).json()["code"] == "wrong_otp"
    answer = await sign_in(world, tenant, otp=app.code())
    assert answer.status_code == 200
    assert answer.json()["access"]
    # a colleague is not asked
    other = await world.tenant()
    assert (await sign_in(world, other)).status_code == 200
    assert (await sign_in(world, other, otp="123456")).status_code == 200


async def test_a_code_works_once_however_many_try_at_once(world: World) -> None:
    tenant = await world.tenant()
    app, _ = await set_up(world, tenant)
    code = app.code()
    answers = await asyncio.gather(*(sign_in(world, tenant, otp=code) for _ in range(6)))
    assert sorted(a.status_code for a in answers) == [200, 401, 401, 401, 401, 401]
    assert (await sign_in(world, tenant, otp=app.code(-1))).json()["code"] == "wrong_otp"
    assert (await sign_in(world, tenant, otp=app.code(1))).status_code == 200


async def test_the_first_code_of_a_set_up_does_not_sign_in_again(world: World) -> None:
    tenant = await world.tenant()
    offer = (await ask(tenant.http, "setup/", password=PASSWORD)).json()
    code = App(world, offer["secret"]).code()
    assert (await ask(tenant.http, "confirm/", otp=code)).status_code == 200
    assert (await sign_in(world, tenant, otp=code)).json()["code"] == "wrong_otp"


async def test_a_recovery_code_stands_in_once(world: World) -> None:
    tenant = await world.tenant()
    _, codes = await set_up(world, tenant)
    answers = await asyncio.gather(*(sign_in(world, tenant, otp=codes[3]) for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [200, 401, 401, 401, 401]
    typed = codes[7].upper().replace("-", " ")
    assert (await sign_in(world, tenant, otp=typed)).status_code == 200
    assert (await tenant.read("/auth/totp/"))["recovery_codes_left"] == 8
    assert (await actions(world, tenant)).count("recovery_code.use") == 2
    other = await world.tenant()
    await set_up(world, other)
    assert (await sign_in(world, other, otp=codes[0])).status_code == 401


async def test_wrong_codes_end_the_guessing_but_not_the_owner(world: World) -> None:
    tenant = await world.tenant()
    app, codes = await set_up(world, tenant)
    user_id = await my_id(tenant)
    for _ in range(second_factor.MAX_TRIES):
        assert (await sign_in(world, tenant, otp=app.wrong())).status_code == 401
        async with world.ctx() as ctx:  # as if from another address each time
            await ctx.db.execute(text("DELETE FROM sign_in_attempts"))
    limited = await sign_in(world, tenant, otp=app.code())
    assert (limited.status_code, limited.json()["code"]) == (429, "too_many_codes")
    assert int(limited.headers["retry-after"]) > 0
    assert (await sign_in(world, tenant, otp=codes[0])).status_code == 200
    async with world.ctx() as ctx:
        row = await ctx.db.get_one(SecondFactor, user_id)
        row.tries_since = ctx.now - second_factor.TRIES_WINDOW * 2
    assert (await sign_in(world, tenant, otp=app.code())).status_code == 200


async def test_guesses_at_once_are_counted_as_many(world: World) -> None:
    tenant = await world.tenant()
    app, _ = await set_up(world, tenant)
    answers = await asyncio.gather(*(sign_in(world, tenant, otp=app.wrong()) for _ in range(16)))
    codes = [answer.json()["code"] for answer in answers]
    assert codes.count("wrong_otp") <= second_factor.MAX_TRIES
    assert set(codes) == {"wrong_otp", "too_many_attempts"}
    async with world.ctx() as ctx:
        failed = select(func.count()).select_from(SignInAttempt).where(~col(SignInAttempt.ok))
        assert (await ctx.db.exec(failed)).one() == codes.count("wrong_otp")


async def test_asking_for_the_code_is_no_failure(world: World) -> None:
    tenant = await world.tenant()
    app, _ = await set_up(world, tenant)
    for _ in range(15):
        assert (await sign_in(world, tenant)).json()["code"] == "otp_required"
    assert (await sign_in(world, tenant, otp=app.code())).status_code == 200


@pytest.mark.parametrize("path", ["disable/", "recovery-codes/"])
async def test_only_the_person_itself_weakens_its_second_factor(world: World, path: str) -> None:
    tenant = await world.tenant()
    app, _ = await set_up(world, tenant)
    for proof in ({"password": "not the password"}, {"otp": app.wrong()}):
        answer = await ask(tenant.http, path, **proof)
        assert answer.status_code == 403, answer.text
    for nonsense in ({}, {"password": PASSWORD, "otp": app.code()}, {"otp": "1"}):
        assert (await ask(tenant.http, path, **nonsense)).status_code == 422
    assert (await ask(await world.http(), path, password=PASSWORD)).status_code == 401
    assert (await tenant.read("/auth/totp/"))["recovery_codes_left"] == 10
    assert (await ask(tenant.http, path, otp=app.code())).is_success


async def test_a_stolen_session_cannot_guess_its_way(world: World) -> None:
    tenant = await world.tenant()
    app, _ = await set_up(world, tenant)
    codes = [
        (await ask(tenant.http, "disable/", otp=app.wrong())).json()["code"] for _ in range(12)
    ]
    assert codes == ["wrong_otp"] * 10 + ["too_many_attempts"] * 2
    assert (await tenant.read("/auth/totp/"))["enabled"]


async def test_setting_up_needs_the_password_and_no_second_factor_yet(world: World) -> None:
    tenant = await world.tenant()
    answer = await ask(tenant.http, "setup/", password="not the password")
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
    assert (await ask(tenant.http, "confirm/", otp="123456")).json()["code"] == "totp_disabled"
    for path in ("disable/", "recovery-codes/"):
        answer = await ask(tenant.http, path, password=PASSWORD)
        assert (answer.status_code, answer.json()["code"]) == (409, "totp_disabled")
        assert (await ask(tenant.http, path, otp="123456")).status_code == 403
    app, _ = await set_up(world, tenant)
    assert (await ask(tenant.http, "setup/", password=PASSWORD)).json()["code"] == "totp_enabled"
    assert (await ask(tenant.http, "confirm/", otp=app.code())).json()["code"] == "totp_enabled"


async def test_switched_off_the_password_is_enough_and_old_codes_are_nothing(world: World) -> None:
    tenant = await world.tenant()
    _, codes = await set_up(world, tenant)
    renewed = (await ask(tenant.http, "recovery-codes/", password=PASSWORD)).json()
    assert not set(renewed["recovery_codes"]) & set(codes)
    assert (await sign_in(world, tenant, otp=codes[0])).status_code == 401
    assert (await ask(tenant.http, "disable/", password=PASSWORD)).status_code == 204
    assert (await sign_in(world, tenant)).status_code == 200
    assert {"recovery_codes.create", "totp.disable"} <= set(await actions(world, tenant))
    assert "totp_disabled" in await mails(world)
    async with world.ctx() as ctx:
        assert (await ctx.db.exec(select(RecoveryCode))).all() == []


async def test_neither_secret_nor_codes_lie_open_in_the_database(world: World) -> None:
    tenant = await world.tenant()
    app, codes = await set_up(world, tenant)
    async with world.ctx() as ctx:
        rows = [r.model_dump_json() for r in (await ctx.db.exec(select(SecondFactor))).all()]
        rows += [r.model_dump_json() for r in (await ctx.db.exec(select(RecoveryCode))).all()]
        jobs = await ctx.db.execute(text("SELECT args::text FROM procrastinate_jobs"))
        trail = await ctx.db.execute(
            text(
                "SELECT row_to_json(a)::text FROM audit_entries a"
                " UNION ALL SELECT body FROM audit_details"
            )
        )
        everything = "\n".join([*rows, *(r[0] for r in jobs), *(r[0] for r in trail)])
    assert "totp.enable" in everything
    for secret in (app.totp.secret, *codes, *(c.replace("-", "") for c in codes)):
        assert secret not in everything


async def test_a_person_that_goes_leaves_no_factor(world: World) -> None:
    tenant = await world.tenant()
    await set_up(world, tenant)
    user_id = await my_id(tenant)
    async with world.ctx() as ctx:
        await ctx.db.delete(await ctx.db.get_one(User, user_id))
        await ctx.db.flush()
        assert (await ctx.db.exec(select(SecondFactor))).all() == []
        assert (await ctx.db.exec(select(RecoveryCode))).all() == []


async def test_a_client_may_ask_its_members_for_a_second_factor(world: World) -> None:
    tenant = await world.tenant()
    floor = await world.colleague(tenant, "floor")
    assert (await floor.get("/api/v1/zones/")).status_code == 200
    answer = await tenant.http.patch("/api/v1/client/", json={"require_second_factor": True})
    assert answer.json()["require_second_factor"] is True
    for http in (floor, tenant.http):
        refused = await http.get("/api/v1/zones/")
        assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
        me = (await http.get("/api/v1/auth/me/")).json()
        assert me["second_factor_missing"] is True
        assert me["permissions"] == ["self"]
    assert (await tenant.read("/auth/totp/"))["required"] is True
    await set_up(world, tenant)
    assert (await tenant.http.get("/api/v1/zones/")).status_code == 200
    assert not (await tenant.read("/auth/me/"))["second_factor_missing"]
    # one that is only begun does not count
    await ask(floor, "setup/", password=PASSWORD)
    assert (await floor.get("/api/v1/zones/")).status_code == 403
    # a neighbour decides for itself
    assert (await (await world.tenant()).http.get("/api/v1/zones/")).status_code == 200


async def test_only_a_manager_asks_for_it(world: World) -> None:
    tenant = await world.tenant()
    floor = await world.colleague(tenant, "floor")
    answer = await floor.patch("/api/v1/client/", json={"require_second_factor": True})
    assert answer.status_code == 403
