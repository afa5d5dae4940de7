"""Rotating the vault's keys over HTTP: for the installation's own people."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.web import allow
from sync2gear_platform.vaulting import service
from sync2gear_platform.vaulting.schemas import RotationOut

router = APIRouter(prefix="/api/v1/admin/vault", tags=["admin"])


@router.post("/rotate/", status_code=202)
async def rotate(ctx: Annotated[Ctx, allow("admin.write")]) -> RotationOut:
    """Put every stored secret under the first key of ``S2G_VAULT_KEYS``; a job does it."""
    return RotationOut.model_validate(await service.begin(ctx))


@router.get("/rotations/{rotation_id}/")
async def rotation(ctx: Annotated[Ctx, allow("admin.read")], rotation_id: UUID) -> RotationOut:
    """How far a rotation is."""
    return RotationOut.model_validate(await service.find(ctx, rotation_id))
