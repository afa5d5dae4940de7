"""Uploads that go straight into the store: begun, signed for, put together.

The bytes never pass the api. What is put together is no more believed than what comes by tus: its
length is asked of the store, and ingest reads, hashes and examines it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StringConstraints

from sync2gear_platform.kit.blobs import Blobs, Direct
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.fields import In
from sync2gear_platform.kit.partials import Partials
from sync2gear_platform.kit.web import allow, checked_inside, further, recognised, touch
from sync2gear_platform.library import rules, tus, uploads
from sync2gear_platform.library.arrivals import DIRECT, Arrivals
from sync2gear_platform.library.schemas import UploadOut
from sync2gear_platform.library.tables import Upload
from sync2gear_platform.library.tus import BadHeader, Wish

PART_BYTES: Final = 16 << 20
"""Bytes of every part but the last; S3 wants at least 5 MiB, and 10,000 parts at most.

It follows from nothing that is stored: changing it breaks the uploads that are under way.
"""

SIGNED_SECONDS: Final = 3600
"""How long the address of a part works. Ask again for others."""

Tag = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class WaysOut(BaseModel):
    """Whether uploads may go straight into the store, and in parts of how many bytes."""

    direct: bool
    part_bytes: int
    max_bytes: int


class DirectIn(In):
    """What somebody wants to send straight into the store."""

    filename: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    size: Annotated[int, Field(ge=1, le=rules.MAX_BYTES)]
    purpose: Literal["track", "announcement", "recording"] | None = None
    title: Annotated[str, StringConstraints(max_length=255)] = ""
    folder_id: UUID | None = None


class PartOut(BaseModel):
    """One part: with ``etag`` once it is there, otherwise with the address to PUT it to."""

    number: int
    start: int
    size: int
    etag: str | None = None
    url: str | None = None


class PartsOut(BaseModel):
    """All parts of an upload, in their order; addresses work until ``expires_at``."""

    upload: UploadOut
    parts: list[PartOut]
    expires_at: datetime


class TogetherIn(In):
    """What the PUTs of all parts answered as ETag, in the order of the parts."""

    etags: Annotated[list[Tag], Field(min_length=1, max_length=rules.MAX_BYTES // PART_BYTES + 1)]


def cut(size: int) -> list[tuple[int, int]]:
    """Start and length of each part of a file of ``size`` bytes."""
    return [(at, min(PART_BYTES, size - at)) for at in range(0, size, PART_BYTES)]


def arrivals_of(request: Request) -> Arrivals:
    """Where the application's uploads lie."""
    state = request.app.state
    return Arrivals(cast("Partials", state.partials), cast("Blobs", state.blobs))


def add_direct(router: APIRouter, permission: str, purposes: tuple[str, ...]) -> None:
    """Add the routes to uploads for ``purposes``, before those that take an id."""
    write, read = f"{permission}.write", f"{permission}.read"
    # before a body is looked at
    known = [recognised(write)]

    @router.get("/direct/")
    async def read_ways(_: Annotated[Ctx, allow(read)], request: Request) -> WaysOut:
        """Say whether uploads may go straight into the store."""
        offered = arrivals_of(request).blobs.direct is not None
        return WaysOut(direct=offered, part_bytes=PART_BYTES, max_bytes=rules.MAX_BYTES)

    @router.post("/direct/", status_code=201, dependencies=known)
    async def begin_direct(request: Request, body: DirectIn) -> PartsOut:
        """Begin an upload straight into the store; answers where to PUT its parts.

        Refused with `no_direct_uploads` where there is no bucket that takes them.
        """
        async with touch(request, write) as ctx:
            row = await uploads.create(ctx, _wish(body, purposes))
            arrivals_of(request).direct  # noqa: B018 - refuses, and nothing is written
        return await _parts(request, ctx, row)

    @router.get("/{upload_id}/parts/", dependencies=[checked_inside(write)])
    async def read_parts(request: Request, upload_id: UUID) -> PartsOut:
        """Say which parts are in the store, and where to PUT the others."""
        async with touch(request, write) as ctx:
            row = await uploads.receiving(ctx, upload_id, purposes, via=DIRECT)
        return await _parts(request, ctx, row)

    @router.post("/{upload_id}/complete/", status_code=202, dependencies=known)
    async def complete_direct(request: Request, upload_id: UUID, body: TogetherIn) -> UploadOut:
        """Put the parts together; what becomes of it is read at the upload. Safe to repeat."""
        async with touch(request, write) as ctx:
            row = await uploads.receiving(ctx, upload_id, purposes, via=DIRECT)
        if row.state != "receiving":
            return UploadOut.model_validate(row)
        arrivals = arrivals_of(request)
        try:
            size = await arrivals.direct.complete(row.id, row.store_id or "-", body.etags)
        except FileNotFoundError:
            await _lost(request, ctx, row)
            raise tus.Gone from None
        async with further(request, ctx) as after:
            row = await uploads.put_together(after, row.id, size)
        if row.reserved == 0:
            await arrivals.forget(row.id, DIRECT)
        return UploadOut.model_validate(row)


def _wish(body: DirectIn, purposes: tuple[str, ...]) -> Wish:
    if (body.purpose or purposes[0]) not in purposes:
        raise BadHeader(f"The purpose of an upload here may be: {', '.join(purposes)}.")
    return Wish(
        body.purpose or purposes[0],
        tus.file_name(body.filename.encode("utf-8", "replace")),
        body.size,
        title=rules.label(body.title, 255),
        folder_id=body.folder_id,
        via=DIRECT,
    )


async def _parts(request: Request, ctx: Ctx, row: Upload) -> PartsOut:
    """What is there of an upload. The store is asked outside any transaction."""
    direct = arrivals_of(request).direct
    here: dict[int, str] = {}
    ends = ctx.now + timedelta(seconds=SIGNED_SECONDS)
    if row.state == "receiving":
        row = await _named(request, ctx, row)
        try:
            known = {p.number: p for p in await direct.parts(row.id, row.store_id or "-")}
        except FileNotFoundError:
            return await _together(request, ctx, row, ends)
        wanted = dict(enumerate(cut(row.size), 1))
        here = {n: p.tag for n, p in known.items() if n in wanted and wanted[n][1] == p.size}
        async with further(request, ctx) as after:
            row = await uploads.coming(after, row.id, sum(wanted[n][1] for n in here))
    return await _told(direct, row, here, ends)


async def _told(direct: Direct, row: Upload, here: Mapping[int, str], ends: datetime) -> PartsOut:
    """The parts of an upload: those that are ``here`` by their tags, the others by an address."""
    parts = []
    for number, (start, size) in enumerate(cut(row.size), 1):
        part = PartOut(number=number, start=start, size=size, etag=here.get(number))
        if part.etag is None and row.state == "receiving":
            part.url = await direct.address(
                row.id, row.store_id or "-", number, size, SIGNED_SECONDS
            )
        parts.append(part)
    return PartsOut(upload=UploadOut.model_validate(row), parts=parts, expires_at=ends)


async def _together(request: Request, ctx: Ctx, row: Upload, ends: datetime) -> PartsOut:
    """An upload whose parts are no more: lost, or put together by an api that died before it could
    write that down, which is done now.
    """
    direct = arrivals_of(request).direct
    size = await direct.size(row.id)
    if size is None:
        await _lost(request, ctx, row)
        raise tus.Gone
    async with further(request, ctx) as after:
        row = await uploads.put_together(after, row.id, size)
    if row.reserved == 0:
        await arrivals_of(request).forget(row.id, DIRECT)
    return await _told(direct, row, {}, ends)


async def _named(request: Request, ctx: Ctx, row: Upload) -> Upload:
    """The upload with what the store calls it; of two who begin it at once, one is heard.

    What the other one began, or somebody who died before this was written down, goes with the
    upload: it is dropped by name.
    """
    if row.store_id is not None:
        return row
    begun = await arrivals_of(request).direct.begin(row.id)
    async with further(request, ctx) as after:
        return await uploads.named_in_store(after, row.id, begun)


async def _lost(request: Request, ctx: Ctx, row: Upload) -> None:
    """The store knows nothing of this upload any more."""
    async with further(request, ctx) as after:
        await uploads.lost(after, row.id)
