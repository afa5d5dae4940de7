"""Places over HTTP: four nouns, the same five verbs."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from sqlmodel import col, select

from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.sites import schemas, service
from sync2gear_platform.sites.tables import Facility, Floor, Location, Zone

router = APIRouter(prefix="/api/v1", tags=["sites"], route_class=Remembering)

Id = Annotated[UUID | None, Query()]


def _crud(
    path: str,
    table: Any,
    made: type[BaseModel],
    patched: type[BaseModel],
    shown: type[BaseModel],
) -> None:
    """List, create, read, change and remove one noun.

    The bodies' classes are arguments, which FastAPI reads as annotations and mypy cannot.
    """
    noun = table.__name__.lower()
    read, write = allow(f"{path}.read"), allow(f"{path}.write")
    make = once(f"{path}.write")

    async def list_(
        ctx: Annotated[Ctx, read], window: Listing, location_id: Id = None, floor_id: Id = None
    ) -> Any:
        statement = select(table).where(col(table.client_id) == ctx.client_id)
        for name, value in (("location_id", location_id), ("floor_id", floor_id)):
            if value is not None and hasattr(table, name):
                statement = statement.where(col(getattr(table, name)) == value)
        return await page(
            ctx,
            window,
            statement,
            keys={"name": col(table.name), "created_at": col(table.created_at)},
            default="name",
            tiebreak=col(table.id),
            search=(table.name,),
            shape=lambda row: shown.model_validate(row[0]),
        )

    async def create(
        ctx: Annotated[Ctx, make],
        body: made,  # type: ignore[valid-type]  # see above
        response: Response,
    ) -> Any:
        row = await service.create(ctx, table, body.model_dump())  # type: ignore[attr-defined]  # so
        return _shown(row, response)

    async def get(ctx: Annotated[Ctx, read], row_id: UUID, response: Response) -> Any:
        return _shown(await rows.find(ctx, table, row_id), response)

    async def update(
        ctx: Annotated[Ctx, write],
        row_id: UUID,
        body: patched,  # type: ignore[valid-type]  # see above
        response: Response,
        if_match: rows.IfMatch = None,
    ) -> Any:
        return _shown(
            await service.update(ctx, table, row_id, rows.given(body), if_match), response
        )

    async def delete(
        ctx: Annotated[Ctx, write], row_id: UUID, if_match: rows.IfMatch = None
    ) -> None:
        await service.remove(ctx, table, row_id, if_match)

    def _shown(row: Any, response: Response) -> BaseModel:
        rows.tagged(response, row)
        return shown.model_validate(row)

    listed: Any = Page[shown]  # type: ignore[valid-type]  # see above
    one = f"/{path}/{{row_id}}/"
    for verb, url, handler, model, status in (
        ("GET", f"/{path}/", list_, listed, 200),
        ("POST", f"/{path}/", create, shown, 201),
        ("GET", one, get, shown, 200),
        ("PATCH", one, update, shown, 200),
        ("DELETE", one, delete, None, 204),
    ):
        name = handler.__name__.rstrip("_")
        router.add_api_route(
            url,
            handler,
            methods=[verb],
            response_model=model,
            status_code=status,
            name=f"{name}_{noun}",
            summary=f"{name.capitalize()} {path if name == 'list' else noun}",
        )


_crud("locations", Location, schemas.LocationIn, schemas.LocationPatch, schemas.LocationOut)
_crud("facilities", Facility, schemas.FacilityIn, schemas.FacilityPatch, schemas.FacilityOut)
_crud("floors", Floor, schemas.FloorIn, schemas.FloorPatch, schemas.FloorOut)
_crud("zones", Zone, schemas.ZoneIn, schemas.ZonePatch, schemas.ZoneOut)
