"""The second fence: what PostgreSQL itself refuses when the code in front of it is wrong."""

from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from support.services import PostgresServer
from support.world import World


async def test_without_a_door_nothing_opens(world: World) -> None:
    url = world.settings.database_url.get_secret_value()
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename NOT LIKE 'procrastinate%'"
        ).fetchall()
    assert len(tables) > 15
    for (table,) in tables:
        with (
            psycopg.connect(url) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(f"SELECT FROM {table}")


async def test_every_table_of_a_client_has_row_level_security(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.superuser_url) as connection:
        open_tables = connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE a.attname = 'client_id' AND c.relkind = 'r'"
            " AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
        ).fetchall()
        owned = connection.execute(
            "SELECT tableowner FROM pg_tables WHERE schemaname = 'public'"
            " AND tableowner <> 'sync2gear_owner'"
        ).fetchall()
        strong = connection.execute(
            "SELECT rolname FROM pg_roles WHERE (rolsuper OR rolbypassrls)"
            " AND rolname IN ('sync2gear_app', 'sync2gear_tenant', 'sync2gear_system')"
        ).fetchall()
    assert open_tables == []
    assert owned == []
    assert strong == []


async def test_a_tenant_sees_and_writes_only_its_own_rows(world: World) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    zone = await theirs.make("/zones/", name="Theirs")
    async with world.db.tenant(mine.id) as session:
        seen = await session.execute(text("SELECT DISTINCT client_id FROM locations"))
        assert [row[0] for row in seen] == [mine.id]
        assert (await session.execute(text("SELECT count(*) FROM clients"))).scalar_one() == 1
        changed = await session.execute(
            text("UPDATE zones SET name = 'stolen' WHERE id = :id"), {"id": zone["id"]}
        )
        assert changed.rowcount == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        async with world.db.tenant(mine.id) as session:
            await session.execute(
                text(
                    "INSERT INTO locations (id, client_id, version, created_at, updated_at, name,"
                    " address, timezone) VALUES (:id, :client, 1, now(), now(), 'x', '', 'UTC')"
                ),
                {"id": uuid4(), "client": theirs.id},
            )


@pytest.mark.parametrize("role", ["tenant", "system"])
@pytest.mark.parametrize(
    "verb", ["UPDATE audit_entries SET action = 'x'", "DELETE FROM audit_entries"]
)
async def test_nobody_edits_the_audit_trail(world: World, role: str, verb: str) -> None:
    tenant = await world.tenant()
    door = world.db.tenant(tenant.id) if role == "tenant" else world.db.system()
    with pytest.raises(DBAPIError, match="permission denied"):
        async with door as session:
            await session.execute(text(verb))


async def test_a_composite_key_cannot_leave_the_client(world: World) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    zone = await mine.make("/zones/", name="Mine")
    floor = await theirs.make("/floors/", name="Theirs")
    with pytest.raises(DBAPIError, match="foreign key"):
        async with world.db.system() as session:
            await session.execute(
                text("UPDATE zones SET floor_id = :floor WHERE id = :zone"),
                {"floor": floor["id"], "zone": zone["id"]},
            )
