"""Whoever changes the trail afterwards is found, however carefully: generated falsifications."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from support.services import PostgresServer
from support.tamper import DEEDS, Deed, Forger, forging
from support.world import World
from sync2gear_platform.audit import rules, service, verify
from sync2gear_platform.audit.anchoring import Anchoring
from sync2gear_platform.audit.rules import Fault
from sync2gear_platform.kit.db import AsyncSession, driver_url

LENGTH = 14
ROUNDS = 9
"""How often ``make test`` tries each deed."""


class Trail:
    """Two clients' chains and the installation's, anchored; and a superuser to falsify them."""

    def __init__(self, engine: AsyncEngine, chains: list[UUID], anchors: Path) -> None:
        self.engine = engine
        self.chains = chains
        self.anchors = anchors


async def faults(door: verify.Door, anchors: Path | None) -> list[Fault]:
    """What a verification of the whole installation finds."""
    steps = verify.verify_all(door, anchors_file=anchors)
    return [step.fault async for step in steps if step.fault is not None]


@pytest.fixture
async def trail(world: World, postgres: PostgresServer) -> AsyncIterator[Trail]:
    chains = [(await world.tenant(name)).id for name in ("Mine", "Theirs")]
    for number in range(LENGTH):
        for client in (*chains, None):
            async with world.ctx(client) as ctx:
                person = replace(ctx.actor, kind="user", id=uuid4(), label=f"{number}@example.test")
                inside = replace(ctx, actor=person)
                after = {"name": f"Zone {number}"}
                service.record(inside, "zone.update", "zone", uuid4(), after=after)
    anchoring = Anchoring(world.db, world.clock, world.settings.anchors_path)
    assert await anchoring.tick() == 3
    anchoring.close()
    name = world.settings.database_url.get_secret_value().rpartition("/")[2]
    url = postgres.superuser_url.rpartition("/")[0] + "/" + name
    engine = create_async_engine(driver_url(url))
    yield Trail(engine, [*chains, rules.INSTALLATION], world.settings.anchors_path)
    await engine.dispose()


def door_of(forger: Forger) -> verify.Door:
    """Sees what the forger has done and not committed."""

    @asynccontextmanager
    async def door() -> AsyncIterator[AsyncSession]:
        async with AsyncSession(forger.connection) as session:
            yield session

    return door


async def counting(forger: Forger) -> bool:
    """A checker that only counts: numbers without a gap, an entry for each, the head's number."""
    found = await forger.run(
        "SELECT coalesce(max(seq), 0), count(*), count(e.id),"
        " coalesce((SELECT seq FROM audit_heads WHERE chain = :chain), 0)"
        " FROM audit_seals s LEFT JOIN audit_entries e ON e.id = s.entry_id WHERE chain = :chain"
    )
    last, links, entries, head = found.one()
    return bool(last == links == entries == head)


async def chain_only(forger: Forger) -> bool:
    """A checker that follows the hashes and looks at nothing else."""
    place = rules.Place()
    async with door_of(forger)() as session:
        for found in await verify.links(session, forger.chain, 0, 10_000):
            if rules.judge(forger.chain, place, replace(found, details=None)):
                return False
            place = rules.Place(found.seq, found.hash)
        head = await session.get(verify.AuditHead, forger.chain)
    return (place.seq, place.hash) == ((head.seq, head.hash) if head else (0, rules.GENESIS))


async def details_only(forger: Forger) -> bool:
    """A checker that holds the details to each entry's digest and knows of no chain."""
    found = await forger.run(
        "SELECT count(*) FROM audit_entries e JOIN audit_details d ON d.entry_id = e.id"
        " WHERE e.client_id IS NOT DISTINCT FROM :client"
        " AND audit_hash(d.salt, d.body) <> e.digest",
        client=forger.client,
    )
    return bool(found.scalar_one() == 0)


async def anchorless(forger: Forger) -> bool:
    """The whole verification, but for the anchors."""
    return await faults(door_of(forger), None) == []


WEAKER: dict[str, Callable[[Forger], Any]] = {
    "counting": counting,
    "chain": chain_only,
    "details": details_only,
    "anchorless": anchorless,
}


async def commit(trail: Trail, deed: Deed, seed: int) -> None:
    """Do it, find it, and see the checkers that leave something out miss it."""
    kinds, blind = DEEDS[deed]
    chain = trail.chains[seed % 3]
    async with forging(trail.engine, chain, trail.chains[(seed + 1) % 3], seed) as forger:
        door = door_of(forger)
        await deed(forger)
        found = await faults(door, trail.anchors)
        mine = [fault.kind for fault in found if fault.chain == chain]
        assert set(mine) & kinds, f"{deed.__name__} {seed}: {found}"
        for name in sorted(blind):
            assert await WEAKER[name](forger), f"{deed.__name__} {seed}: {name} saw it too"


async def test_two_hundred_falsifications_are_found(world: World, trail: Trail) -> None:
    assert await faults(world.db.system, trail.anchors) == [], "untouched, it holds"
    deeds = list(DEEDS)
    assert len(deeds) * ROUNDS >= 200
    for seed in range(len(deeds) * ROUNDS):
        await commit(trail, deeds[seed % len(deeds)], seed)


@pytest.mark.soak
async def test_a_thousand_falsifications_are_found(trail: Trail) -> None:
    deeds = list(DEEDS)
    for seed in range(1_000, 2_000 + len(deeds)):
        await commit(trail, deeds[seed % len(deeds)], seed)
