"""Heads remembered outside the database: the file, the leader's duty, and what was there before."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from structlog.testing import capture_logs

from support.services import PostgresServer
from support.world import World, make_settings
from sync2gear_platform.audit import local, service, verify
from sync2gear_platform.audit.anchoring import Anchoring
from sync2gear_platform.audit.anchors import Altered, Anchor, AnchorFile, read
from sync2gear_platform.audit.rules import GENESIS, Place
from sync2gear_platform.kit.db import Database, driver_url
from sync2gear_platform.migrations import run

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CHAIN = UUID(int=7)


def write(path: Path, *seqs: int) -> None:
    """Some anchors of one chain, each by a writer of its own."""
    for seq in seqs:
        file = AnchorFile(path)
        file.open()
        file.append([(CHAIN, Place(seq, f"{seq:064x}"))], NOW)
        file.close()


def test_lines_are_chained_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "anchors.jsonl"
    write(path, 1, 5, 9)
    assert [(a.line, a.seq) for a in read(path) if isinstance(a, Anchor)] == [
        (1, 1),
        (2, 5),
        (3, 9),
    ]
    lines = path.read_bytes().splitlines()
    assert json.loads(lines[0])["prev"] == GENESIS
    assert json.loads(lines[2])["prev"] == hashlib.sha256(lines[1]).hexdigest()


@pytest.mark.parametrize("torn", [1, 20, 150])
def test_half_a_line_at_the_end_is_passed_over_and_cut_off(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "anchors.jsonl"
    write(path, 1, 2, 3)
    whole = path.read_bytes()
    path.write_bytes(whole[:-torn])
    assert [a.seq for a in read(path) if isinstance(a, Anchor)] == [1, 2]
    write(path, 4)
    assert [(type(a), getattr(a, "seq", 0)) for a in read(path)] == [
        (Anchor, 1), (Anchor, 2), (Anchor, 4),
    ]  # fmt: skip
    path.write_bytes(b"{")
    write(path, 1)
    assert [type(a) for a in read(path)] == [Anchor]


def test_a_changed_or_missing_line_is_found(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    write(path, *range(1, 8))
    lines = path.read_bytes().splitlines(keepends=True)
    for number in range(7):
        changed = [*lines]
        changed[number] = lines[number].replace(b'"seq":', b'"seq":1')
        path.write_bytes(b"".join(changed))
        found = [a.line for a in read(path) if isinstance(a, Altered)]
        assert found == ([number + 2] if number < 6 else []), "the last line has no successor"
        path.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
        found = [a.line for a in read(path) if isinstance(a, Altered)]
        assert found == ([number + 1] if number < 6 else [])
    path.write_bytes(b"".join(lines) + b"x" * 100_000)
    assert isinstance(list(read(path))[-1], Altered)
    path.write_bytes(b"[]\n[1]\nnull\n\n" + b"".join(lines))
    assert isinstance(next(read(path)), Altered)


def test_only_one_process_writes(tmp_path: Path) -> None:
    one, two = AnchorFile(tmp_path / "a"), AnchorFile(tmp_path / "a")
    one.open()
    with pytest.raises(BlockingIOError):
        two.open()
    one.close()
    two.open()
    two.close()


def test_a_file_that_is_moved_away_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    file = AnchorFile(path)
    file.open()
    file.append([(CHAIN, Place(1, GENESIS))], NOW)
    path.rename(tmp_path / "kept.jsonl")
    file.open()
    assert file.last == {}
    file.append([(CHAIN, Place(2, GENESIS))], NOW)
    file.close()
    assert [a.seq for a in read(path) if isinstance(a, Anchor)] == [2]
    assert [a.seq for a in read(tmp_path / "kept.jsonl") if isinstance(a, Anchor)] == [1]


@pytest.fixture
def anchoring(world: World) -> Iterator[Anchoring]:
    made = Anchoring(world.db, world.clock, world.settings.anchors_path)
    yield made
    made.close()


async def change(world: World, client: UUID | None) -> None:
    async with world.ctx(client) as ctx:
        service.record(ctx, "zone.update", "zone", uuid4())


async def test_the_leader_anchors_what_moved_and_is_quiet_otherwise(
    world: World, anchoring: Anchoring
) -> None:
    one, two = await world.tenant("One"), await world.tenant("Two")
    with capture_logs() as logs:
        assert await anchoring.tick() == 2
        assert await anchoring.tick() == 0
        await change(world, two.id)
        await change(world, None)
        assert await anchoring.tick() == 2
    size = world.settings.anchors_path.stat().st_size
    assert await anchoring.tick() == 0
    assert world.settings.anchors_path.stat().st_size == size
    told = [(entry["chain"], entry["seq"]) for entry in logs if entry["event"] == "audit.anchor"]
    found = [(str(a.chain), a.seq) for a in read(world.settings.anchors_path)
             if isinstance(a, Anchor)]  # fmt: skip
    assert told == found
    assert {chain for chain, _ in found[:2]} == {str(one.id), str(two.id)}


async def test_a_new_leader_goes_on_and_says_when_the_chain_does_not(
    world: World, anchoring: Anchoring, postgres: PostgresServer
) -> None:
    tenant = await world.tenant()
    await anchoring.tick()
    anchoring.close()
    follower = Anchoring(world.db, world.clock, world.settings.anchors_path)
    with capture_logs() as logs:
        assert await follower.tick() == 0
        await change(world, tenant.id)
        assert await follower.tick() == 1
    assert [e for e in logs if e["event"] == "audit.broken"] == []
    forge(world, postgres, "UPDATE audit_seals SET hash = reverse(hash)",
          "UPDATE audit_heads SET hash = reverse(hash)")  # fmt: skip
    with capture_logs() as logs:
        await follower.tick()
        await follower.tick()
    assert [e["chain"] for e in logs if e["event"] == "audit.broken"] == [str(tenant.id)]
    forge(world, postgres, *(f"DELETE FROM audit_{t}" for t in ("seals", "heads")))
    with capture_logs() as logs:
        await follower.tick()
        await follower.tick()
    assert [e["chain"] for e in logs if e["event"] == "audit.broken"] == [str(tenant.id)]
    follower.close()


def forge(world: World, postgres: PostgresServer, *statements: str) -> None:
    """Do it as a superuser without triggers, for good."""
    name = world.settings.database_url.get_secret_value().rpartition("/")[2]
    url = postgres.superuser_url.rpartition("/")[0] + "/" + name
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]  # not LiteralString


async def test_the_local_command_verifies_all_and_tells_the_first_fault_of_each(
    world: World, anchoring: Anchoring, postgres: PostgresServer
) -> None:
    one, two = await world.tenant("One"), await world.tenant("Two")
    report = await local.verify(world.settings)
    assert (report["anchors"], report["faults"]) == (None, []), "no file yet, and no fault"
    await anchoring.tick()
    for _ in range(3):
        await change(world, one.id)
        await change(world, two.id)
    await anchoring.tick()
    report = await local.verify(world.settings)
    assert report == {"chains": 2, "entries": 14, "anchors": 4, "faults": []}
    forge(world, postgres, "UPDATE audit_entries SET action = 'x.y'"
          " WHERE id IN (SELECT entry_id FROM audit_seals WHERE seq = 3)")  # fmt: skip
    report = await local.verify(world.settings)
    assert sorted((f["kind"], f["chain"], f["seq"]) for f in report["faults"]) == sorted(
        ("entry_altered", str(t.id), 3) for t in (one, two)
    )


async def test_anchors_of_a_longer_chain_say_that_it_was_rewound(
    world: World, anchoring: Anchoring
) -> None:
    tenant = await world.tenant()
    for _ in range(4):
        await change(world, tenant.id)
    await anchoring.tick()
    file = AnchorFile(world.settings.anchors_path)
    anchoring.close()
    file.open()
    place = file.last[tenant.id]
    file.append([(tenant.id, replace(place, seq=2))], NOW)
    file.close()
    _, fault = await verify.compare(world.db.system, world.settings.anchors_path, tenant.id)
    assert fault is not None
    assert (fault.kind, fault.line) == ("anchors_rewound", 2)


async def test_what_was_written_before_the_chain_is_moved_into_it(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """A database of the release before, with entries of two clients, is brought up to date."""
    name = f"t{uuid4().hex[:12]}"
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER sync2gear_owner")  # type: ignore[call-overload]  # a name
        connection.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    admin_url, app_url = postgres.for_database(name)
    config = Config()
    config.set_main_option("script_location", str(Path(run.__file__).parent))
    before = ScriptDirectory.from_config(config).get_revision("0007").down_revision
    engine = create_engine(driver_url(admin_url))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, str(before))
        connection.commit()
    engine.dispose()
    superuser = postgres.superuser_url.rpartition("/")[0] + "/" + name
    clients = [uuid4(), uuid4()]
    old: dict[UUID, Any] = {}
    with psycopg.connect(superuser) as raw:
        for client in clients:
            raw.execute(
                "INSERT INTO clients (id, name, status, max_devices, max_storage_gb, created_at,"
                " updated_at) VALUES (%s, 'x', 'active', 1, 1, now(), now())",
                (client,),
            )
        for number in range(20):
            old[one := uuid4()] = {"number": number, "pi": 3.14159, "text": '\u2603 " \\ \n'}
            raw.execute(
                "INSERT INTO audit_entries (id, client_id, at, actor_kind, actor_id, actor_label,"
                " action, subject_type, before, after, trace) VALUES (%s, %s, now(), 'user', %s,"
                " 'kim', %s, 'zone', NULL, %s, 'trace')",
                (one, clients[number % 2], uuid4(), ("zone.create", "import.finish")[number % 2],
                 json.dumps(old[one])),
            )  # fmt: skip
    run.migrate(admin_url, app_url)
    settings = make_settings(tmp_path, app_url, admin_url)
    report = await local.verify(settings)
    assert report == {"chains": 2, "entries": 20, "anchors": None, "faults": []}
    db = Database(app_url)
    async with db.system() as session:
        links = await verify.links(session, clients[1], 0, 100)
    await db.close()
    assert [(one.facts.activity, one.facts.operation) for one in links if one.facts] == [
        ("sync", "success")
    ] * 10
    for one in links:
        assert one.details is not None
        assert json.loads(one.details.body)["after"] == old[one.entry_id]
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]  # a name
