"""What was sent becomes an announcement: a file as it is, a recording without its silent ends."""

from collections.abc import Mapping
from uuid import UUID

from sync2gear_platform.announcements import levels, service, studio
from sync2gear_platform.announcements.studio import Part, Splicer
from sync2gear_platform.kit import log
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library import rules
from sync2gear_platform.library.ingest import Finisher
from sync2gear_platform.library.probe import Unfit
from sync2gear_platform.library.prober import Finding
from sync2gear_platform.library.service import QuotaExceeded
from sync2gear_platform.library.tables import Media, Upload

logger = log.get(__name__)


def finishers(blobs: Blobs) -> Mapping[str, Finisher]:
    """What ingest makes of uploads for announcements, by purpose."""
    splicer = Splicer()

    async def recording(ctx: Ctx, upload: Upload, media: Media, finding: Finding) -> UUID:
        """A recording without the silence before the first word and after the last."""
        if media.lead is not None and media.lead >= media.frames:
            raise Unfit("silent")
        _check(media)
        return await _finished(ctx, upload, await _trimmed(ctx, blobs, splicer, media), finding)

    return {"announcement": _announcement, "recording": recording}


async def _announcement(ctx: Ctx, upload: Upload, media: Media, finding: Finding) -> UUID:
    """A file, just as it was sent."""
    _check(media)
    return await _finished(ctx, upload, media, finding)


def _check(media: Media) -> None:
    if media.frames > levels.MAX_SPLICED:
        raise Unfit("announcement_too_long")


async def _trimmed(ctx: Ctx, blobs: Blobs, splicer: Splicer, media: Media) -> Media:
    """``media`` from word to word; as it is where that cannot be made now."""
    kept = levels.kept(media.frames, media.lead, media.tail)
    if kept is None:
        return media
    try:
        part = Part(media.sha256, start=kept[0], stop=kept[1])
        return await studio.join(ctx, blobs, splicer, [part])
    except (studio.CannotJoin, studio.JoinedTooLong, QuotaExceeded) as refusal:
        # Silence at its ends is a blemish; a lost recording would be worse.
        logger.warning("recording.untrimmed", sha256=media.sha256, code=refusal.code)
        return media


async def _finished(ctx: Ctx, upload: Upload, media: Media, finding: Finding) -> UUID:
    stem = rules.label(upload.filename.rpartition(".")[0], 200)
    title = rules.label(upload.title or finding.tags.title, 200)
    row = await service.received(
        ctx,
        media,
        {
            "title": title or stem or upload.filename[:200],
            "folder_id": upload.folder_id,
            "is_recording": upload.purpose == "recording",
            "created_by": upload.created_by,
        },
    )
    return row.id
