"""Faults planted in the application, each of which the matrix must find."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from sqlmodel import col, func, select

from support.access_cases import UnknownError, operations
from support.access_check import Checker
from support.access_world import Cast, member, populate
from support.world import World
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.kit.web import Forbidden, allow, edge_of, touch
from sync2gear_platform.library.tables import Folder, Track
from sync2gear_platform.sites.tables import Zone

Music = Annotated[Ctx, allow("music.read")]


async def through_the_systems_door(_: Music, request: Request, folder_id: UUID) -> dict[str, str]:
    """Read by id, without the client."""
    async with edge_of(request).db.system() as session:
        row = await session.get(Folder, folder_id)
    if row is None:
        raise NotFound("There is no such folder here.")
    return {"name": row.name}


async def telling_foreign_from_unknown(
    ctx: Music, request: Request, folder_id: UUID
) -> dict[str, str]:
    """Refuse what is another's with 403 and what is nobody's with 404."""
    async with edge_of(request).db.system() as session:
        row = await session.get(Folder, folder_id)
    if row is None:
        raise NotFound("There is no such folder here.")
    if row.client_id != ctx.client_id:
        raise Forbidden
    return {"name": row.name}


async def telling_by_a_header(ctx: Music, request: Request, folder_id: UUID) -> dict[str, str]:
    """Refuse both alike but for a few more words about what is another's."""
    async with edge_of(request).db.system() as session:
        row = await session.get(Folder, folder_id)
    if row is None or row.client_id != ctx.client_id:
        raise NotFound("There is no such folder here" + ("." if row is None else " for you."))
    return {"name": row.name}


async def counting_all(
    _: Music, request: Request, folder_id: Annotated[UUID | None, Query()] = None
) -> dict[str, int]:
    """Count the tracks of any folder."""
    async with edge_of(request).db.system() as session:
        found = select(func.count()).where(col(Track.folder_id) == folder_id)
        return {"tracks": (await session.exec(found)).one()}


def _too_wide() -> Any:
    async def context(request: Request) -> Any:
        async with touch(request, "self") as ctx:
            yield ctx

    context.policy = "tokens.read"  # type: ignore[attr-defined]  # as kit/web.py marks them
    return Depends(context, scope="function")


async def wider_than_it_says(_: Annotated[Ctx, _too_wide()]) -> dict[str, str]:
    """Declare one permission and ask for none."""
    return {}


async def beyond_the_reach(
    ctx: Annotated[Ctx, allow("zones.read")], request: Request, zone_id: UUID
) -> dict[str, str]:
    """Read in the whole client, whatever the caller is confined to."""
    async with edge_of(request).db.tenant(ctx.client_id) as session:
        wide = Ctx(db=session, actor=ctx.actor, now=ctx.now, trace=ctx.trace)
        return {"name": (await rows.find(wide, Zone, zone_id)).name}


async def falling_over(ctx: Music, folder_id: UUID) -> dict[str, str]:
    """Be a bug for what is not there."""
    row = await ctx.db.get(Folder, folder_id)
    return {"name": row.name}  # type: ignore[union-attr]  # that is the bug


FAULTS: tuple[tuple[str, Callable[..., Any], str], ...] = (
    ("/music/planted/{folder_id}/", through_the_systems_door, "other: "),
    ("/music/planted/{folder_id}/", telling_foreign_from_unknown, "other: status"),
    ("/music/planted/{folder_id}/", telling_by_a_header, "other: "),
    ("/music/planted/", counting_all, "other: body"),
    ("/tokens/planted/", wider_than_it_says, "not (403, 'forbidden')"),
    ("/zones/planted/{zone_id}/", beyond_the_reach, "elsewhere"),
    ("/music/planted/{folder_id}/", falling_over, "random: (500"),
)


def plant(app: FastAPI, path: str, handler: Callable[..., Any], **more: Any) -> Callable[[], None]:
    """Let ``app`` have one more route, before all others; returns how to take it out."""
    router = APIRouter()
    router.add_api_route(f"/api/v1{path}", handler, **more)
    before = list(app.router.routes)
    app.include_router(router)
    mine = [route for route in app.router.routes if route not in before]
    app.router.routes[:] = [*mine, *before]
    app.openapi_schema = None

    def take_out() -> None:
        app.router.routes[:] = before
        app.openapi_schema = None

    return take_out


@pytest.mark.timeout(400)
async def test_every_planted_fault_is_found(world: World) -> None:
    ours, theirs = await populate(world, "Ours"), await populate(world, "Theirs")
    askers = [await member(world, ours, "client"), await member(world, ours, "viewer")]
    askers.append(await member(world, ours, "floor", "zone"))
    cast = Cast(world, ours, theirs, askers)
    for path, handler, finding in FAULTS:
        take_out = plant(world.app, path, handler)
        planted = [one for one in operations(world.app) if "planted" in one.path]
        assert len(planted) == 1
        report = await Checker(cast).run(planted)
        assert any(finding in fault for _, fault in report.faults), (handler.__name__, report)
        take_out()


async def nothing(_: Annotated[Ctx, allow("music.read")]) -> None:
    """Nothing."""


async def by_gadget(_: Annotated[Ctx, allow("music.read")], gadget_id: UUID) -> None:
    """Something of which the matrix has never heard."""


@pytest.mark.parametrize(
    ("path", "handler", "more", "says"),
    [
        ("/music/planted/{gadget_id}/", by_gadget, {}, "gadget_id"),
        ("/music/planted/", nothing, {"include_in_schema": False}, "does not tell of"),
        ("/music/planted/", nothing, {"methods": ["DELETE"]}, "under music.read"),
        ("/zones/planted/", nothing, {}, "under music.read"),
        ("/unheard/of/", nothing, {}, "under music.read"),
    ],
)
async def test_what_the_matrix_does_not_know_fails_the_build(
    world: World, path: str, handler: Callable[..., Any], more: dict[str, Any], says: str
) -> None:
    operations(world.app)
    plant(world.app, path, handler, **more)
    with pytest.raises(UnknownError, match=says):
        operations(world.app)
