"""Privacy over HTTP: archives and deletions of a client, and of oneself."""

from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import FileResponse

from sync2gear_platform.identity.factor_routes import proved
from sync2gear_platform.kit.context import SELF, Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.web import allow, recognised
from sync2gear_platform.privacy import archive, rules, service
from sync2gear_platform.privacy.schemas import (
    DeletionIn,
    DeletionOut,
    DeletionStateOut,
    ExportOut,
    ExportsOut,
)
from sync2gear_platform.privacy.tables import Deletion, Export
from sync2gear_platform.settings import Settings

router = APIRouter(prefix="/api/v1", tags=["privacy"], route_class=Remembering)

Exporting = Annotated[Ctx, allow("privacy.export")]
Erasing = Annotated[Ctx, allow("privacy.erase")]
Myself = Annotated[Ctx, allow(SELF)]

ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {}}, "description": "The archive"}
}


def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def _shown(ctx: Ctx, row: Export) -> ExportOut:
    state = rules.state_of(row.state, row.created_at, row.expires_at, ctx.now)
    return ExportOut(**{**row.model_dump(exclude={"state"}), "state": state})


def _told(ctx: Ctx, row: Deletion) -> DeletionOut:
    final = rules.is_final(row.due_at, row.purging_at, ctx.now)
    return DeletionOut(due_at=row.due_at, requested_at=row.created_at, final=final)


async def _file(ctx: Ctx, request: Request, export_id: UUID, *, client: bool) -> FileResponse:
    """The archive, read from its file while it is sent."""
    row = await service.fetched(ctx, export_id, client=client)
    path = archive.path_of(_settings(request).exports_path, row.id)
    if not path.is_file():
        raise service.NotReady
    name = f"sync2gear-{row.created_at:%Y-%m-%d}.zip"
    headers = {"Cache-Control": "no-store"}
    return FileResponse(path, media_type="application/zip", filename=name, headers=headers)


async def _delete(request: Request, body: DeletionIn, *, client: bool) -> DeletionOut:
    settings = _settings(request)
    async with proved(request, password=body.password.get_secret_value()) as ctx:
        row = await service.request_deletion(
            ctx,
            client=client,
            grace_days=settings.grace_days,
            url=f"{settings.public_url}{rules.PAGE}",
        )
        return _told(ctx, row)


@router.post("/privacy/exports/", status_code=202)
async def export_client(ctx: Annotated[Ctx, once("privacy.export")]) -> ExportOut:
    """Have everything of this client packed; a mail says when the archive is ready."""
    return _shown(ctx, await service.request_export(ctx, client=True))


@router.get("/privacy/exports/")
async def list_exports(ctx: Exporting) -> ExportsOut:
    """The archives of this client."""
    found = await service.list_exports(ctx, client=True)
    return ExportsOut(results=[_shown(ctx, row) for row in found])


@router.get("/privacy/exports/{export_id}/")
async def show_export(ctx: Exporting, export_id: UUID) -> ExportOut:
    """How one archive stands."""
    return _shown(ctx, await service.find_export(ctx, export_id, client=True))


@router.get("/privacy/exports/{export_id}/file/", responses=ZIP, response_class=FileResponse)
async def fetch_export(ctx: Exporting, request: Request, export_id: UUID) -> FileResponse:
    """The archive itself, within seven days."""
    return await _file(ctx, request, export_id, client=True)


@router.post("/auth/me/export/", status_code=202)
async def export_me(ctx: Myself) -> ExportOut:
    """Have everything of oneself packed; a mail says when the archive is ready."""
    return _shown(ctx, await service.request_export(ctx, client=False))


@router.get("/auth/me/export/")
async def list_mine(ctx: Myself) -> ExportsOut:
    """One's own archives."""
    found = await service.list_exports(ctx, client=False)
    return ExportsOut(results=[_shown(ctx, row) for row in found])


@router.get("/auth/me/export/{export_id}/")
async def show_mine(ctx: Myself, export_id: UUID) -> ExportOut:
    """How one archive stands."""
    return _shown(ctx, await service.find_export(ctx, export_id, client=False))


@router.get("/auth/me/export/{export_id}/file/", responses=ZIP, response_class=FileResponse)
async def fetch_mine(ctx: Myself, request: Request, export_id: UUID) -> FileResponse:
    """The archive itself, within seven days."""
    return await _file(ctx, request, export_id, client=False)


@router.post("/client/deletion/", status_code=202, dependencies=[recognised("privacy.erase")])
async def delete_client(request: Request, body: DeletionIn) -> DeletionOut:
    """Have this client deleted after the days of grace; until then nothing changes."""
    return await _delete(request, body, client=True)


@router.get("/client/deletion/")
async def show_client_deletion(ctx: Erasing) -> DeletionStateOut:
    """Whether this client is to be deleted."""
    row = await service.pending(ctx, client=True)
    return DeletionStateOut(deletion=_told(ctx, row) if row else None)


@router.delete("/client/deletion/", status_code=204)
async def keep_client(ctx: Erasing) -> None:
    """Keep this client after all."""
    await service.cancel_deletion(ctx, client=True)


@router.post("/auth/me/deletion/", status_code=202, dependencies=[recognised(SELF)])
async def delete_me(request: Request, body: DeletionIn) -> DeletionOut:
    """Have one's account deleted after the days of grace; signing in meanwhile keeps it."""
    return await _delete(request, body, client=False)


@router.get("/auth/me/deletion/")
async def show_my_deletion(ctx: Myself) -> DeletionStateOut:
    """Whether one's account is to be deleted."""
    row = await service.pending(ctx, client=False)
    return DeletionStateOut(deletion=_told(ctx, row) if row else None)


@router.delete("/auth/me/deletion/", status_code=204)
async def keep_me(ctx: Myself) -> None:
    """Keep one's account after all."""
    await service.cancel_deletion(ctx, client=False)
