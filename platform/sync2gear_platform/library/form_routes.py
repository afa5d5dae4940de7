"""Uploads by a plain form: one file, or many with an outcome for each."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.kit.forms import BadForm, Form, Part
from sync2gear_platform.kit.partials import TooMuch
from sync2gear_platform.kit.web import checked_inside, further, touch
from sync2gear_platform.library import rules, tus, uploads
from sync2gear_platform.library.schemas import UploadOut
from sync2gear_platform.library.shelving import QuotaExceeded
from sync2gear_platform.library.tables import Folder, Upload
from sync2gear_platform.library.tus import Wish
from sync2gear_platform.library.upload_routes import next_piece, partials_of

FORM_SECONDS: Final = 3 * 3600
"""How long one form may take; longer than that, what is left of it expires."""

MAX_FORM: Final = rules.MAX_BYTES + 1_000_000
"""Bytes of a form: its files together, and what is around them."""


Where = Annotated[UUID | None, Query(description="The folder; a field before the file may say it.")]
Title = Annotated[str, Query(max_length=255)]


class LengthRequired(Refusal):
    """Say how long the form is (Content-Length): room is held for it."""

    code = "length_required"

    @property
    def status(self) -> int:
        """411."""
        return 411


class Outcome(BaseModel):
    """What became of one file of a form: an upload, or a refusal."""

    filename: str
    upload: UploadOut | None = None
    code: str = ""
    detail: str = ""


class Outcomes(BaseModel):
    """One outcome for each file, in their order."""

    results: list[Outcome]


def make_form_router(
    prefix: str,
    permission: str,
    purpose: str,
    *,
    one: str = "/upload/",
    many: str | None = "/upload/batch/",
    tag: str = "music",
) -> APIRouter:
    """Forms of ``one`` file and of ``many`` (``None``: not here) for one purpose below ``prefix``.

    Who may send needs ``<permission>.write``.
    """
    write = f"{permission}.write"
    router = APIRouter(prefix=f"/api/v1{prefix}", tags=[tag])
    inside = [checked_inside(write)]

    @router.post(one, status_code=202, dependencies=inside, openapi_extra=_described("file"))
    async def upload(request: Request, folder_id: Where = None, title: Title = "") -> UploadOut:
        """Send one file as a form; what becomes of it is read at the upload."""
        wanted = {"folder_id": str(folder_id or ""), "title": title}
        async for taken in _taken(request, write, purpose, wanted):
            if taken.refusal is not None:
                raise taken.refusal
            return UploadOut.model_validate(taken.row)
        raise BadForm("There is no file in this form.")

    if many is None:
        return router

    @router.post(many, status_code=202, dependencies=inside, openapi_extra=_described("files"))
    async def upload_batch(request: Request, folder_id: Where = None) -> Outcomes:
        """Send many files as one form; each has an outcome of its own."""
        wanted = {"folder_id": str(folder_id or "")}
        results = [_shown(taken) async for taken in _taken(request, write, purpose, wanted)]
        if not results:
            raise BadForm("There is no file in this form.")
        return Outcomes(results=results)

    return router


def _described(name: str) -> dict[str, Any]:
    """The body as OpenAPI tells of it: it is no parameter, since that would hold it whole."""
    file = {"type": "string", "format": "binary"}
    shape = file if name == "file" else {"type": "array", "items": file}
    schema = {"type": "object", "required": [name], "properties": {name: shape}}
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }


@dataclass(frozen=True, slots=True)
class Taken:
    """One file of a form: its upload, or why there is none."""

    filename: str
    row: Upload | None = None
    refusal: Refusal | None = None


def _shown(taken: Taken) -> Outcome:
    if taken.refusal is not None:
        return Outcome(
            filename=taken.filename, code=taken.refusal.code, detail=taken.refusal.detail
        )
    return Outcome(filename=taken.filename, upload=UploadOut.model_validate(taken.row))


async def _taken(
    request: Request, write: str, purpose: str, wanted: dict[str, str]
) -> AsyncIterator[Taken]:
    """Each file of the form once it is here; fields that come before a file say where it goes."""
    async with touch(request, write) as ctx:
        folder_id = _folder(wanted)
        if folder_id is not None:
            await rows.find(ctx, Folder, folder_id)
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        raise LengthRequired
    form = Form(request.headers.get("content-type", ""), _pieces(request))
    async for part in form.parts():
        if part.filename is not None:
            yield await _file(request, ctx, part, wanted, purpose, int(length))
        elif part.name in wanted:
            wanted[part.name] = await part.text()


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The body, so slow at most."""
    loop = asyncio.get_running_loop()
    until = loop.time() + FORM_SECONDS
    stream = request.stream()
    try:
        while (piece := await next_piece(stream)) is not None:
            yield piece
            if loop.time() > until:
                raise HTTPException(408, "The form took too long: send fewer files at once.")
    except ClientDisconnect:
        raise HTTPException(400, "The line broke.") from None


async def _file(
    request: Request, ctx: Ctx, part: Part, wanted: dict[str, str], purpose: str, most: int
) -> Taken:
    """Let one file grow on the disk. ``most``: the form has no more bytes."""
    partials = partials_of(request)
    name = tus.file_name(part.filename or b"")
    wish = Wish(
        purpose,
        name,
        size=min(most, rules.MAX_BYTES),
        title=rules.label(wanted.get("title", ""), 255),
        folder_id=_folder(wanted),
        via="form",
    )
    try:
        async with further(request, ctx) as begun:
            row = await uploads.create(begun, wish, at_most=True)
    except Refusal as refusal:
        return Taken(name, refusal=refusal)
    try:
        size = await partials.append(row.id, 0, part.data, limit=row.size)
        async with further(request, ctx) as ended:
            row = await rows.find(ended, Upload, row.id, lock=True)
            if row.state != "receiving":
                raise tus.Gone
            return Taken(name, row=await uploads.complete(ended, row, size))
    except TooMuch:
        full = row.size < rules.MAX_BYTES
        why = QuotaExceeded() if full else uploads.UploadTooLarge()
        await _drop(request, ctx, row.id, why.code)
        return Taken(name, refusal=why)
    except (Refusal, HTTPException):
        await _drop(request, ctx, row.id, "cut_off")
        raise


async def _drop(request: Request, ctx: Ctx, upload_id: UUID, code: str) -> None:
    """Nothing more will come of this upload."""
    async with further(request, ctx) as after:
        row = await rows.find(after, Upload, upload_id, lock=True)
        if row.state == "receiving":
            await uploads.fail(after, row, code)
    await partials_of(request).remove(upload_id)


def _folder(wanted: dict[str, str]) -> UUID | None:
    try:
        return UUID(wanted["folder_id"]) if wanted["folder_id"] else None
    except ValueError:
        raise BadForm("folder_id must be the id of a folder.") from None


router = make_form_router("/music", "music", "track")
