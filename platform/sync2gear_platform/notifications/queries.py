"""Reading letters: what became of all of them, and those of the development inbox, opened."""

import json
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.kit.paging import Page, Window, page
from sync2gear_platform.notifications.rules import Letter
from sync2gear_platform.notifications.schemas import MailOut
from sync2gear_platform.notifications.tables import Mail

INBOX: Final = 100
"""Letters that the development inbox shows."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter of the development inbox."""

    mail: Mail
    letter: Letter


def _kept(ctx: Ctx, mail: Mail) -> Kept:
    return Kept(mail, Letter(**json.loads(ctx.vault.open(mail.content or ""))))


async def kept(ctx: Ctx) -> list[Kept]:
    """The newest letters of the inbox, newest first."""
    newest = (
        select(Mail)
        .where(col(Mail.state) == "kept", col(Mail.content).is_not(None))
        .order_by(col(Mail.created_at).desc(), col(Mail.id).desc())
        .limit(INBOX)
    )
    return [_kept(ctx, mail) for mail in (await ctx.db.exec(newest)).all()]


async def kept_letter(ctx: Ctx, mail_id: UUID) -> Kept:
    """One letter of the inbox."""
    mail = await ctx.db.get(Mail, mail_id)
    if mail is None or mail.state != "kept" or mail.content is None:
        raise NotFound("There is no such letter here.")
    return _kept(ctx, mail)


async def mails(ctx: Ctx, window: Window, state: str) -> Page[MailOut]:
    """What became of letters, all of them or those in one state."""
    statement = select(Mail)
    if state:
        statement = statement.where(col(Mail.state) == state)
    return await page(
        ctx,
        window,
        statement,
        keys={"created_at": Mail.created_at, "recipient": Mail.recipient},
        default="-created_at",
        tiebreak=Mail.id,
        shape=lambda row: MailOut.model_validate(row[0]),
        search=(Mail.recipient, Mail.template, Mail.reason),
    )
