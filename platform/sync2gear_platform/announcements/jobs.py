"""The work of announcements for later: long texts, what speakers hold ahead, what is left over."""

from functools import partial
from uuid import UUID

from procrastinate import Blueprint, JobContext
from sqlmodel import col, select

from sync2gear_platform.announcements import ahead, changes, housekeeping, rendering
from sync2gear_platform.announcements.rendering import Desk
from sync2gear_platform.identity.tables import Client
from sync2gear_platform.jobs.app import RETRY, see_through
from sync2gear_platform.kit import log
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import Database

logger = log.get(__name__)


def blueprint(desk: Desk, kit: ahead.Kit) -> Blueprint:
    """The tasks of the namespace ``announcements``; register each blueprint with one app."""
    tasks = Blueprint()

    @tasks.task(name="render", retry=RETRY, pass_context=True)
    async def render(context: JobContext, client_id: str, announcement_id: str) -> None:
        """Have an announcement spoken."""
        about = desk, UUID(client_id), UUID(announcement_id)
        await see_through(context, rendering.render(*about), partial(rendering.give_up, *about))

    @tasks.periodic(cron="*/10 * * * *")
    @tasks.task(name="sweep", queueing_lock="announcements:sweep")
    async def sweep(timestamp: int) -> None:
        """For all clients: give up what is rendering without a job."""
        await rendering.give_up_orphans(desk)

    @tasks.periodic(cron="17 2 * * *")
    @tasks.task(name="collect", queueing_lock="announcements:collect")
    async def collect(timestamp: int) -> None:
        """Every night, for all clients: forget what speech leaves behind."""
        await housekeeping.collect(desk.db, desk.clock)

    @tasks.task(name="prefetch", retry=RETRY)
    async def prefetch(client_id: str) -> None:
        """Find out anew what the client's speakers fetch ahead."""
        client = UUID(client_id)
        async with kit.db.system() as session:
            here = await session.get(Client, client)
        if here is not None and await ahead.refresh(kit, client):
            logger.info("prefetch.changed", client_id=client_id)

    @tasks.periodic(cron="23 * * * *")
    @tasks.task(name="prefetch_all", queueing_lock="announcements:prefetch_all")
    async def prefetch_all(timestamp: int) -> None:
        """Once an hour: what was played and which variants are over changes the lists too."""
        await look_again(kit.db, kit.clock)

    return tasks


async def look_again(db: Database, clock: Clock) -> None:
    """Have the lists of all clients found out anew, each by a job of its own."""
    async with db.system() as session:
        clients = select(Client.id).where(col(Client.deleted_at).is_(None))
        for client_id in (await session.exec(clients)).all():
            actor = Actor(kind="system", id=None, client_id=client_id, label="prefetch")
            ctx = Ctx(db=session, actor=actor, now=clock.now(), trace="prefetch")
            await changes.look_again(ctx)
