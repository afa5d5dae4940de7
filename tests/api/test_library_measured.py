"""Measuring what was taken in before it could be: what lacks is filled in, what is known stays."""

from pathlib import Path
from typing import Any

from sqlalchemy import text

from support import audio
from support.uploads import ingested, kitchen, sent
from support.world import Tenant, World
from sync2gear_platform.library import measuring
from sync2gear_platform.library.measuring import Measured


async def track(world: World, tenant: Tenant, tmp_path: Path, hz: float) -> dict[str, Any]:
    path = tmp_path / f"{hz}.flac"
    audio.encode(path, audio.sine(1.5, hz))
    one = await ingested(world, tenant, await sent(tenant, path.read_bytes(), filename=path.name))
    assert one["state"] == "ready", one
    return dict(await tenant.read(f"/music/files/{one['track_id']}/"))


async def media(world: World, tenant: Tenant) -> dict[str, Any]:
    """All that is known of a client's media, by digest."""
    columns = "loudness, true_peak, gain, lead, tail, pcm_sha256, frames_per_peak, peaks"
    query = f"SELECT sha256, {columns} FROM media LEFT JOIN media_peaks USING (client_id, sha256)"
    async with world.ctx(tenant.id) as ctx:
        found = (await ctx.db.execute(text(query))).mappings()
        return {str(row["sha256"]): dict(row) for row in found}


async def forget(world: World, tenant: Tenant, *, but: str = "", **values: Any) -> None:
    """Take the measurements away, as if they had never been taken."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    who = {"client": tenant.id, "but": but}
    async with world.db.system() as session:
        await session.execute(
            text(f"UPDATE media SET {columns} WHERE client_id = :client AND sha256 <> :but"),
            {**values, **who},
        )
        await session.execute(
            text("DELETE FROM media_peaks WHERE client_id = :client AND sha256 <> :but"), who
        )


async def measure(world: World, *, elapsed: float = 0.0, first: str = "") -> Measured:
    tools = kitchen(world)
    return await measuring.measure(
        world.db, tools.blobs, tools.prober, world.clock, elapsed=lambda: elapsed, first=first
    )


async def test_what_lacks_is_measured_for_every_client(world: World, tmp_path: Path) -> None:
    tenant, other = await world.tenant("Mine"), await world.tenant("Theirs")
    rows = [await track(world, tenant, tmp_path, hz) for hz in (300, 400)]
    await track(world, other, tmp_path, 300)
    before = [await media(world, one) for one in (tenant, other)]
    gone = {"loudness": None, "true_peak": None, "gain": 0, "lead": None, "tail": None,
            "pcm_sha256": None}  # fmt: skip
    for one in (tenant, other):
        await forget(world, one, **gone)
    assert (await tenant.http.get(f"/api/v1/music/files/{rows[0]['id']}/peaks/")).status_code == 404
    assert await measure(world, elapsed=measuring.BUDGET_SECONDS + 1) == (0, 0), "time is up"
    assert await measure(world, first="7f") == (3, 0)
    assert [await media(world, one) for one in (tenant, other)] == before
    assert (await tenant.read(f"/music/files/{rows[0]['id']}/peaks/"))["peaks"]
    assert await measure(world) == (0, 0), "nothing lacks any more"


async def test_what_is_known_stays_and_what_cannot_be_read_stops_nobody(
    world: World, tmp_path: Path
) -> None:
    tenant = await world.tenant()
    rows = [await track(world, tenant, tmp_path, hz) for hz in (300, 400, 500)]
    whole, lost, last = (str(row["sha256"]) for row in rows)
    before = await media(world, tenant)
    # loudness as an earlier release had measured it: what plays now does not change its level
    await forget(world, tenant, but=whole, loudness=-999, gain=-601, pcm_sha256=None)
    blobs = kitchen(world).blobs
    await blobs.delete(lost)
    assert await measure(world, first="80") == (1, 1)
    after = await media(world, tenant)
    assert after[whole] == before[whole]
    assert after[lost]["pcm_sha256"] is None
    assert after[last] == {**before[last], "loudness": -999, "gain": -601}
    assert await measure(world) == (0, 1)
