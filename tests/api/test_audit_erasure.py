"""A person is erased from a trail that still verifies, and a client from the installation."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col, select

from support.world import Tenant, World
from sync2gear_platform.audit import rules, service, verify
from sync2gear_platform.audit.anchoring import Anchoring
from sync2gear_platform.audit.rules import Fault
from sync2gear_platform.audit.tables import AuditDetails, AuditEntry, AuditHead, AuditSeal
from sync2gear_platform.kit.context import Ctx, Origin
from sync2gear_platform.kit.db import AsyncSession, driver_url

CANARY = "canary-kim@example.test"


async def acts(world: World, client: UUID | None, user: UUID, **after: str) -> UUID:
    """Somebody changes a zone."""
    async with world.ctx(client) as ctx:
        actor = replace(ctx.actor, kind="user", id=user, label=CANARY)
        inside = replace(ctx, actor=actor, origin=Origin("192.0.2.99", "Kims browser"))
        return service.record(inside, "zone.update", "zone", uuid4(), after=after).id


async def faults(world: World) -> list[Fault]:
    """What a verification with anchors finds."""
    anchoring = Anchoring(world.db, world.clock, world.settings.anchors_path)
    await anchoring.tick()
    anchoring.close()
    steps = verify.verify_all(world.db.system, anchors_file=world.settings.anchors_path)
    return [step.fault async for step in steps if step.fault is not None]


async def stored(world: World) -> str:
    """Everything that the trail says, as text."""
    async with world.ctx() as ctx:
        query = text("SELECT coalesce(string_agg(t::text, ' '), '') FROM"
                     " (SELECT e::text AS t FROM audit_entries e"
                     " UNION ALL SELECT d::text FROM audit_details d) all_of_it")  # fmt: skip
        return str((await ctx.db.execute(query)).scalar_one())


async def test_a_person_is_erased_from_every_chain_and_all_of_them_verify(world: World) -> None:
    one, two = await world.tenant("One"), await world.tenant("Two")
    kim, sam = uuid4(), uuid4()
    for client in (one.id, two.id, None):
        for _ in range(3):
            await acts(world, client, kim)
            await acts(world, client, sam, name="Bar")
    async with world.ctx(one.id) as ctx:
        service.record(ctx, "user.update", "user", kim, after={"email": CANARY})
        mention = service.record(ctx, "invitation.create", "invitation", uuid4(),
                                 after={"email": CANARY.upper()})  # fmt: skip
    assert await faults(world) == []
    async with world.ctx() as ctx:
        await ctx.db.execute(text("SELECT 1"))
        gone = await service.erase_person(ctx, kim, mentions=["CANARY-KIM@example.test"])
    # nine of Kim's own, the one about Kim, the invitation; Sam's are labelled with the canary too
    assert gone == 9 + 1 + 1 + 9
    assert CANARY not in (await stored(world)).lower()
    assert await faults(world) == []
    async with world.ctx(one.id) as ctx:
        assert await ctx.db.get(AuditDetails, mention.id) is None
        assert await ctx.db.get(AuditEntry, mention.id) is not None
    page = await one.read("/audit/", subject_id=str(kim), action="user.")
    [shown] = page["results"]
    assert (shown["erased"], shown["actor"]["label"], shown["after"]) == (True, "", None)


async def test_who_erases_itself_leaves_no_name_either(world: World) -> None:
    tenant = await world.tenant()
    kim = uuid4()
    async with world.ctx() as ctx:
        me = replace(ctx, actor=replace(ctx.actor, kind="user", id=kim, label=CANARY,
                                        client_id=tenant.id))  # fmt: skip
        service.record(me, "user.delete", "user", kim, before={"email": CANARY})
        await service.erase_person(me, kim, mentions=[CANARY])
    assert CANARY not in await stored(world)
    assert await faults(world) == []


async def test_what_a_person_does_after_an_erasure_is_kept_and_held_to_it(world: World) -> None:
    tenant = await world.tenant()
    kim = uuid4()
    await acts(world, tenant.id, kim)
    async with world.ctx() as ctx:
        await service.erase_person(ctx, kim)
    later = await acts(world, tenant.id, kim)
    assert await faults(world) == []
    found = await tampered(world, f"DELETE FROM audit_details WHERE entry_id = '{later}'")
    assert [(f.kind, f.entry_id) for f in found] == [("details_missing", later)], (
        "an erasure explains only what came before it"
    )


async def tampered(world: World, statement: str) -> list[Fault]:
    """What is found while the owner, whose triggers are off, has done this."""
    assert world.settings.database_admin_url is not None
    url = driver_url(world.settings.database_admin_url.get_secret_value())
    engine = create_async_engine(url)
    try:
        async with AsyncSession(engine) as session, session.begin():
            await session.execute(text("ALTER TABLE audit_details DISABLE TRIGGER USER"))
            await session.execute(text(statement))
            await session.execute(text("ALTER TABLE audit_details ENABLE TRIGGER USER"))
        return await faults(world)
    finally:
        await engine.dispose()


async def test_nothing_is_erased_without_an_entry_that_says_so(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant("Other")
    kim = uuid4()
    mine, foreign = await acts(world, tenant.id, kim), await acts(world, other.id, kim)

    async def attempt(deed: Callable[[Ctx], AuditEntry | UUID], function: str) -> None:
        async with world.ctx() as ctx:
            said = deed(ctx)
            await ctx.db.flush()
            told = said if isinstance(said, UUID) else said.id
            await ctx.db.execute(text(f"SELECT {function}(:id)"), {"id": told})

    def as_client(ctx: Ctx, client: UUID | None) -> Ctx:
        return replace(ctx, actor=replace(ctx.actor, client_id=client))

    bad: list[tuple[Callable[[Ctx], AuditEntry | UUID], str]] = [
        (lambda ctx: mine, "audit_erase"),
        (lambda ctx: uuid4(), "audit_erase"),
        (lambda ctx: service.record(ctx, "zone.update", "user", kim), "audit_erase"),
        (lambda ctx: service.record(ctx, rules.ERASE, "user", kim), "audit_remove"),
        (lambda ctx: service.record(as_client(ctx, tenant.id), rules.REMOVE, "client", tenant.id),
         "audit_remove"),
    ]  # fmt: skip
    for deed, function in bad:
        with pytest.raises(DBAPIError, match="needs an entry of its own"):
            await attempt(deed, function)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with world.ctx(tenant.id) as ctx:
            await ctx.db.execute(text("SELECT audit_erase(:id)"), {"id": mine})
    await attempt(lambda ctx: service.record(as_client(ctx, tenant.id), rules.ERASE, "user", kim),
                  "audit_erase")  # fmt: skip
    async with world.ctx() as ctx:
        assert await ctx.db.get(AuditDetails, mine) is None
        assert await ctx.db.get(AuditDetails, foreign) is not None, "another chain's erasure"
    assert await faults(world) == []


async def test_a_clients_chain_goes_with_the_client_and_the_installation_remembers(
    world: World,
) -> None:
    gone, stays = await world.tenant("Gone"), await world.tenant("Stays")
    await acts(world, gone.id, uuid4())
    assert await faults(world) == []
    async with world.ctx() as ctx:
        head = await ctx.db.get_one(AuditHead, gone.id)
        await service.remove_chain(ctx, gone.id)
        await ctx.db.execute(text("DELETE FROM clients WHERE id = :id"), {"id": gone.id})
    assert await rows_of(world, gone) == 0
    assert await rows_of(world, stays) > 0
    async with world.ctx() as ctx:
        said = await ctx.db.exec(select(AuditEntry).where(col(AuditEntry.action) == rules.REMOVE))
        entry = said.one()
        details = await ctx.db.get_one(AuditDetails, entry.id)
    assert entry.subject_id == gone.id
    assert head.hash in details.body
    assert await faults(world) == [], "the anchors of the chain are explained"


async def test_a_client_that_did_something_in_the_transaction_of_its_end_goes_too(
    world: World,
) -> None:
    gone = await world.tenant("Gone")
    async with world.ctx() as ctx:
        inside = replace(ctx, actor=replace(ctx.actor, client_id=gone.id))
        service.record(inside, "client.delete", "client", gone.id)
        await service.remove_chain(ctx, gone.id)
        await ctx.db.execute(text("DELETE FROM clients WHERE id = :id"), {"id": gone.id})
    assert await rows_of(world, gone) == 0
    assert await faults(world) == []


async def rows_of(world: World, tenant: Tenant) -> int:
    """How much is left of a client's trail."""
    async with world.ctx() as ctx:
        found = 0
        for column in (AuditEntry.client_id, AuditDetails.client_id, AuditSeal.chain):
            found += len((await ctx.db.exec(select(column).where(col(column) == tenant.id))).all())
        return found
