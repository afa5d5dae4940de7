"""Presence from the broker into the database: many devices in one write, at most once a second."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import and_, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlmodel import col, select

from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceState, DeviceStatus, Heartbeat
from sync2gear_broker.topics import Address
from sync2gear_platform.fleet import rules
from sync2gear_platform.kit import events, log, outbox
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import AsyncSession, Database
from sync2gear_platform.kit.seldom import Seldom
from sync2gear_platform.sites.tables import Device, DevicePresence

logger = log.get(__name__)
strangers = Seldom(logger)

EVERY_SECONDS: Final = 1.0
LOST_SECONDS: Final = 2.0
"""How long a last will waits for the connection to survive it: a broker that stops sends the wills
of all and then cuts us off too."""

CHUNK: Final = 1000
MAX_WAITING: Final = 200_000
_COLUMNS: Final = tuple(rules.Presence.__dataclass_fields__)


class PresenceIngest:
    """Collects what devices say of themselves and writes it. One per connection to the broker."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._began = clock.now()
        self._waiting: dict[tuple[UUID, UUID], rules.Heard] = {}
        self._lost: dict[tuple[UUID, UUID], tuple[datetime, DeviceStatus]] = {}
        self._woken = asyncio.Event()

    def heard(self, address: Address, payload: bytes, *, retained: bool) -> None:
        """Take one message in; called by the broker's reader, so it only parses and merges."""
        if address.client is None or address.device is None or not payload:
            return
        try:
            document = address.channel.body.parse(payload)
        except (ValidationError, RecursionError) as error:
            strangers.warning("presence.unreadable", device=address.device, error=str(error)[:300])
            return
        key = UUID(address.client), UUID(address.device)
        if key not in self._waiting and len(self._waiting) >= MAX_WAITING:
            strangers.warning("presence.overflow", device=address.device)
            return
        before = self._waiting.get(key, rules.Heard())
        after = replace(before, live=before.live or not retained)
        match document:
            case DeviceStatus(state="lost"):
                self._lost[key] = self._clock.now(), document
                return
            case DeviceStatus():
                self._lost.pop(key, None)
                statuses = (*before.statuses[-7:], (document, retained))
                beat = before.heartbeat if document.state == "online" else None
                after = replace(after, statuses=statuses, heartbeat=beat)
            case Heartbeat():
                after = replace(after, heartbeat=document)
            case DeviceState():
                after = replace(after, state=document)
        self._waiting[key] = after
        self._woken.set()

    async def run(self) -> None:
        """Write what was heard, at once and then at most every second, for ever."""
        while True:
            self._take_lost()
            if self._waiting:
                waiting, self._waiting = self._waiting, {}
                try:
                    await self._write(waiting)
                except (DBAPIError, InterfaceError, OSError, TimeoutError) as error:
                    logger.warning("presence.not_written", error=str(error)[:300])
                    self._waiting = {**waiting, **self._waiting}
            self._woken.clear()
            await asyncio.sleep(EVERY_SECONDS)
            if not self._waiting and not self._lost:
                await self._woken.wait()

    def _take_lost(self) -> None:
        """Believe the wills that this connection has outlived."""
        now = self._clock.now()
        young = now < self._began + rules.TRUST_AFTER
        for key, (heard_at, status) in list(self._lost.items()):
            if heard_at + timedelta(seconds=LOST_SECONDS) > now:
                continue
            del self._lost[key]
            before = self._waiting.get(key, rules.Heard())
            if not young:
                statuses = (*before.statuses, (status, False))
                before = replace(before, statuses=statuses, heartbeat=None)
            self._waiting[key] = before  # whoever is gone is found out there

    async def _write(self, waiting: dict[tuple[UUID, UUID], rules.Heard]) -> None:
        keys = sorted(waiting, key=lambda key: key[1])
        for start in range(0, len(keys), CHUNK):
            async with self._db.system() as db:
                await _store(db, {k: waiting[k] for k in keys[start : start + CHUNK]}, self._clock)

    async def sweep(self) -> None:
        """Count those as away that have been silent; called by a timer."""
        now = self._clock.now()
        if now < self._began + rules.TRUST_AFTER:
            return
        async with self._db.system() as db:
            silent = and_(
                col(DevicePresence.online),
                col(DevicePresence.last_seen_at) < now - rules.OFFLINE_AFTER,
            )
            gone = await db.execute(
                update(DevicePresence)
                .where(silent)
                .values(online=False)
                .returning(col(DevicePresence.client_id), col(DevicePresence.device_id))
            )
            await _tell(db, [(client, device) for client, device in gone.all()])


async def _store(
    db: AsyncSession, heard: dict[tuple[UUID, UUID], rules.Heard], clock: Clock
) -> None:
    """Write what was heard of devices that have an account with the client that they claim.

    What others retain is cleared: the last will of a speaker comes seconds after it was deleted.
    """
    statement = (
        select(Device.client_id, Device.id, DevicePresence)
        .outerjoin(DevicePresence, col(DevicePresence.device_id) == col(Device.id))
        .where(col(Device.id).in_([d for _, d in heard]), col(Device.revoked_at).is_(None))
        .order_by(col(Device.id))
    )
    now = clock.now()
    values: list[dict[str, Any]] = []
    turned: list[tuple[UUID, UUID]] = []
    strange = set(heard)
    for client, device, row in (await db.exec(statement)).all():
        if (client, device) not in heard:
            continue
        strange.discard((client, device))
        before = rules.Presence(**{c: getattr(row, c) for c in _COLUMNS} if row else {})
        after = rules.presence(before, heard[client, device], now)
        values.append({"client_id": client, "device_id": device, **asdict(after)})
        if after.online != before.online:
            turned.append((client, device))
    for client, device in sorted(strange):
        await _clear(db, clock, client, device)
    if not values:
        return
    upsert = insert(DevicePresence)
    changed = {name: upsert.excluded[name] for name in _COLUMNS}
    await db.execute(
        upsert.on_conflict_do_update(index_elements=["device_id"], set_=changed), values
    )
    await _tell(db, turned)


async def _clear(db: AsyncSession, clock: Clock, client: UUID, device: UUID) -> None:
    """Have the relay clear what a device without an account retains."""
    actor = Actor(kind="system", id=None, client_id=client, label="presence")
    ctx = Ctx(db=db, actor=actor, now=clock.now(), trace="presence")
    ids = {"client": str(client), "device": str(device)}
    outbox.dirty(ctx, *(topics.build(c, **ids) for c in SAID_BY_DEVICES))


async def _tell(db: AsyncSession, devices: Sequence[tuple[UUID, UUID]]) -> None:
    for client, device in devices:
        payload = f"{client} device {device}"
        await db.execute(select(func.pg_notify(events.CHANNEL, payload)))


SAID_BY_DEVICES: Final = (topics.DEVICE_STATUS, topics.DEVICE_STATE)
"""What devices retain; the relay clears it when they are gone."""

CHANNELS: Final = (topics.DEVICE_STATUS, topics.HEARTBEAT, topics.DEVICE_STATE, topics.REPLY)
"""What a presence ingest must be told."""
