"""The platform has another address than before: its devices are told where to fetch from now on."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, literal, update
from sqlmodel import col, select

from sync2gear_broker import topics
from sync2gear_platform.kit import outbox, revisions
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.revisions import Installation
from sync2gear_platform.sites.tables import Device


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
    # in the order of ids, as whoever else changes several: they must not wait for each other
    held = (
        select(Device.client_id, Device.id)
        .where(col(Device.revoked_at).is_(None))
        .order_by(col(Device.id))
        .with_for_update()
    )
    told = (await ctx.db.exec(held)).all()
    # drawn once nobody else writes them: a device that was changed meanwhile must not go back
    epoch, rev = await revisions.next_version(ctx)
    ids = literal([device for _, device in told], ARRAY(Uuid))
    await ctx.db.execute(
        update(Device)
        .where(col(Device.id) == any_(ids))
        .values(config_epoch=epoch, config_rev=rev)
        .execution_options(synchronize_session=False)
    )
    changed: dict[UUID, list[str]] = {}
    for client, device in told:
        topic = topics.build(topics.DEVICE_CONFIG, client=str(client), device=str(device))
        changed.setdefault(client, []).append(topic)
    for client in sorted(changed):
        actor = Actor(kind="system", id=None, client_id=client, label="fleet")
        outbox.dirty(replace(ctx, actor=actor), *changed[client])
    return len(told)
