"""Deleting for good: first no way back, then the tombstone, then everything, however often.

Each step is a transaction of its own and may be repeated, so that a process that dies anywhere is
followed by one that goes on.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, delete, exists, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from sync2gear_broker import topics
from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import sessions, staff
from sync2gear_platform.identity.tables import Client, Session, User
from sync2gear_platform.kit import events, log, outbox, setbacks
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import AsyncSession
from sync2gear_platform.kit.setbacks import Subject
from sync2gear_platform.library import housekeeping
from sync2gear_platform.notifications import service as notifications
from sync2gear_platform.privacy import archive, inventory, service, tombstones
from sync2gear_platform.privacy.exporting import Place, find_person
from sync2gear_platform.privacy.tables import Deletion, Export
from sync2gear_platform.privacy.tombstones import Tombstone
from sync2gear_platform.sites.tables import Device, Zone

logger = log.get(__name__)

BATCH: Final = 5_000
"""Rows that one transaction deletes: short enough that others do not notice."""

LABEL: Final = "privacy"

LAST: Final = inventory.BY_THE_TRAIL | {"clients", str(Deletion.__tablename__)}
"""What goes in the last transaction: until then it says that there is something left to do."""


def _ctx(place: Place, session: AsyncSession, client_id: UUID | None = None) -> Ctx:
    actor = Actor(kind="system", id=None, client_id=client_id, label=LABEL)
    return Ctx(db=session, actor=actor, now=place.clock.now(), trace=LABEL)


async def purge_due(place: Place, grace: timedelta) -> int:
    """Delete everything whose time has come, and what was begun; returns how many subjects."""
    await _enlist(place, grace)
    async with place.db.system() as session:
        due = select(Deletion).where(
            or_(col(Deletion.due_at) <= place.clock.now(), col(Deletion.purging_at).is_not(None))
        )
        found = (await session.execute(due.order_by(col(Deletion.due_at)))).scalars().all()
    due_rows = {row.id: row for row in found}

    async def purge_one(one: Subject) -> int:
        row = due_rows[one.id]
        kind: tombstones.Kind = "client" if row.client_id else "user"
        subject = row.client_id or row.user_id
        if subject is None or not await _close(place, row):
            return 0
        await purge(place, Tombstone(kind, subject))
        return 1

    subjects = [Subject(row.id, row.client_id) for row in found]
    return await setbacks.each(place.db, place.clock, "privacy.purge", subjects, purge_one)


async def _enlist(place: Place, grace: timedelta) -> None:
    """A deletion for each client and person that an operator took out of sight so long ago."""
    before = place.clock.now() - grace
    async with place.db.system() as session:
        clients = select(Client).where(
            col(Client.deleted_at) <= before,
            ~exists().where(col(Deletion.client_id) == col(Client.id)),
        )
        users = select(User).where(
            col(User.deleted_at) <= before, ~exists().where(col(Deletion.user_id) == col(User.id))
        )
        for client in (await session.execute(clients)).scalars():
            session.add(_operators(grace, client.deleted_at, client_id=client.id))
        for user in (await session.execute(users)).scalars():
            session.add(_operators(grace, user.deleted_at, user_id=user.id))


def _operators(
    grace: timedelta,
    at: datetime | None,
    *,
    client_id: UUID | None = None,
    user_id: UUID | None = None,
) -> Deletion:
    if at is None:
        raise ValueError("what is in sight is deleted at somebody's request only")
    return Deletion(
        client_id=client_id, user_id=user_id, by_request=False, created_at=at, due_at=at + grace
    )


async def _close(place: Place, row: Deletion) -> bool:
    """The point of no return, if it is still to be done; from here on nobody gets in."""
    async with place.db.system() as session:
        statement = select(Deletion).where(col(Deletion.id) == row.id).with_for_update()
        found = (await session.execute(statement)).scalar_one_or_none()
        if found is None:
            return False
        ctx = _ctx(place, session, found.client_id)
        if found.purging_at is None and not await _stands(ctx, found):
            return False
        if found.purging_at is None:
            found.purging_at = ctx.now
            logger.info("privacy.purge", client=str(found.client_id), user=str(found.user_id))
        if found.client_id is not None:
            await _shut_client(ctx, found.client_id)
        elif found.user_id is not None:
            user = await session.get_one(User, found.user_id, with_for_update=True)
            user.deleted_at = user.deleted_at or ctx.now
            await sessions.end_all(ctx, user, "deleted")
    return True


async def _stands(ctx: Ctx, row: Deletion) -> bool:
    """Whether a deletion that is due is still wanted; forgets it where it is not."""
    if row.user_id is None:
        client = await ctx.db.get_one(Client, row.client_id)
        return row.by_request or client.deleted_at is not None
    user = await ctx.db.get_one(User, row.user_id, with_for_update=True)
    if user.deleted_at is not None:
        return True
    back = select(col(Deletion.id)).where(col(Deletion.id) == row.id, service.came_back())
    if (await ctx.db.execute(back)).first() is not None:
        logger.info("privacy.kept", user=str(row.user_id))
        await ctx.db.delete(row)
        return False
    try:
        await service.refuse_last_one(ctx, row.user_id)
    except (service.LastManager, staff.LastAdmin):
        logger.warning("privacy.last_manager", user=str(row.user_id))
        return False
    return True


async def _shut_client(ctx: Ctx, client_id: UUID) -> None:
    """Out of sight at once: sessions end, accounts go off the broker."""
    client = await ctx.db.get_one(Client, client_id, with_for_update=True)
    client.deleted_at = client.deleted_at or ctx.now
    open_ = update(Session).where(
        col(Session.client_id) == client_id, col(Session.ended_at).is_(None)
    )
    await ctx.db.execute(open_.values(ended_at=ctx.now, end_reason="deleted"))
    await events.changed(ctx, "accounts", client_id)
    await events.changed(ctx, "client", client_id)


async def purge(place: Place, stone: Tombstone) -> None:
    """Delete a subject whose deletion is final, whatever is left of it."""
    now = place.clock.now()
    await asyncio.to_thread(tombstones.write, place.tombstones, stone, now)
    if stone.kind == "client":
        await _purge_client(place, stone.id)
    else:
        await _purge_person(place, stone.id)
    logger.info("privacy.purged", kind=stone.kind, id=str(stone.id))


async def _purge_client(place: Place, client_id: UUID) -> None:
    async with place.db.system() as session:
        names = await _topics(session, client_id)
        await _have_cleared(_ctx(place, session, client_id), names)
    await _remove_archives(place, col(Export.client_id) == client_id)
    for table in reversed(inventory.of_clients()):
        if table.name not in LAST:
            while await _delete_batch(place, table, client_id):
                pass
    async with place.db.system() as session:
        ctx = _ctx(place, session, client_id)
        await _forget_jobs(session, "args->>'client_id' = :value", str(client_id))
        if await session.get(Client, client_id) is not None:
            await audit.remove_chain(ctx, client_id)
            await session.execute(delete(Client).where(col(Client.id) == client_id))
        # again: until its row was gone a speaker that was not off yet may have said more
        await _have_cleared(ctx, names)
        await events.changed(ctx, "accounts", client_id)


async def _have_cleared(ctx: Ctx, names: Sequence[str]) -> None:
    for start in range(0, len(names), BATCH):
        outbox.dirty(ctx, *names[start : start + BATCH])


async def _topics(session: AsyncSession, client_id: UUID) -> list[str]:
    """Every topic that may be retained of a client: ours, and what its devices said."""
    client = str(client_id)
    zones = await session.execute(select(col(Zone.id)).where(col(Zone.client_id) == client_id))
    devices = await session.execute(
        select(col(Device.id)).where(col(Device.client_id) == client_id)
    )
    found = [topics.build(topics.ZONE_DESIRED, client=client, zone=str(z)) for (z,) in zones]
    of_device = [c for c in topics.CHANNELS if c.retained and "{device}" in c.template]
    for (device,) in devices:
        found += [topics.build(c, client=client, device=str(device)) for c in of_device]
    return found


async def _delete_batch(place: Place, table: Table, client_id: UUID) -> int:
    """Delete some rows of a client; returns how many."""
    if table.name == "media":
        async with place.db.system() as session:
            return await housekeeping.forget_some(session, place.blobs, client_id)
    owner = inventory.owner_of(table).name
    some = f"SELECT ctid FROM {table.name} WHERE {owner} = :client LIMIT :batch"  # noqa: S608 - names of our own schema
    # by physical address, which PostgreSQL goes to at once however large the table is
    gone = text(f"DELETE FROM {table.name} WHERE ctid = ANY (ARRAY({some}))")  # noqa: S608 - likewise
    async with place.db.system() as session:
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        done: Any = await session.execute(gone, {"client": client_id, "batch": BATCH})
        return int(done.rowcount)


async def _purge_person(place: Place, user_id: UUID) -> None:
    await _remove_archives(place, col(Export.user_id) == user_id)
    async with place.db.system() as session:
        ctx = _ctx(place, session)
        user = await session.get(User, user_id, with_for_update=True)
        person = await find_person(place, session, user_id)
        if user is None or person is None:
            return
        await notifications.erase(ctx, person.email)
        await _forget_jobs(session, "lower(args->>'to') = :value", person.email.lower())
        for name, traces in inventory.TRACES.items():
            if name in inventory.BY_THE_TRAIL or name == "users":
                continue
            table = inventory.named(name)
            for trace in traces:
                rows = inventory.matches(table, trace, person)
                if trace.kept:
                    await session.execute(update(table).where(rows).values({trace.column: None}))
                else:
                    await session.execute(delete(table).where(rows))
        await audit.erase_person(ctx, user_id, mentions=[person.email])
        audit.record(ctx, "user.erase", "user", user_id)
        await session.delete(user)


async def _forget_jobs(session: AsyncSession, condition: str, value: str) -> None:
    """Take jobs out of the queue that no worker has in hand."""
    gone = text(f"DELETE FROM procrastinate_jobs WHERE status <> 'doing' AND {condition}")  # noqa: S608 - both conditions are written above
    await session.execute(gone, {"value": value})


async def _remove_archives(place: Place, condition: Any) -> None:
    async with place.db.system() as session:
        found = list((await session.execute(select(col(Export.id)).where(condition))).scalars())
    for export_id in found:
        await asyncio.to_thread(archive.remove, place.exports, export_id)


async def reapply(place: Place) -> Sequence[Tombstone]:
    """Delete again what a restored database holds of what was deleted; returns what that was."""
    stones = await asyncio.to_thread(tombstones.read, place.tombstones)
    again: list[Tombstone] = []
    async with place.db.system() as session:
        for table, kind in ((Client, "client"), (User, "user")):
            ids = [stone.id for stone in stones if stone.kind == kind]
            for start in range(0, len(ids), BATCH):
                some = select(col(table.id)).where(col(table.id).in_(ids[start : start + BATCH]))
                found = set((await session.execute(some)).scalars())
                again += [s for s in stones if s.kind == kind and s.id in found]
    for stone in again:
        await _finalise(place, stone)
        await purge(place, stone)
        logger.warning("privacy.reapplied", kind=stone.kind, id=str(stone.id))
    return again


async def _finalise(place: Place, stone: Tombstone) -> None:
    """Make the deletion final here too, so that whoever comes after a crash goes on with it."""
    async with place.db.system() as session:
        ctx = _ctx(place, session, stone.id if stone.kind == "client" else None)
        column = "client_id" if stone.kind == "client" else "user_id"
        row = Deletion(by_request=False, created_at=ctx.now, due_at=ctx.now, purging_at=ctx.now)
        values = {**row.model_dump(), column: stone.id}
        upsert = insert(Deletion).values(values)
        await session.execute(
            upsert.on_conflict_do_update(
                index_elements=[column], set_={"purging_at": ctx.now, "due_at": ctx.now}
            )
        )
        if stone.kind == "client":
            await _shut_client(ctx, stone.id)
