"""From a job to a letter that somebody else is responsible for.

A letter is written and stored in one transaction and handed over in another, which holds its row
meanwhile. A worker that dies between the server's 250 and the commit leaves it waiting, and it is
sent again under the same Message-ID: SMTP allows no more than that. Otherwise it is sent once.
"""

import asyncio
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_platform.identity.tables import Client
from sync2gear_platform.kit import log
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.ids import uuid7
from sync2gear_platform.kit.vault import Vault
from sync2gear_platform.notifications import letters, rules
from sync2gear_platform.notifications.ports import Carrier, NotNow, Undeliverable
from sync2gear_platform.notifications.rules import Letter
from sync2gear_platform.notifications.tables import Mail

logger = log.get(__name__)

HAND_OVER_SECONDS: Final = 45.0
"""For one letter in all: less than the database lets a transaction wait (60 s)."""

KEEP: Final = timedelta(days=30)
"""How long it is known that a letter was sent, and to whom."""

NO_SENDER: Final = Address("sync2gear", "sync2gear", "localhost")
"""Of letters that never leave: the development inbox's."""


@dataclass(frozen=True, slots=True)
class Office:
    """What sending takes.

    Without a ``carrier`` letters are kept for the development inbox or, where ``inbox`` is off,
    wait for an operator to name a server.
    """

    db: Database
    vault: Vault
    clock: Clock
    carrier: Carrier | None
    sender: Address
    inbox: bool = False


async def accept(
    office: Office,
    *,
    job_id: int,
    client_id: UUID | None,
    to: str,
    template: str,
    locale: str,
    values: dict[str, Any],
) -> UUID:
    """Store the letter that a job asks for; its id, the same however often the job runs."""
    row: dict[str, Any] = {
        "id": uuid7(),
        "job_id": job_id,
        # a client that was deleted meanwhile still hears of it
        "client_id": select(Client.id).where(col(Client.id) == client_id).scalar_subquery(),
        "recipient": to.strip()[:320],
        "template": template[:64],
        "locale": rules.spoken_language(locale),
        "state": "waiting",
        "attempts": 0,
        "reason": "",
        "created_at": office.clock.now(),
    }
    try:
        rules.envelope(to)
        letter = letters.write(template, locale, values)
        row["content"] = office.vault.seal(json.dumps(asdict(letter)))
    except (rules.BadAddressError, letters.CannotWriteError) as error:
        row |= {"state": "dead", "reason": str(error)[:500], "ended_at": row["created_at"]}
    async with office.db.system() as session:
        await session.execute(
            insert(Mail).values(row).on_conflict_do_nothing(index_elements=["job_id"])
        )
        found = select(Mail.id, Mail.state).where(col(Mail.job_id) == job_id)
        mail_id, state = (await session.exec(found)).one()
    if state == "dead":
        logger.error("mail.dead", mail=str(mail_id), template=template, reason=row["reason"])
    return mail_id


async def hand_over(office: Office, mail_id: UUID) -> None:
    """Try to send a letter that waits; raises :class:`NotNow` while there is hope.

    Its row stays locked meanwhile, so that two workers cannot send it both.
    """
    async with office.db.system() as session:
        this = select(Mail).where(col(Mail.id) == mail_id).with_for_update()
        mail = (await session.exec(this)).one_or_none()
        if mail is None or mail.state != "waiting" or mail.content is None:
            return
        if office.carrier is None and office.inbox:
            mail.state, mail.ended_at = "kept", office.clock.now()
            logger.info("mail.kept", mail=str(mail.id), template=mail.template)
            return
        mail.attempts += 1
        failure = await _attempt(office, mail)
        again = isinstance(failure, NotNow) and mail.attempts < rules.MAX_ATTEMPTS
        mail.reason = "" if failure is None else rules.one_line(failure)[:500]
        told = {"mail": str(mail.id), "template": mail.template, "attempts": mail.attempts}
        if failure is None:
            mail.state, mail.content, mail.ended_at = "sent", None, office.clock.now()
            logger.info("mail.sent", **told)
        elif again:
            logger.warning("mail.not_now", reason=mail.reason, **told)
        else:
            mail.state, mail.ended_at = "dead", office.clock.now()
            logger.error("mail.dead", reason=mail.reason, **told)
    if again and failure is not None:
        raise failure


async def _attempt(office: Office, mail: Mail) -> NotNow | Undeliverable | None:
    """Hand one letter over; what stood against it, if anything did."""
    if office.carrier is None:
        return NotNow("mail is not configured: set S2G_SMTP_URL")
    letter = Letter(**json.loads(office.vault.open(mail.content or "")))
    recipient = rules.envelope(mail.recipient)
    message = compose(letter, mail.id, mail.created_at, office.sender, recipient)
    try:
        async with asyncio.timeout(HAND_OVER_SECONDS):
            await office.carrier.send(message, office.sender.addr_spec, recipient)
    except TimeoutError:
        return NotNow(f"the mail server took more than {HAND_OVER_SECONDS:.0f} seconds")
    except (NotNow, Undeliverable) as failure:
        return failure
    return None


def compose(
    letter: Letter, mail_id: UUID, at: datetime, sender: Address, recipient: str
) -> EmailMessage:
    """The message of RFC 5322. Headers refuse line breaks, so that no value can add one."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(addr_spec=recipient)
    message["Subject"] = letter.subject
    message["Date"] = at
    message["Message-ID"] = f"<{mail_id}@{sender.domain}>"
    # RFC 3834: no out-of-office reply to a machine; Exchange listens to the second one only
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


async def forget(office: Office) -> int:
    """Delete what ended long ago; returns how many."""
    async with office.db.system() as session:
        old = delete(Mail).where(
            col(Mail.created_at) < office.clock.now() - KEEP, col(Mail.state) != "waiting"
        )
        done = await session.execute(old.returning(col(Mail.id)))
        return len(done.all())


async def give_up_orphans(office: Office) -> int:
    """Call letters dead whose job the queue has given up; returns how many. None is lost unseen."""
    orphaned = text(
        "UPDATE mails SET state = 'dead', ended_at = :now,"
        " reason = 'its job was given up; ' || left(reason, 400)"
        " WHERE state = 'waiting' AND NOT EXISTS (SELECT FROM procrastinate_jobs j"
        " WHERE j.id = mails.job_id AND j.status IN ('todo', 'doing')) RETURNING id, template"
    )
    async with office.db.system() as session:
        found = (await session.execute(orphaned, {"now": office.clock.now()})).all()
    for mail_id, template in found:
        logger.error("mail.dead", mail=str(mail_id), template=template, reason="job given up")
    return len(found)
