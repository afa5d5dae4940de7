"""Files on their way in: begun, filled, handed to ingest, tried again, cancelled, forgotten.

How the bytes come is the caller's affair (tus, a form, straight into the store): whoever has them
all calls :func:`complete`. Who holds room for what is coming is this module's.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.jobs.app import defer
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Kind, NotFound, Refusal
from sync2gear_platform.library import folders, rules, shelving
from sync2gear_platform.library.tables import Upload
from sync2gear_platform.library.tus import Gone, Wish

INGEST: Final = "library:ingest"
"""The task that makes of an upload what it is for."""

LIFE: Final = timedelta(hours=24)
"""How long an upload waits for its next byte, and a failed one for being tried again."""

FORM_LIFE: Final = timedelta(hours=4)
"""How long a form may be on its way: nobody goes on with it."""

MAX_OPEN: Final = 2000
"""Uploads of a client that may be unfinished at once."""

LIVE: Final = ("receiving", "uploaded", "processing")


class TooManyUploads(Refusal):
    """Too many uploads are unfinished: finish or cancel some first."""

    kind: Kind = "conflict"
    code = "too_many_uploads"


class UploadTooLarge(Refusal):
    """A file may be two gibibytes large."""

    kind: Kind = "too_large"
    code = "too_large"


class OtherWay(Refusal):
    """This upload was begun another way (tus, a form, straight into the store): go on so."""

    kind: Kind = "conflict"
    code = "other_way"


class NotRetryable(Refusal):
    """Only an upload that failed for no fault of its file can be tried again, and for a day."""

    kind: Kind = "conflict"
    code = "not_retryable"


async def create(ctx: Ctx, wish: Wish, *, at_most: bool = False) -> Upload:
    """Begin an upload and hold room for it; its bytes may come from now on.

    Raises ``QuotaExceeded`` where what the client has and what it is already being sent leave no
    room, however many ask at once. ``at_most``: the size is not known yet, but no more than that;
    as much is held as there is.
    """
    if wish.size > rules.MAX_BYTES:
        raise UploadTooLarge
    if wish.folder_id is not None:
        if wish.purpose == "track":
            await folders.open_for_tracks(ctx, wish.folder_id)
        else:
            await folders.of_type(ctx, wish.folder_id, "announcement")
    room = await shelving.room_left(ctx)  # holds the client's storage until the commit
    unfinished = select(func.count()).where(
        col(Upload.client_id) == ctx.client_id, col(Upload.state) == "receiving"
    )
    if (await ctx.db.exec(unfinished)).one() >= MAX_OPEN:
        raise TooManyUploads
    size = min(wish.size, room) if at_most else wish.size
    if size > room or (at_most and room <= 0):
        raise shelving.QuotaExceeded
    row = rows.new(
        ctx,
        Upload,
        purpose=wish.purpose,
        via=wish.via,
        filename=wish.filename,
        title=wish.title,
        told=wish.told,
        folder_id=wish.folder_id,
        size=size,
        reserved=size,
        expires_at=ctx.now + (FORM_LIFE if wish.via == "form" else LIFE),
        created_by=ctx.actor.id if ctx.actor.kind == "user" else None,
    )
    await ctx.db.flush()
    after = {"purpose": row.purpose, "filename": row.filename, "size": row.size}
    audit.record(ctx, "upload.create", "upload", row.id, after=after)
    await events.changed(ctx, "upload", row.id)
    return row


async def receiving(
    ctx: Ctx, upload_id: UUID, purposes: tuple[str, ...], *, via: str = ""
) -> Upload:
    """An upload that may be sent to or asked about; raises ``NotFound`` and :class:`Gone`.

    ``via``: only one that comes this way; :class:`OtherWay` for the rest.
    """
    row = await rows.find(ctx, Upload, upload_id)
    if row.purpose not in purposes:
        raise NotFound("There is no such upload here.")
    if via not in {"", row.via}:
        raise OtherWay
    if row.state == "failed" and row.reserved == 0:
        raise Gone
    return row


async def arrived(ctx: Ctx, upload_id: UUID, size: int) -> Upload:
    """Write down that ``size`` bytes are here for good; with the last one, ingest begins.

    Safe to repeat. Raises :class:`Gone` where the upload was cancelled meanwhile.
    """
    row = await rows.find(ctx, Upload, upload_id, lock=True)
    if row.state == "failed" and row.reserved == 0:
        raise Gone
    if row.state != "receiving":
        return row
    if size == row.size:
        return await complete(ctx, row, size)
    if size != row.offset:
        rows.change(ctx, row, {"offset": size, "expires_at": ctx.now + LIFE})
        await events.changed(ctx, "upload", row.id)
    return row


async def coming(ctx: Ctx, upload_id: UUID, size: int) -> Upload:
    """Write down that ``size`` bytes lie in the store in parts: whoever watches sees it move."""
    row = await rows.find(ctx, Upload, upload_id, lock=True)
    size = min(size, row.size)
    if row.state == "receiving" and size != row.offset:
        rows.change(ctx, row, {"offset": size, "expires_at": ctx.now + LIFE})
        await events.changed(ctx, "upload", row.id)
    return row


async def named_in_store(ctx: Ctx, upload_id: UUID, store_id: str) -> Upload:
    """Remember what the store calls an upload, unless somebody said so before."""
    row = await rows.find(ctx, Upload, upload_id, lock=True)
    if row.store_id is None:
        rows.change(ctx, row, {"store_id": store_id})
    return row


async def lost(ctx: Ctx, upload_id: UUID) -> None:
    """The store has forgotten an upload that it was being sent."""
    row = await rows.find(ctx, Upload, upload_id, lock=True)
    if row.state == "receiving":
        await fail(ctx, row, "bytes_lost")


async def put_together(ctx: Ctx, upload_id: UUID, size: int) -> Upload:
    """The store has made one object of the parts: ingest begins, if it is as long as was said.

    Safe to repeat. Raises :class:`Gone` where the upload was cancelled meanwhile.
    """
    row = await rows.find(ctx, Upload, upload_id, lock=True)
    if row.state == "receiving" and size != row.size:
        return await fail(ctx, row, "size_differs")
    return await arrived(ctx, upload_id, size)


async def complete(ctx: Ctx, row: Upload, size: int) -> Upload:
    """All ``size`` bytes are here: leave the upload to ingest. ``row`` is locked and receiving."""
    values = {
        "state": "uploaded",
        "size": size,
        "offset": size,
        "reserved": size,
        "expires_at": ctx.now + LIFE,
    }
    rows.change(ctx, row, values)
    await _to_ingest(ctx, row)
    return row


async def retry(ctx: Ctx, upload_id: UUID) -> Upload:
    """Try a failed upload again whose bytes are still here."""
    row = await rows.find(ctx, Upload, upload_id, lock=True)
    if row.state != "failed" or row.reserved == 0 or row.offset != row.size:
        raise NotRetryable
    values = {"state": "uploaded", "code": "", "detail": "", "progress": 0}
    rows.change(ctx, row, {**values, "expires_at": ctx.now + LIFE})
    audit.record(ctx, "upload.retry", "upload", row.id)
    await _to_ingest(ctx, row)
    return row


async def _to_ingest(ctx: Ctx, row: Upload) -> None:
    await ctx.db.flush()
    await defer(ctx, INGEST, lock=f"upload {row.id}", upload_id=str(row.id))
    await events.changed(ctx, "upload", row.id)


async def fail(ctx: Ctx, row: Upload, code: str, *, keep: bool = False) -> Upload:
    """End an upload with a code of ``rules.REASONS``; ``keep``: its bytes, for another try."""
    values = {
        "state": "failed",
        "code": code,
        "detail": rules.REASONS.get(code, ""),
        "reserved": row.reserved if keep else 0,
        "expires_at": ctx.now + LIFE,
    }
    rows.change(ctx, row, values)
    await ctx.db.flush()
    await events.changed(ctx, "upload", row.id)
    return row


async def cancel(ctx: Ctx, upload_id: UUID, purposes: tuple[str, ...]) -> str:
    """Give up an upload, or forget one that has ended; what became of it stays. Returns ``via``.

    The caller removes the bytes after the commit; should it die, the sweep does.
    """
    row = await rows.find(ctx, Upload, upload_id, lock=True)
    if row.purpose not in purposes:
        raise NotFound("There is no such upload here.")
    audit.record(ctx, "upload.cancel", "upload", row.id, before={"state": row.state})
    if row.state in LIVE or row.reserved:
        await fail(ctx, row, "cancelled")
        return row.via
    via = row.via
    await ctx.db.delete(row)
    await ctx.db.flush()
    await events.changed(ctx, "upload", upload_id)
    return via
