"""Archives: everything of a client or a person, nothing of anybody else, and no secret."""

import asyncio
import hashlib
import json
import os
import zipfile
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select, update

from support.mail import inbox
from support.privacy import fetch, place_of, rows_in, run_exports
from support.world import Tenant, World
from sync2gear_platform.identity.tables import User
from sync2gear_platform.library.tables import Media
from sync2gear_platform.privacy import archive, exporting, inventory, jobs
from sync2gear_platform.privacy.tables import Export
from sync2gear_platform.tables import metadata

CLIENT, ME = "/privacy/exports/", "/auth/me/export/"


async def put_audio(world: World, tenant: Tenant, data: bytes) -> str:
    """Audio that the client has, with its bytes in the store."""
    async with world.app.state.blobs.stage(data) as staged:
        await staged.keep()
    async with world.ctx(tenant.id) as ctx:
        ctx.db.add(Media(client_id=tenant.id, sha256=staged.sha256, bytes=len(data), frames=10,
                         codec="pcm_s16le", created_at=ctx.now))  # fmt: skip
    return str(staged.sha256)


async def export(world: World, tenant: Tenant, path: str = CLIENT) -> zipfile.ZipFile:
    made = await tenant.make(path)
    assert made["state"] == "running"
    await run_exports(world)
    shown = await tenant.read(f"{path}{made['id']}/")
    assert shown["state"] == "ready"
    return await fetch(tenant.http, path, made["id"])


async def test_a_clients_archive_holds_all_of_it_and_nothing_else(world: World) -> None:
    mine, theirs = await world.tenant("Canary mine"), await world.tenant("Canary theirs")
    for tenant in (mine, theirs):
        await tenant.make("/zones/", name=f"Zone of {tenant.id}")
        await tenant.make("/devices/register/", name="Till", hardware_id=f"hw {tenant.id}")
    sound = b"audio " * 300_000
    sha256 = await put_audio(world, mine, sound)
    await put_audio(world, theirs, b"foreign")
    packed = await export(world, mine)
    everything = b"".join(packed.read(name) for name in packed.namelist())
    assert str(theirs.id).encode() not in everything
    assert b"foreign" not in everything
    assert theirs.email.encode() not in everything
    assert rows_in(packed, "zones")[0]["name"] == f"Zone of {mine.id}"
    assert [row["email"] for row in rows_in(packed, "members")] == [mine.email]
    assert rows_in(packed, "clients")[0]["name"] == "Canary mine"
    assert packed.read(f"media/{sha256}") == sound
    assert {t.name for t in inventory.of_clients()} <= {
        name.removeprefix("data/").removesuffix(".jsonl") for name in packed.namelist()
    }
    for secret in ("$7$", "$argon2"):
        assert secret.encode() not in everything, secret


async def test_the_manifest_names_every_file_as_it_is(world: World) -> None:
    tenant = await world.tenant()
    packed = await export(world, tenant)
    manifest = json.loads(packed.read("manifest.json"))
    assert manifest["subject"] == {"kind": "client", "id": str(tenant.id)}
    assert {f["name"] for f in manifest["files"]} == set(packed.namelist()) - {"manifest.json"}
    for file in manifest["files"]:
        data = packed.read(file["name"])
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file["bytes"], file["sha256"])
        if file["name"].startswith("data/"):
            assert len(data.splitlines()) == file["rows"]
    assert b"Left out are secrets" in packed.read("README.txt")


async def test_a_persons_archive_holds_what_the_schema_says_is_theirs(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant("Other")
    colleague = await world.colleague(tenant, "client")
    assert (await colleague.get("/api/v1/auth/me/")).status_code == 200
    await tenant.make("/zones/", name="Mine")
    packed = await export(world, tenant, ME)
    tables = {t.name for t in metadata.sorted_tables if inventory.is_personal(t)}
    files = {n.removeprefix("data/").removesuffix(".jsonl") for n in packed.namelist()}
    assert tables <= files
    [me] = rows_in(packed, "users")
    assert (me["email"], "password_hash" in me) == (tenant.email, False)
    assert len(rows_in(packed, "sessions")) == 1
    assert len(rows_in(packed, "role_assignments")) == 1
    assert {row["action"] for row in rows_in(packed, "audit_entries")} >= {"zone.create"}
    assert len(rows_in(packed, "audit_details")) == len(rows_in(packed, "audit_entries"))
    everything = b"".join(packed.read(name) for name in packed.namelist())
    assert other.email.encode() not in everything
    assert (await colleague.get("/api/v1/auth/me/")).json()["user"]["email"].encode() not in (
        b"".join(packed.read(f"data/{t}.jsonl") for t in ("users", "sessions", "memberships"))
    )


async def test_who_asked_is_told_and_others_find_nothing(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant("Other")
    made = await tenant.make(CLIENT)
    mine = await tenant.make(ME)
    waiting = await tenant.http.get(f"/api/v1{CLIENT}{made['id']}/file/")
    assert (waiting.status_code, waiting.json()["code"]) == (409, "export_not_ready")
    again = await tenant.http.post(f"/api/v1{CLIENT}")
    assert (again.status_code, again.json()["code"]) == (409, "export_running")
    await run_exports(world)
    letters = await inbox(world, tenant.email)
    assert [one.mail.template for one in letters] == ["export_ready", "export_ready"]
    viewer = await world.colleague(tenant, "viewer")
    colleague = await world.colleague(tenant, "client")
    for http, path, row, status in (
        (other.http, CLIENT, made, 404), (other.http, ME, mine, 404),
        (viewer, CLIENT, made, 403), (await world.http(), CLIENT, made, 401),
        (colleague, ME, mine, 404), (tenant.http, ME, made, 404), (tenant.http, CLIENT, mine, 404),
        (colleague, CLIENT, made, 200), (tenant.http, CLIENT, {"id": str(uuid4())}, 404),
    ):  # fmt: skip
        for end in ("", "file/"):
            answer = await http.get(f"/api/v1{path}{row['id']}/{end}")
            assert answer.status_code == status, (path, end, answer.text)
    assert len((await tenant.read(CLIENT))["results"]) == 1


async def test_an_archive_expires_and_a_newer_one_replaces_it(world: World) -> None:
    tenant = await world.tenant()
    first = await tenant.make(CLIENT)
    await run_exports(world)
    second = await tenant.make(CLIENT)
    await run_exports(world)
    folder = world.settings.exports_path
    assert archive.names(folder) == {UUID(second["id"])}
    assert (await tenant.read(f"{CLIENT}{first['id']}/"))["state"] == "expired"
    async with world.ctx() as ctx:
        await ctx.db.execute(update(Export).values(expires_at=ctx.now - timedelta(seconds=1)))
    late = await tenant.http.get(f"/api/v1{CLIENT}{second['id']}/file/")
    assert late.status_code == 409
    (folder / f"{uuid4()}.zip").write_bytes(b"nobody's")
    assert await jobs.clean_up(place_of(world)) == 2
    assert archive.names(folder) == set()


async def test_a_worker_that_dies_half_way_leaves_nothing_that_can_be_fetched(
    world: World,
) -> None:
    tenant = await world.tenant()
    made = await tenant.make(CLIENT)
    place, export_id = place_of(world), UUID(made["id"])
    child = os.fork()
    if child == 0:  # dies without any tidying, an entry of the archive being open
        place.exports.mkdir(parents=True)
        half = archive.Archive(place.exports / f"{export_id}.dead{archive.PART}")
        half._zip.open("data/clients.jsonl", "w").write(b"half a line")
        os._exit(9)
    await asyncio.to_thread(os.waitpid, child, 0)
    assert archive.names(place.exports) == {export_id}
    assert (await tenant.http.get(f"/api/v1{CLIENT}{export_id}/file/")).status_code == 409
    await run_exports(world)
    assert [p.name for p in place.exports.iterdir()] == [f"{export_id}.zip"]
    assert (await fetch(tenant.http, CLIENT, made["id"])).testzip() is None


async def test_writing_that_fails_leaves_no_file(world: World) -> None:
    tenant = await world.tenant()
    made = await tenant.make(CLIENT)
    place = place_of(world)
    with pytest.raises(exporting.SubjectGoneError):
        await exporting.fill(place, UUID(made["id"]), None, uuid4())
    assert list(place.exports.iterdir()) == []


async def test_a_person_that_is_gone_meanwhile_gets_no_archive(world: World) -> None:
    tenant = await world.tenant()
    async with world.ctx() as ctx:
        user = (await ctx.db.exec(select(User).where(col(User.email) == tenant.email))).one()
        row = Export(user_id=user.id, created_at=ctx.now, expires_at=ctx.now)
        ctx.db.add(row)
        await ctx.db.flush()
        await ctx.db.delete(user)
    await jobs.write(place_of(world), row.id, "http://x.test")
    assert not world.settings.exports_path.exists()
