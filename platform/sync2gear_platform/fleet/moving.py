"""The platform has another address than before: its devices are told where to fetch from now on."""

from sqlalchemy import update
from sqlmodel import col

from sync2gear_platform.fleet.telling import tell_anew
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.revisions import Installation


async def moved_to(ctx: Ctx, public_url: str) -> int:
    """This platform is at ``public_url``: every device is told, unless they were told already.

    ``ctx`` is the system's. Returns how many devices there were to tell.
    """
    moved = (
        update(Installation)
        .where(col(Installation.public_url).is_distinct_from(public_url))
        .values(public_url=public_url)
        .returning(col(Installation.id))
    )
    if (await ctx.db.execute(moved)).first() is None:
        return 0
    return len(await tell_anew(ctx))
