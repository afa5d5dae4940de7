"""The proof of play of all clients, in turn: a zone that cannot be reckoned holds up no other."""

from typing import Final
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.identity.tables import Client
from sync2gear_platform.kit import log, setbacks
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import touch
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.setbacks import Subject
from sync2gear_platform.proof import reckoning
from sync2gear_platform.proof.tables import ProofZone
from sync2gear_platform.sites.tables import Zone

logger = log.get(__name__)

LABEL: Final = "proof"
OF_CLIENTS: Final = "proof"
OF_ZONES: Final = "proof.zone"

ROUNDS: Final = 50
"""Transactions of one client in one pass: others have their turn."""


async def reckon_all(db: Database, clock: Clock) -> int:
    """One pass over all clients; how many transactions had something to do."""
    async with db.system() as session:
        living = select(Client.id).where(col(Client.deleted_at).is_(None)).order_by(col(Client.id))
        clients = [Subject(client, client) for client in await session.exec(living)]

    async def reckon_one(one: Subject) -> int:
        return await _reckon(db, clock, one.id)

    return await setbacks.each(db, clock, OF_CLIENTS, clients, reckon_one)


async def _reckon(db: Database, clock: Clock, client: UUID) -> int:
    """One client's turn. Zones that cannot be reckoned are found out, and left out."""
    out = frozenset(await setbacks.known(db, OF_ZONES, client))
    await _by_zone(db, clock, client, out)
    out = frozenset(await setbacks.known(db, OF_ZONES, client))
    done = 0
    for _ in range(ROUNDS):
        try:
            async with touch(db, client, clock.now(), LABEL) as ctx:
                more = await reckoning.reckon(ctx, out)
        except Exception as error:
            if setbacks.passing(error):
                raise
            logger.warning("proof.failed", client_id=str(client), error=setbacks.said(error))
            await _by_zone(db, clock, client, await _zones(db, client) - out)
            found = frozenset(await setbacks.known(db, OF_ZONES, client))
            if found == out:
                raise  # no zone's fault: the client waits as a whole
            out, more = found, True
        done += more
        if not more:
            break
    return done


async def _zones(db: Database, client: UUID) -> frozenset[UUID]:
    """The client's zones, also those that are gone and of which something is written down."""
    async with db.system() as session:
        there = await session.exec(select(Zone.id).where(col(Zone.client_id) == client))
        known = select(ProofZone.zone_id).where(col(ProofZone.client_id) == client)
        return frozenset(there.all()) | frozenset((await session.exec(known)).all())


async def _by_zone(db: Database, clock: Clock, client: UUID, zones: frozenset[UUID]) -> None:
    """Reckon each of these zones by itself."""
    if not zones:
        return
    async with touch(db, client, clock.now(), LABEL) as ctx:
        seen_at = (await reckoning.account_of(ctx)).seen_at

    async def reckon_one(one: Subject) -> int:
        more = True
        while more:
            async with touch(db, client, clock.now(), LABEL) as ctx:
                more = await reckoning.reckon_zone(ctx, one.id, one.since)
        return 0

    subjects = [Subject(zone, client, seen_at) for zone in sorted(zones)]
    await setbacks.each(db, clock, OF_ZONES, subjects, reckon_one)
