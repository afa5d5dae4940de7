"""Channels over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlmodel import col, select

from sync2gear_platform.channels import service
from sync2gear_platform.channels.schemas import (
    ChannelIn,
    ChannelOut,
    ChannelPatch,
    ChannelSummaryOut,
    ItemIn,
    ItemOut,
    ItemPatch,
    ReorderItemsIn,
)
from sync2gear_platform.channels.tables import Channel, ChannelItem
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow

router = APIRouter(prefix="/api/v1/channels", tags=["channels"], route_class=Remembering)

Read = Annotated[Ctx, allow("channels.read")]
Write = Annotated[Ctx, allow("channels.write")]
Create = Annotated[Ctx, once("channels.write")]
Id = Annotated[UUID | None, Query()]


@router.get("/")
async def list_channels(
    ctx: Read,
    window: Listing,
    mode: Annotated[Literal["ordered", "rotated"] | None, Query()] = None,
    track_id: Id = None,
    folder_id: Id = None,
    announcement_id: Id = None,
    inner_channel_id: Id = None,
) -> Page[ChannelSummaryOut]:
    """List channels, all or those with such a line."""
    statement = select(Channel).where(col(Channel.client_id) == ctx.client_id)
    if mode is not None:
        statement = statement.where(col(Channel.mode) == mode)
    for column, subject in (
        (ChannelItem.track_id, track_id),
        (ChannelItem.folder_id, folder_id),
        (ChannelItem.announcement_id, announcement_id),
        (ChannelItem.inner_channel_id, inner_channel_id),
    ):
        if subject is not None:
            holding = select(ChannelItem.channel_id).where(
                col(ChannelItem.client_id) == ctx.client_id, col(column) == subject
            )
            statement = statement.where(col(Channel.id).in_(holding))
    return await page(
        ctx,
        window,
        statement,
        keys={"name": col(Channel.name), "created_at": col(Channel.created_at)},
        default="name",
        tiebreak=col(Channel.id),
        search=(Channel.name,),
        shape=lambda row: ChannelSummaryOut.model_validate(row[0]),
    )


@router.post("/", status_code=201)
async def create_channel(ctx: Create, body: ChannelIn, response: Response) -> ChannelOut:
    """Make a channel."""
    return await _shown(ctx, await service.create(ctx, body.model_dump()), response)


@router.get("/{channel_id}/")
async def get_channel(ctx: Read, channel_id: UUID, response: Response) -> ChannelOut:
    """Read a channel with its lines."""
    return await _shown(ctx, await rows.find(ctx, Channel, channel_id), response)


@router.patch("/{channel_id}/")
async def update_channel(
    ctx: Write,
    channel_id: UUID,
    body: ChannelPatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> ChannelOut:
    """Change how a channel plays."""
    row = await service.update(ctx, channel_id, rows.given(body), if_match)
    return await _shown(ctx, row, response)


@router.delete("/{channel_id}/", status_code=204)
async def delete_channel(
    ctx: Write,
    channel_id: UUID,
    force: Annotated[bool, Query()] = False,
    if_match: rows.IfMatch = None,
) -> None:
    """Remove a channel. While something uses it (409 ``in_use``), only with ``force``."""
    await service.remove(ctx, channel_id, if_match, force=force)


@router.post("/{channel_id}/items/", status_code=201)
async def add_channel_item(
    ctx: Create, channel_id: UUID, body: ItemIn, response: Response
) -> ItemOut:
    """Add a line at the end of a channel."""
    row = await service.add_item(ctx, channel_id, body.model_dump())
    rows.tagged(response, row)
    return ItemOut.model_validate(row)


@router.patch("/{channel_id}/items/{item_id}/")
async def update_channel_item(
    ctx: Write,
    channel_id: UUID,
    item_id: UUID,
    body: ItemPatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> ItemOut:
    """Change a line of a channel."""
    row = await service.update_item(ctx, channel_id, item_id, rows.given(body), if_match)
    rows.tagged(response, row)
    return ItemOut.model_validate(row)


@router.delete("/{channel_id}/items/{item_id}/", status_code=204)
async def delete_channel_item(
    ctx: Write, channel_id: UUID, item_id: UUID, if_match: rows.IfMatch = None
) -> None:
    """Remove a line of a channel."""
    await service.remove_item(ctx, channel_id, item_id, if_match)


@router.post("/{channel_id}/reorder/")
async def reorder_channel(
    ctx: Write,
    channel_id: UUID,
    body: ReorderItemsIn,
    response: Response,
    if_match: rows.IfMatch = None,
) -> ChannelOut:
    """Put a channel's lines in order."""
    row = await service.reorder(ctx, channel_id, body.item_ids, if_match)
    return await _shown(ctx, row, response)


async def _shown(ctx: Ctx, row: Channel, response: Response) -> ChannelOut:
    rows.tagged(response, row)
    return ChannelOut.of(row, await service.items(ctx, row.id))
