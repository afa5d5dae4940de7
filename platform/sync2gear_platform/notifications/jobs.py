"""Mail as work for later: asked for by name from any domain, tried again for a day.

``await jobs.defer(ctx, "notifications:mail", to=..., template="password_reset", locale="de",
values={"url": ...})``; the templates and their values are in ``rules.py``.
"""

from typing import Final
from uuid import UUID

from procrastinate import Blueprint, JobContext, RetryStrategy

from sync2gear_platform.jobs.app import opened
from sync2gear_platform.kit import log
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.vault import Vault
from sync2gear_platform.notifications import sending
from sync2gear_platform.notifications.adapters.smtp import Smtp
from sync2gear_platform.notifications.sending import Office
from sync2gear_platform.settings import Settings

logger = log.get(__name__)


RETRY: Final = RetryStrategy(exponential_wait=4)
"""Without an end of its own: the letter's row counts, and says when it is dead."""


def open_office(settings: Settings, db: Database) -> Office:
    """What these settings say of mail."""
    server, sender = settings.mail_server, settings.mail_sender
    if server is None and settings.env == "prod":
        logger.warning("mail.not_configured", hint="set S2G_SMTP_URL and S2G_MAIL_FROM")
    return Office(
        db=db,
        vault=Vault(settings.vault_key_list),
        clock=Clock(),
        carrier=None if server is None else Smtp(server),
        sender=sender or sending.NO_SENDER,
        inbox=settings.env == "dev",
    )


def blueprint(office: Office, *, retry: RetryStrategy = RETRY) -> Blueprint:
    """The tasks of the namespace ``notifications``."""
    tasks = Blueprint()

    @tasks.task(name="mail", retry=retry, pass_context=True)
    async def mail(
        context: JobContext,
        /,
        client_id: str | None,
        to: str,
        template: str,
        sealed: str,
        locale: str = "en",
    ) -> None:
        """Write a letter and send it."""
        mail_id = await sending.accept(
            office,
            job_id=int(context.job.id or 0),
            client_id=None if client_id is None else UUID(client_id),
            to=to,
            template=template,
            locale=locale,
            values=opened(office.vault, sealed),
        )
        await sending.hand_over(office, mail_id)

    @tasks.task(name="resend", retry=retry)
    async def resend(client_id: str | None, mail_id: str) -> None:
        """Try a letter again that an operator has put back."""
        await sending.hand_over(office, UUID(mail_id))

    @tasks.periodic(cron="23 * * * *")
    @tasks.task(name="forget", queueing_lock="notifications:forget")
    async def forget(timestamp: int) -> None:
        """Once an hour: delete what is old, and say what nobody will send."""
        logger.info("mail.forgotten", rows=await sending.forget(office))
        await sending.give_up_orphans(office)

    return tasks
