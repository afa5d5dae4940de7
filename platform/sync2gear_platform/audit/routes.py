"""The audit trail over HTTP: reading it, taking it away, and having it verified."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from sqlmodel import select

from sync2gear_platform.audit import anchors, queries, rules, service, verify
from sync2gear_platform.audit.queries import Filters
from sync2gear_platform.audit.rules import Activity, Operation, Place
from sync2gear_platform.audit.schemas import (
    AnchoredOut,
    ChainOut,
    ChainsOut,
    EntryOut,
    FaultOut,
    Format,
    VerifyIn,
    VerifyOut,
)
from sync2gear_platform.audit.tables import AuditHead
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.paging import Listing, Page
from sync2gear_platform.kit.web import Forbidden, allow, edge_of
from sync2gear_platform.settings import Settings

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

Read = Annotated[Ctx, allow("audit.read")]
SLICE = 5_000
"""Links that one request verifies."""


def _filters(
    client_id: Annotated[
        UUID | None, Query(description="For the installation's people: whose; nil for its own.")
    ] = None,
    actor_id: UUID | None = None,
    action: Annotated[str, Query(max_length=64, description="A beginning: `zone.`")] = "",
    activity: Activity | None = None,
    operation: Operation | None = None,
    subject_type: Annotated[str | None, Query(max_length=32)] = None,
    subject_id: UUID | None = None,
    since: Annotated[datetime | None, Query(alias="from")] = None,
    until: Annotated[datetime | None, Query(alias="to", description="Not included.")] = None,
    search: Annotated[str, Query(max_length=200)] = "",
) -> Filters:
    return Filters(
        client_id, actor_id, action, activity, operation, subject_type, subject_id, since, until,
        search,
    )  # fmt: skip


Wanted = Annotated[Filters, Depends(_filters)]


def _chain(ctx: Ctx, wanted: UUID | None) -> UUID | None:
    """The chain that the caller reads: its client's, or any for the installation's people."""
    if ctx.actor.client_id is not None:
        return ctx.actor.client_id
    if "admin.read" not in ctx.actor.permissions:
        raise Forbidden
    return wanted


@router.get("/")
async def list_entries(ctx: Read, window: Listing, filters: Wanted) -> Page[EntryOut]:
    """Who did what: the newest first."""
    return await queries.entries(ctx, window, _within(ctx, filters))


def _within(ctx: Ctx, filters: Filters) -> Filters:
    return replace(filters, chain=_chain(ctx, filters.chain))


@router.get(
    "/export/",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}, "application/jsonl": {}}}},
)
async def export_entries(
    ctx: Read,
    request: Request,
    filters: Wanted,
    form: Annotated[Format, Query(alias="format")] = "jsonl",
) -> StreamingResponse:
    """Take the trail away: CSV for people, JSON lines with hashes for whoever verifies it."""
    wanted = _within(ctx, filters)
    service.record(ctx, "audit.export", "audit", None, after={"format": form})
    return StreamingResponse(
        queries.export(verify.doors(edge_of(request).db, ctx.actor.client_id), wanted, form),
        media_type="text/csv" if form == "csv" else "application/jsonl",
        headers={
            "Content-Disposition": f'attachment; filename="audit.{form}"',
            "Cache-Control": "no-store",
        },
    )


@router.post("/verify/")
async def verify_chain(ctx: Read, request: Request, body: VerifyIn) -> VerifyOut:
    """Follow a chain for up to 5,000 links, and to its anchors once it ends.

    Ask again with the ``seq`` and ``hash`` of the answer until it is ``done``.
    """
    chain = _chain(ctx, body.client_id) or rules.INSTALLATION
    steps = verify.verify(
        verify.doors(edge_of(request).db, ctx.actor.client_id),
        chain,
        anchors_file=_anchors(request),
        start=Place(body.after, body.hash),
    )
    async with aclosing(steps):
        async for step in steps:
            if step.done or step.place.seq - body.after >= SLICE:
                break
    return VerifyOut(
        chain=chain,
        seq=step.place.seq,
        hash=step.place.hash,
        head=step.head,
        done=step.done,
        fault=FaultOut.model_validate(step.fault) if step.fault else None,
        anchored=AnchoredOut.model_validate(step.anchored) if step.anchored else None,
    )


@router.get("/chains/")
async def list_chains(ctx: Annotated[Ctx, allow("admin.read")], request: Request) -> ChainsOut:
    """Every chain that there is, or that anchors remember: what a whole verification follows."""
    if ctx.actor.client_id is not None:
        raise Forbidden
    found = {head.chain: head.seq for head in await ctx.db.exec(select(AuditHead))}
    remembered = await asyncio.to_thread(_remembered, _anchors(request))
    gone = remembered - found.keys() - await verify.removed(ctx.db, remembered - found.keys())
    return ChainsOut(
        results=[
            ChainOut(client_id=chain, entries=found.get(chain, 0))
            for chain in sorted(found.keys() | gone | {rules.INSTALLATION})
        ]
    )


def _anchors(request: Request) -> Path:
    return cast("Settings", request.app.state.settings).anchors_path


def _remembered(path: Path) -> set[UUID]:
    if not path.is_file():
        return set()
    return {one.chain for one in anchors.read(path) if isinstance(one, anchors.Anchor)}
