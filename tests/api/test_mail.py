"""Mail over real sockets: sent once, tried again, given up with a reason, unreadable at rest."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from support.mail import inbox, send_mail
from support.smtp import PASSWORD, USER, part, self_signed, smtp_sink
from support.world import World
from sync2gear_platform.jobs import app as jobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.notifications import sending, service
from sync2gear_platform.notifications.adapters.smtp import Smtp
from sync2gear_platform.notifications.jobs import open_office
from sync2gear_platform.notifications.ports import NotNow
from sync2gear_platform.settings import Settings

LINK = "https://sync2gear.example/reset/canary-d7c1f0a2"


async def ask(world: World, to: str = "kim@example.com", **values: Any) -> None:
    async with world.ctx() as ctx:
        await jobs.defer(
            ctx,
            "notifications:mail",
            to=to,
            template="password_reset",
            locale="en",
            values={"url": LINK, **values},
        )


def with_server(world: World, url: str) -> Settings:
    return world.settings.model_copy(
        update={"smtp_url": SecretStr(url), "mail_from": "Sound <sound@sync2gear.example>"}
    )


async def rows(world: World) -> list[dict[str, Any]]:
    async with world.db.system() as session:
        found = await session.execute(text("SELECT * FROM mails ORDER BY id"))
        return [dict(row._mapping) for row in found]


async def row(world: World) -> dict[str, Any]:
    [only] = await rows(world)
    return only


async def test_a_letter_is_sent_and_its_content_forgotten(world: World) -> None:
    await ask(world, name="Kim")
    async with smtp_sink() as sink:
        await send_mail(world, with_server(world, sink.url))
        await send_mail(world, with_server(world, sink.url))
    [message] = sink.messages
    sent = await row(world)
    assert (sent["state"], sent["content"], sent["attempts"]) == ("sent", None, 1)
    assert sink.envelopes[0].mail_from == "sound@sync2gear.example"
    assert sink.envelopes[0].rcpt_tos == ["kim@example.com"]
    assert message["To"] == "kim@example.com"
    assert message["From"] == "Sound <sound@sync2gear.example>"
    assert message["Message-ID"] == f"<{sent['id']}@sync2gear.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == sent["created_at"].replace(microsecond=0)
    assert message["Subject"] == "Choose a new password"
    assert "Hello Kim," in part(message, "plain")
    assert f"\n{LINK}\n" in part(message, "plain")
    assert f'href="{LINK}"' in part(message, "html")


async def test_nothing_that_was_asked_for_in_vain_is_mailed(world: World) -> None:
    async def change_of_mind() -> None:
        async with world.ctx() as ctx:
            await jobs.defer(
                ctx, "notifications:mail", to="a@b.test", template="totp_enabled", values={}
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_of_mind()
    assert await inbox(world) == []


async def test_a_secret_in_a_letter_is_nowhere_readable(world: World) -> None:
    await ask(world)
    assert LINK not in await everything(world)
    assert LINK in (await inbox(world))[0].letter.text
    kept = await everything(world)
    assert "kim@example.com" in kept
    assert "canary" not in kept


async def everything(world: World) -> str:
    """Every row of the queue and of mail, as text."""
    told = []
    async with world.db.system() as session:
        for table in ("procrastinate_jobs", "procrastinate_events", "mails"):
            found = await session.execute(text(f"SELECT row_to_json(t)::text FROM {table} t"))
            told += [line for (line,) in found]
    assert told
    return "\n".join(told)


@pytest.mark.parametrize("answer", ["451 4.3.0 come back", "drop"])
async def test_what_may_pass_is_tried_again(world: World, answer: str) -> None:
    await ask(world)
    async with smtp_sink() as sink:
        sink.answers = [answer, answer]
        await send_mail(world, with_server(world, sink.url))
    assert len(sink.messages) == 1
    sent = await row(world)
    assert (sent["state"], sent["attempts"]) == ("sent", 3)


async def test_a_letter_that_was_taken_without_an_answer_comes_twice_under_one_id(
    world: World,
) -> None:
    await ask(world)
    async with smtp_sink() as sink:
        sink.answers = ["take and drop"]
        await send_mail(world, with_server(world, sink.url))
    first, second = sink.messages
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.parametrize("where", ["recipient", "data"])
async def test_what_is_refused_for_good_is_dead_with_the_reason(world: World, where: str) -> None:
    await ask(world)
    async with smtp_sink() as sink:
        if where == "recipient":
            sink.refused = {"kim@example.com": "550 5.1.1 no such user"}
        else:
            sink.answers = ["554 5.7.1 no such user, says policy"]
        await send_mail(world, with_server(world, sink.url))
    dead = await row(world)
    assert (dead["state"], dead["attempts"], sink.messages) == ("dead", 1, [])
    assert "no such user" in dead["reason"]
    assert "canary" not in await everything(world)


async def test_after_a_day_of_trying_a_letter_is_dead(world: World) -> None:
    await ask(world)
    async with smtp_sink() as sink:
        sink.answers = ["451 full"] * 20
        await send_mail(world, with_server(world, sink.url))
    dead = await row(world)
    assert (dead["state"], dead["attempts"], sink.tries) == ("dead", 9, 9)
    assert "451 full" in dead["reason"]


async def test_a_server_that_hangs_holds_nobody(world: World) -> None:
    await ask(world)
    async with smtp_sink() as sink:
        sink.answers = ["hang"]
        server = with_server(world, sink.url).mail_server
        assert server is not None
        office = open_office(with_server(world, sink.url), world.db)
        impatient = sending.Office(
            office.db, office.vault, Clock(), Smtp(server, timeout=0.5), office.sender
        )
        mail_id = await accepted(impatient)
        began = asyncio.get_running_loop().time()
        with pytest.raises(NotNow):
            await sending.hand_over(impatient, mail_id)
        assert asyncio.get_running_loop().time() - began < 5
        await sending.hand_over(impatient, mail_id)
    assert len(sink.messages) == 1


async def accepted(office: sending.Office, job_id: int = 1, client_id: UUID | None = None) -> UUID:
    return await sending.accept(
        office, job_id=job_id, client_id=client_id, to="kim@example.com",
        template="password_reset", locale="de", values={"url": LINK},
    )  # fmt: skip


async def test_two_workers_send_one_letter_once(world: World) -> None:
    async with smtp_sink() as sink:
        office = open_office(with_server(world, sink.url), world.db)
        ids = [await accepted(office) for _ in range(2)]
        assert ids[0] == ids[1]
        await asyncio.gather(*(sending.hand_over(office, ids[0]) for _ in range(5)))
    assert sink.tries == 1


async def test_the_way_there_is_encrypted_and_signed_in(world: World, tmp_path: Path) -> None:
    await ask(world)
    certificate = self_signed(tmp_path)
    async with smtp_sink(certificate=certificate, sign_in=True) as sink:
        url = f"smtp://{USER}:p%40ss%3Aword%2F1@127.0.0.1:{sink.port}?ca={certificate[0]}"
        settings = with_server(world, url)
        assert PASSWORD not in repr(settings)
        assert PASSWORD not in repr(settings.mail_server)
        await send_mail(world, settings)
    assert sink.signed_in == [USER]
    assert sink.encrypted == [True]


@pytest.mark.parametrize("wrong", ["unknown authority", "other name", "no encryption"])
async def test_a_server_that_cannot_show_who_it_is_gets_nothing(
    world: World, tmp_path: Path, wrong: str
) -> None:
    certificate = self_signed(tmp_path, "other.test" if wrong == "other name" else "127.0.0.1")
    trust = "" if wrong == "unknown authority" else f"?ca={certificate[0]}"
    async with smtp_sink(certificate=None if wrong == "no encryption" else certificate) as sink:
        url = f"smtp://{USER}:secret@127.0.0.1:{sink.port}{trust}"
        office = open_office(with_server(world, url), world.db)
        mail_id = await accepted(office)
        with pytest.raises(NotNow):
            await sending.hand_over(office, mail_id)
    assert sink.tries == 0
    assert sink.signed_in == []


async def test_a_wrong_password_is_no_fault_of_the_letter(world: World, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    async with smtp_sink(certificate=certificate, sign_in=True) as sink:
        url = f"smtp://{USER}:wrong@127.0.0.1:{sink.port}?ca={certificate[0]}"
        office = open_office(with_server(world, url), world.db)
        mail_id = await accepted(office)
        with pytest.raises(NotNow, match="535"):
            await sending.hand_over(office, mail_id)
    assert (await row(world))["state"] == "waiting"


async def test_nobody_can_add_a_header_or_a_recipient(world: World) -> None:
    evil = "Kim\r\nBcc: all@example.com\r\n\r\nnew body"
    async with smtp_sink() as sink:
        settings = with_server(world, sink.url)
        async with world.ctx() as ctx:
            await jobs.defer(
                ctx,
                "notifications:mail",
                to="kim@example.com",
                template="invitation",
                locale="en",
                values={"client": evil, "inviter": evil, "name": evil, "url": LINK},
            )
        for address in (
            "kim@example.com\r\nBcc: all@example.com", "kim@example.com, all@example.com",
            "<kim@example.com>", '"kim\r\nRCPT TO:<all@example.com>"@example.com', "kim", "",
            "kim@example.com> SIZE=1",
        ):  # fmt: skip
            await ask(world, address)
        await send_mail(world, settings)
    [message] = sink.messages
    assert sink.envelopes[0].rcpt_tos == ["kim@example.com"]
    assert message["Bcc"] is None
    assert message["Subject"].startswith("Kim Bcc: all@example.com new body invites you")
    assert [one["state"] for one in await rows(world)].count("dead") == 7


async def test_without_a_server_in_production_mail_waits_and_says_so(world: World) -> None:
    office = open_office(world.settings, world.db)
    production = sending.Office(office.db, office.vault, Clock(), None, office.sender, inbox=False)
    mail_id = await accepted(production)
    with pytest.raises(NotNow, match="S2G_SMTP_URL"):
        await sending.hand_over(production, mail_id)
    assert (await row(world))["state"] == "waiting"
    async with smtp_sink() as sink:
        await sending.hand_over(open_office(with_server(world, sink.url), world.db), mail_id)
    assert len(sink.messages) == 1


async def test_old_mail_is_forgotten_and_what_waits_is_not(world: World) -> None:
    office = open_office(world.settings, world.db)
    kept, waiting, new = [await accepted(office, job_id=number) for number in range(3)]
    await sending.hand_over(office, kept)
    await sending.hand_over(office, new)
    async with world.db.system() as session:
        await session.execute(
            text("UPDATE mails SET created_at = :old WHERE id IN (:kept, :waiting)"),
            {"old": datetime.now(UTC) - timedelta(days=31), "kept": kept, "waiting": waiting},
        )
    assert await sending.forget(office) == 1
    assert {one["id"] for one in await rows(world)} == {waiting, new}


async def test_a_letter_of_a_client_that_is_gone_is_still_sent(world: World) -> None:
    office = open_office(world.settings, world.db)
    mail_id = await accepted(office, client_id=uuid4())
    await sending.hand_over(office, mail_id)
    [letter] = await inbox(world)
    assert letter.letter.subject == "Neues Passwort setzen"
    assert letter.mail.client_id is None


async def test_a_letter_whose_job_was_given_up_is_dead_and_no_other(world: World) -> None:
    async with smtp_sink() as sink:
        office = open_office(with_server(world, sink.url), world.db)
        await ask(world, "waits@example.com")
        orphan = await accepted(office, job_id=10**9)
        async with world.db.system() as session:
            [(job,)] = await session.execute(text("SELECT id FROM procrastinate_jobs"))
        waiting = await accepted(office, job_id=job)
        assert await sending.give_up_orphans(office) == 1
    states = {one["id"]: (one["state"], one["reason"][:16]) for one in await rows(world)}
    assert states == {orphan: ("dead", "its job was give"), waiting: ("waiting", "")}


async def test_a_person_who_is_erased_leaves_no_letter(world: World) -> None:
    await ask(world, "Kim@example.com")
    await inbox(world)
    await ask(world, "kim@example.com")
    await ask(world, "lee@example.com")
    async with world.ctx() as ctx:
        assert await service.erase(ctx, "KIM@example.com") == 1
    assert "kim@" not in (await everything(world)).lower()
    assert [one.mail.recipient for one in await inbox(world)] == ["lee@example.com"]


async def test_health_says_what_becomes_of_mail(world: World) -> None:
    anonymous = await world.http()
    assert (await anonymous.get("/api/v1/health/ready/")).json()["mail"] == "inbox"
    world.app.state.settings = world.settings.model_copy(update={"env": "prod"})
    assert (await anonymous.get("/api/v1/health/ready/")).json()["mail"] == "not_configured"
    world.app.state.settings = with_server(world, "smtps://mail.example")
    assert (await anonymous.get("/api/v1/health/ready/")).json()["mail"] == "ok"


async def test_the_inbox_shows_letters_and_runs_nothing(world: World) -> None:
    await ask(world, name='<script>alert(1)</script><a href="https://evil.test">x</a>')
    [kept] = await inbox(world)
    browser = await world.http()
    page = await browser.get("/dev/inbox/")
    assert "Choose a new password" in page.text
    assert "script" not in page.headers["content-security-policy"]
    letter = await browser.get(f"/dev/inbox/{kept.mail.id}/")
    assert f'<a href="{LINK}" rel="noopener noreferrer" target="_blank">' in letter.text
    assert "<script" not in letter.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in letter.text
    html = await browser.get(f"/dev/inbox/{kept.mail.id}/html/")
    assert "sandbox allow-popups" in html.headers["content-security-policy"]
    assert html.headers["x-frame-options"] == "SAMEORIGIN"
    assert page.headers["x-frame-options"] == "DENY"
    assert '<base target="_blank">' in html.text
    assert f'href="{LINK}"' in html.text
    assert "&lt;script&gt;" in html.text
    assert 'href="https://evil.test"' not in html.text
    for one in (page, letter, html):
        assert one.headers["cache-control"] == "no-store"


async def test_the_inbox_is_for_developers_on_this_machine_only(world: World) -> None:
    browser = await world.http()
    assert (await browser.get("/dev/inbox/")).status_code == 200
    named = await browser.get("/dev/inbox/", headers={"Host": "rebound.evil.test"})
    assert named.status_code == 404
    for other in (
        world.settings.model_copy(update={"env": "prod"}),
        with_server(world, "smtps://mail.example"),
    ):
        world.app.state.settings = other
        assert (await browser.get("/dev/inbox/")).status_code == 404
        assert (
            await browser.get(f"/dev/inbox/{'0' * 8}-0000-0000-0000-{'0' * 12}/")
        ).status_code == 404


async def test_the_queue_hands_values_over_as_they_were(world: World) -> None:
    async with world.ctx() as ctx:
        await jobs.defer(ctx, "test:task", values={"words": ["ä", 1, None]})
        vault = ctx.vault
    async with world.db.system() as session:
        [(arguments,)] = await session.execute(text("SELECT args FROM procrastinate_jobs"))
    assert set(arguments) == {"client_id", "sealed"}
    assert jobs.opened(vault, arguments["sealed"]) == {"words": ["ä", 1, None]}
    assert "words" not in json.dumps(arguments)
