"""Use cases of mail for operators."""

from uuid import UUID

from sqlalchemy import delete, func, text
from sqlmodel import col

from sync2gear_platform.audit import service as audit
from sync2gear_platform.jobs import app as jobs
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.notifications.tables import Mail

MAIL = "notifications:mail"
RESEND = "notifications:resend"
"""The tasks' names as jobs carry them."""


class NotDead(Refusal):
    """Only a dead letter whose content is still there can be sent again."""

    kind = "conflict"
    code = "mail_not_dead"


async def resend(ctx: Ctx, mail_id: UUID) -> Mail:
    """Have a dead letter tried again. ``ctx`` is the system's."""
    mail = await ctx.db.get(Mail, mail_id, with_for_update=True)
    if mail is None:
        raise NotFound("There is no such letter.")
    if mail.state != "dead" or mail.content is None:
        raise NotDead
    mail.state, mail.attempts, mail.ended_at = "waiting", 0, None
    audit.record(ctx, "mail.resend", "mail", mail.id, after={"template": mail.template})
    mail.job_id = await jobs.defer(ctx, RESEND, mail_id=str(mail.id))
    return mail


async def erase(ctx: Ctx, address: str) -> int:
    """Forget all mail to ``address``, for a person who is erased; returns how many letters went.

    ``ctx`` is the system's. What waits in the queue goes too: it would be written to nobody.
    """
    to = address.strip().lower()
    queued = text("DELETE FROM procrastinate_jobs WHERE task_name = :task AND status = 'todo'"
                  " AND lower(args->>'to') = :to")  # fmt: skip
    await ctx.db.execute(queued, {"task": MAIL, "to": to})
    rows = delete(Mail).where(func.lower(col(Mail.recipient)) == to).returning(col(Mail.id))
    return len((await ctx.db.execute(rows)).all())
