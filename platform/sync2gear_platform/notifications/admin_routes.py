"""Mail over HTTP, for the installation's own people: what became of it, and trying it again."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.paging import Listing, Page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.notifications import queries, service
from sync2gear_platform.notifications.schemas import MailOut

router = APIRouter(prefix="/api/v1/admin/mails", tags=["admin"])


@router.get("/")
async def list_mails(
    ctx: Annotated[Ctx, allow("admin.read")],
    window: Listing,
    state: Annotated[str, Query(pattern="^(waiting|sent|kept|dead)?$")] = "",
) -> Page[MailOut]:
    """Letters of the last 30 days, the newest first."""
    return await queries.mails(ctx, window, state)


@router.post("/{mail_id}/resend/", status_code=202)
async def resend(ctx: Annotated[Ctx, allow("admin.write")], mail_id: UUID) -> MailOut:
    """Try a dead letter again from the start: what stood in its way was mended."""
    return MailOut.model_validate(await service.resend(ctx, mail_id))
