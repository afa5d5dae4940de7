"""People's pictures: what is taken, what is left of it, and who may look."""

import asyncio
import io
from typing import Any

import httpx2
import pytest
from PIL import Image
from sqlmodel import select

from support.images import huge_png, picture
from support.world import Tenant, World
from sync2gear_platform.audit.tables import AuditEntry
from sync2gear_platform.identity.avatars import MAX_BYTES, SIDE
from sync2gear_platform.identity.tables import Avatar

ME = "/api/v1/auth/me/avatar/"


async def put(tenant: Tenant | httpx2.AsyncClient, data: bytes) -> httpx2.Response:
    http = tenant.http if isinstance(tenant, Tenant) else tenant
    return await http.put(ME, content=data, headers={"Content-Type": "image/png"})


async def shown(http: httpx2.AsyncClient, user: str, **headers: str) -> httpx2.Response:
    return await http.get(f"/api/v1/users/{user}/avatar/", headers=headers)


async def my_id(tenant: Tenant) -> str:
    return str((await tenant.read("/auth/me/"))["user"]["id"])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_a_picture_is_drawn_anew_and_shown(world: World, kind: str) -> None:
    tenant = await world.tenant()
    sent = picture(kind)
    answer = await put(tenant, sent)
    assert answer.status_code == 204, answer.text
    found = await shown(tenant.http, await my_id(tenant))
    assert found.headers["content-type"] == "image/webp"
    assert found.headers["cache-control"] == "private, no-cache"
    assert found.headers["etag"] == answer.headers["etag"]
    with Image.open(io.BytesIO(found.content)) as drawn:
        assert (drawn.format, drawn.size) == ("WEBP", (SIDE, SIDE))
        left, right = (
            drawn.convert("RGB").getpixel((20, 128)),
            drawn.convert("RGB").getpixel((236, 128)),
        )
        assert isinstance(left, tuple)
        assert isinstance(right, tuple)
        assert left[0] > 200 > left[2]
        assert right[2] > 200 > right[0]
    same = await shown(tenant.http, await my_id(tenant), **{"If-None-Match": found.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    await put(tenant, picture(kind, (300, 300)))
    other = await shown(
        tenant.http, await my_id(tenant), **{"If-None-Match": found.headers["etag"]}
    )
    assert other.status_code == 200
    async with world.ctx(tenant.id) as ctx:
        actions = [entry.action for entry in (await ctx.db.exec(select(AuditEntry))).all()]
    assert actions.count("avatar.update") == 2


async def test_nothing_hidden_in_a_picture_survives(world: World) -> None:
    tenant = await world.tenant()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "canary: my home"
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0)}
    sent = picture("JPEG", exif=exif, comment=b"canary: comment") + b"canary: appended <script>"
    assert b"canary" in sent
    assert (await put(tenant, sent)).status_code == 204
    found = (await shown(tenant.http, await my_id(tenant))).content
    assert b"canary" not in found
    with Image.open(io.BytesIO(found)) as drawn:
        assert not drawn.getexif()
        assert "icc_profile" not in drawn.info
        # the turn itself was applied: what was left is on top
        top = drawn.convert("RGB").getpixel((128, 20))
        assert isinstance(top, tuple)
        assert top[0] > 200 > top[2]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + b"\0" * 100,
        picture("GIF"),
        picture("BMP"),
        picture("TIFF"),
        picture("PNG")[:200],
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 1000,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        huge_png(8000),
    ],
    ids=["empty", "svg", "gif", "real gif", "bmp", "tiff", "cut", "noise", "eps", "bomb"],
)
async def test_what_is_no_picture_is_refused(world: World, data: bytes) -> None:
    tenant = await world.tenant()
    assert len(data) <= MAX_BYTES
    answer = await put(tenant, data)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_picture")
    assert (await shown(tenant.http, await my_id(tenant))).status_code == 404
    assert (await tenant.http.get("/api/v1/zones/")).status_code == 200


async def test_a_picture_that_is_too_large_is_refused(world: World) -> None:
    tenant = await world.tenant()
    answer = await put(tenant, bytes(MAX_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    async def endless() -> Any:
        for _ in range(40):
            yield bytes(100_000)

    answer = await tenant.http.put(ME, content=endless())
    assert answer.status_code == 413


async def test_only_colleagues_may_look(world: World) -> None:
    tenant, stranger = await world.tenant(), await world.tenant()
    await put(tenant, picture())
    user = await my_id(tenant)
    floor = await world.colleague(tenant, "floor")
    assert (await shown(floor, user)).status_code == 200
    foreign = await shown(stranger.http, user)
    unknown = await shown(stranger.http, "00000000-0000-7000-8000-000000000000")
    assert foreign.status_code == unknown.status_code == 404
    assert {k: v for k, v in foreign.json().items() if k != "trace"} == {
        k: v for k, v in unknown.json().items() if k != "trace"
    }
    assert (await shown(await world.http(), user)).status_code == 401
    assert (await put(await world.http(), picture())).status_code == 401


async def test_the_database_shows_a_tenant_no_strangers_picture(world: World) -> None:
    tenant, stranger = await world.tenant(), await world.tenant()
    await put(tenant, picture())
    for client, seen in ((tenant, 1), (stranger, 0)):
        async with world.ctx(client.id) as ctx:
            assert len((await ctx.db.exec(select(Avatar))).all()) == seen


async def test_a_picture_is_removed(world: World) -> None:
    tenant = await world.tenant()
    assert (await tenant.http.delete(ME)).status_code == 404
    await put(tenant, picture())
    assert (await tenant.http.delete(ME)).status_code == 204
    assert (await shown(tenant.http, await my_id(tenant))).status_code == 404


async def test_many_at_once_take_turns(world: World) -> None:
    tenant = await world.tenant()
    answers = await asyncio.gather(*(put(tenant, picture(size=(s, s))) for s in range(50, 56)))
    assert {answer.status_code for answer in answers} == {204}
    assert (await shown(tenant.http, await my_id(tenant))).status_code == 200
