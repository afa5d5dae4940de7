"""Settings that follow from something else than the device's row: told to many devices at once."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, literal, update
from sqlmodel import col, select

from sync2gear_broker import topics
from sync2gear_platform.kit import outbox, revisions
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.sites.tables import Device


async def tell_anew(ctx: Ctx, *which: ColumnElement[bool]) -> Sequence[UUID]:
    """The settings of all devices of these that have an account, of whichever clients, are newer.

    Returns the devices. ``ctx`` reaches all that it means.
    """
    # in the order of ids, as whoever else changes several: they must not wait for each other
    held = (
        select(Device.client_id, Device.id)
        .where(col(Device.revoked_at).is_(None), *which)
        .order_by(col(Device.id))
        .with_for_update()
    )
    told = (await ctx.db.exec(held)).all()
    if not told:
        return []
    # drawn once nobody else writes them: a device that was changed meanwhile must not go back
    epoch, rev = await revisions.next_version(ctx)
    devices = [device for _, device in told]
    await ctx.db.execute(
        update(Device)
        .where(col(Device.id) == any_(literal(devices, ARRAY(Uuid))))
        .values(config_epoch=epoch, config_rev=rev)
        .execution_options(synchronize_session="fetch")
    )
    changed: dict[UUID, list[str]] = {}
    for client, device in told:
        topic = topics.build(topics.DEVICE_CONFIG, client=str(client), device=str(device))
        changed.setdefault(client, []).append(topic)
    for client, names in changed.items():
        outbox.dirty(replace(ctx, actor=replace(ctx.actor, client_id=client)), *names)
    return devices
