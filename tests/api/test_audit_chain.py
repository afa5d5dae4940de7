"""What is written down is sealed at the commit, once, in order, and nobody's rights undo it."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from support.world import World
from sync2gear_platform.audit import rules, service, verify
from sync2gear_platform.audit.rules import Fault
from sync2gear_platform.audit.tables import AuditDetails, AuditEntry, AuditHead, AuditSeal
from sync2gear_platform.kit.context import Ctx, Origin


def write(ctx: Ctx, number: int = 0, user: UUID | None = None) -> AuditEntry:
    """An entry by some person."""
    actor = replace(ctx.actor, kind="user", id=user or uuid4(), label="kim@example.test")
    inside = replace(ctx, actor=actor, origin=Origin("192.0.2.7", "Browser/1.0"))
    return service.record(inside, "zone.update", "zone", uuid4(), after={"number": number})


async def faults(world: World) -> list[Fault]:
    """What a verification of everything finds."""
    steps = verify.verify_all(world.db.system, anchors_file=None)
    return [step.fault async for step in steps if step.fault is not None]


async def sealed(world: World, chain: UUID) -> list[int]:
    """The numbers of a chain's links."""
    async with world.ctx() as ctx:
        found = select(AuditSeal.seq).where(col(AuditSeal.chain) == chain)
        return list(await ctx.db.exec(found.order_by(col(AuditSeal.seq))))


async def test_an_entry_is_sealed_at_the_commit_and_not_before(world: World) -> None:
    tenant = await world.tenant()
    before = len(await sealed(world, tenant.id))
    async with world.ctx(tenant.id) as ctx:
        entry = write(ctx)
        await ctx.db.flush()
        mine = select(AuditSeal).where(col(AuditSeal.entry_id) == entry.id)
        assert (await ctx.db.exec(mine)).all() == []
    async with world.ctx(tenant.id) as ctx:
        seal = (await ctx.db.exec(mine)).one()
        details = await ctx.db.get_one(AuditDetails, entry.id)
        head = await ctx.db.get_one(AuditHead, tenant.id)
    assert (seal.seq, seal.hash) == (before + 1, head.hash)
    assert "192.0.2.7" in details.body
    assert "Browser/1.0" in details.body
    assert await faults(world) == []


async def test_what_is_rolled_back_leaves_no_gap(world: World) -> None:
    tenant = await world.tenant()
    async with world.ctx(tenant.id) as ctx:
        write(ctx)
        await ctx.db.flush()
        await ctx.db.rollback()
    async with world.ctx(tenant.id) as ctx:
        write(ctx)
    numbers = await sealed(world, tenant.id)
    assert numbers == list(range(1, len(numbers) + 1))
    assert await faults(world) == []


async def test_an_actor_without_a_client_writes_into_the_installations_chain(world: World) -> None:
    tenant = await world.tenant()
    async with world.ctx() as ctx:
        entry = write(ctx)
    assert entry.client_id is None
    assert await sealed(world, rules.INSTALLATION) == [1]
    async with world.ctx(tenant.id) as ctx:
        assert (await ctx.db.exec(select(AuditEntry).where(col(AuditEntry.id) == entry.id))
                ).all() == []  # fmt: skip
        assert (await ctx.db.get(AuditHead, rules.INSTALLATION)) is None

    async def as_nobodys(tenant_id: UUID) -> None:
        async with world.ctx(tenant_id) as ctx:
            write(replace(ctx, actor=replace(ctx.actor, client_id=None)))

    with pytest.raises(DBAPIError, match="row-level security"):
        await as_nobodys(tenant.id)


SETTINGS = (
    "timezone = 'Asia/Kathmandu'",
    "extra_float_digits = -15",
    "datestyle = 'SQL, DMY'",
    "intervalstyle = 'sql_standard'",
    "lc_time = 'C'",
    "bytea_output = 'escape'",
)


async def test_a_seal_does_not_depend_on_the_writers_settings(world: World) -> None:
    tenant = await world.tenant()
    for setting in SETTINGS:
        async with world.ctx(tenant.id) as ctx:
            await ctx.db.execute(text(f"SET LOCAL {setting}"))
            write(replace(ctx, trace='quote " back \\ tab \t snow \u2603 del \x7f unit \x1f'))
    assert await faults(world) == []


async def writers(world: World, clients: list[UUID | None], each: int) -> None:
    """One writer for each of ``clients``, all at once."""

    async def writer(client: UUID | None) -> None:
        for number in range(each):
            async with world.ctx(client) as ctx:
                write(ctx, number)

    await asyncio.gather(*(writer(client) for client in clients))


async def test_writers_at_once_leave_no_gap_and_no_double(world: World) -> None:
    one, two = (await world.tenant("One")).id, (await world.tenant("Two")).id
    had = {chain: len(await sealed(world, chain)) for chain in (one, two, rules.INSTALLATION)}
    await writers(world, [one] * 4 + [two] * 3 + [None], 12)
    for chain, count in ((one, 48), (two, 36), (rules.INSTALLATION, 12)):
        assert await sealed(world, chain) == list(range(1, had[chain] + count + 1))
    assert await faults(world) == []


async def test_transactions_over_several_chains_wait_for_each_other_in_one_order(
    world: World,
) -> None:
    """Half of them write into the chains in the one order and half in the other."""
    chains: list[UUID | None] = [(await world.tenant(name)).id for name in "AB"]
    chains.append(None)

    async def writer(order: list[UUID | None]) -> None:
        for _ in range(10):
            async with world.ctx() as ctx:
                for chain in order:
                    write(replace(ctx, actor=replace(ctx.actor, client_id=chain)))
                    await ctx.db.flush()

    async with asyncio.timeout(60):
        await asyncio.gather(*(writer(chains[:: 1 if n % 2 else -1]) for n in range(8)))
    assert await sealed(world, rules.INSTALLATION) == list(range(1, 81))
    assert await faults(world) == []


async def test_a_writer_that_is_killed_before_its_commit_leaves_nothing(world: World) -> None:
    tenant = await world.tenant()
    before = await sealed(world, tenant.id)
    script = (
        "import sys, psycopg, time\n"
        "c = psycopg.connect(sys.argv[1])\n"
        "c.execute(\"SELECT set_config('role', 'sync2gear_system', true)\")\n"
        "c.execute(\"INSERT INTO audit_details VALUES (%(i)s, %(c)s, 's', '{}')\","
        " {'i': sys.argv[2], 'c': sys.argv[3]})\n"
        'c.execute("INSERT INTO audit_entries (id, client_id, at, actor_kind, action, activity,'
        " operation, subject_type, trace, digest) VALUES (%(i)s, %(c)s, now(), 'user', 'a.b',"
        " 'crud', 'update', 'zone', '', audit_hash('s', '{}'))\","
        " {'i': sys.argv[2], 'c': sys.argv[3]})\n"
        "c.execute('SET CONSTRAINTS ALL IMMEDIATE') if sys.argv[4] == 'sealed' else None\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    url = world.settings.database_url.get_secret_value()
    for state in ("written", "sealed"):
        made = str(uuid4())
        command = [sys.executable, "-c", script, url, made, str(tenant.id), state]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        process.kill()
        await process.wait()
        async with asyncio.timeout(20), world.ctx(tenant.id) as ctx:
            write(ctx)  # waits for the dead one's lock at most until PostgreSQL notices
        async with world.ctx() as ctx:
            assert await ctx.db.get(AuditEntry, UUID(made)) is None
    assert await sealed(world, tenant.id) == [*before, len(before) + 1, len(before) + 2]
    assert await faults(world) == []


# what nobody may


OWNERS_DEEDS = (
    "UPDATE audit_entries SET action = 'x'",
    "DELETE FROM audit_entries",
    "TRUNCATE audit_entries CASCADE",
    "UPDATE audit_details SET body = '{}'",
    "DELETE FROM audit_details",
    "TRUNCATE audit_details",
    "UPDATE audit_seals SET hash = ''",
    "DELETE FROM audit_seals",
    "TRUNCATE audit_seals",
    "UPDATE audit_heads SET hash = ''",
    "UPDATE audit_heads SET seq = 7",
    "DELETE FROM audit_heads",
    "TRUNCATE audit_heads",
    "DELETE FROM clients",
)


async def test_not_even_the_owner_edits_the_trail(world: World) -> None:
    await world.tenant()
    assert world.settings.database_admin_url is not None
    url = world.settings.database_admin_url.get_secret_value()
    refusals = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ForeignKeyViolation)
    for deed in OWNERS_DEEDS:
        with psycopg.connect(url) as connection:
            connection.execute("ALTER TABLE clients NO FORCE ROW LEVEL SECURITY")
            with pytest.raises(refusals):
                connection.execute(deed)


@pytest.mark.parametrize("role", ["tenant", "system"])
async def test_no_role_of_the_application_does_either(world: World, role: str) -> None:
    tenant = await world.tenant()

    async def commit(deed: str) -> None:
        door = world.db.tenant(tenant.id) if role == "tenant" else world.db.system()
        async with door as session:
            await session.execute(text(deed))

    for deed in (
        *(d for d in OWNERS_DEEDS if "clients" not in d),
        "INSERT INTO audit_seals VALUES (gen_random_uuid(), 1, gen_random_uuid(), '')",
        "INSERT INTO audit_heads VALUES (gen_random_uuid(), 1, '')",
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            await commit(deed)


async def test_an_entry_needs_its_own_details_before_the_commit_and_gets_none_after(
    world: World,
) -> None:
    tenant = await world.tenant()

    async def falsely(body: str | None) -> None:
        async with world.ctx(tenant.id) as ctx:
            entry = write(ctx)
            [details] = [row for row in ctx.db.new if isinstance(row, AuditDetails)]
            assert details.entry_id == entry.id
            if body is None:
                ctx.db.expunge(details)
            else:
                details.body = body

    async def late(entry_id: UUID) -> None:
        async with world.ctx(tenant.id) as ctx:
            ctx.db.add(AuditDetails(entry_id=entry_id, client_id=tenant.id, salt="", body="{}"))

    with pytest.raises(DBAPIError, match="has no details"):
        await falsely(None)
    with pytest.raises(DBAPIError, match="are not its own"):
        await falsely("{}")
    async with world.ctx(tenant.id) as ctx:
        entry = write(ctx)
    with pytest.raises(DBAPIError, match="is sealed"):
        await late(entry.id)
    assert await faults(world) == []


async def test_an_older_program_beside_the_new_schema_is_sealed_too(world: World) -> None:
    tenant = await world.tenant()
    made = uuid4()
    async with world.db.tenant(tenant.id) as session:
        await session.execute(
            text(
                "INSERT INTO audit_entries (id, client_id, at, actor_kind, actor_label, action,"
                " subject_type, before, after, trace) VALUES (:id, :client, now(), 'user',"
                " 'kim@example.test', 'device.revoke', 'device', NULL,"
                " '{\"name\": \"Bar \u2603\"}', '')"
            ),
            {"id": made, "client": tenant.id},
        )
    page = await tenant.read("/audit/", action="device.")
    [shown] = page["results"]
    assert shown["actor"]["label"] == "kim@example.test"
    assert shown["after"] == {"name": "Bar \u2603"}
    assert (shown["activity"], shown["operation"]) == ("crud", "delete")
    assert await faults(world) == []
