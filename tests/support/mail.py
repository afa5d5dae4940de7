"""What a test's installation has mailed: its pending jobs run here, and the letters are read."""

import re
from collections.abc import Mapping

from procrastinate import Blueprint, RetryStrategy

from support.world import World
from sync2gear_platform.identity import jobs as identity
from sync2gear_platform.jobs.app import open_app, rescue
from sync2gear_platform.notifications import jobs, queries
from sync2gear_platform.notifications.queries import Kept
from sync2gear_platform.settings import Settings

AT_ONCE = RetryStrategy(max_attempts=20)


async def run_jobs(world: World, domains: Mapping[str, Blueprint]) -> None:
    """Run everything that is pending now of ``domains``, also of dead workers, and return."""
    async with open_app(world.settings.database_url.get_secret_value(), domains) as app:
        await rescue(app, stalled_seconds=0)
        await app.run_worker_async(
            wait=False, install_signal_handlers=False, listen_notify=False, delete_jobs="successful"
        )


async def send_mail(world: World, settings: Settings | None = None) -> None:
    """Run the pending jobs of mail, with the mail server of ``settings`` if they name one.

    What a server does not take now is tried again at once, until it is sent or dead.
    """
    office = jobs.open_office(settings or world.settings, world.db)
    domains = {
        "identity": identity.blueprint(world.db, world.settings.public_url),
        "notifications": jobs.blueprint(office, retry=AT_ONCE),
    }
    await run_jobs(world, domains)


async def inbox(world: World, to: str | None = None) -> list[Kept]:
    """Send what is pending; the letters of the development inbox (to one address), newest first."""
    await send_mail(world)
    async with world.ctx() as ctx:
        return [one for one in await queries.kept(ctx) if to in (None, one.mail.recipient)]


def link_of(kept: Kept) -> str:
    """The first link of a letter."""
    found = re.search(r"https?://\S+", kept.letter.text)
    assert found is not None, kept.letter.text
    return found[0]
