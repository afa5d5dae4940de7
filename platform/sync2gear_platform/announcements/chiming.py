"""What is heard of an announcement: a chime, the announcement, a chime; and how loud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.announcements import changes, chimes, levels, studio
from sync2gear_platform.announcements.studio import Part, Splicer
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.announcements.text_tables import SoundDefaults
from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import log, rows
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.library import service as library
from sync2gear_platform.library.tables import Media

logger = log.get(__name__)

Chime = Mapping[str, Any] | None
"""``{"name": …}``, ``{"announcement_id": …}`` or ``{"track_id": …}``; ``None``: as usual."""

NONE: Final = "none"
"""The name of no chime, where the usual one is not wanted."""


class UnknownChime(Refusal):
    """There is no such chime; built in are: ding, ding-dong, down, gong, up, and none."""

    code = "chime_unknown"


@dataclass(frozen=True, slots=True)
class Manner:
    """How something is made to sound; what is ``None`` somebody else says."""

    chime_before: Chime = None
    chime_after: Chime = None
    volume_offset: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """A sound as it is given to speakers, with its gain in hundredths of dB."""

    media: Media
    gain: int


def own(row: Announcement) -> Manner:
    """How an announcement itself is made to sound."""
    return Manner(row.chime_before, row.chime_after, row.volume_offset)


async def heard(
    ctx: Ctx, blobs: Blobs, splicer: Splicer, media: Media, manners: Sequence[Manner]
) -> Heard:
    """``media`` with its chimes and loudness.

    The first of ``manners`` that names a chime is heard, after all of them the client's defaults;
    what they say of loudness adds up.
    """
    told = agreed(manners, await defaults(ctx))
    ends = await _part(ctx, blobs, told.chime_before), await _part(ctx, blobs, told.chime_after)
    if any(ends):
        try:
            media = await studio.join(ctx, blobs, splicer, lined_up(media, *ends))
        except studio.CannotJoin:
            logger.exception("announcement.without_chime", sha256=media.sha256)
    return Heard(media, levels.gain_of(media.gain, media.true_peak, told.volume_offset))


def agreed(manners: Sequence[Manner], usual: SoundDefaults) -> Manner:
    """What these say together, the first one first, and the client's defaults after all of them."""
    manners = [*manners, Manner(usual.chime_before, usual.chime_after, usual.volume_offset)]
    offset = sum(m.volume_offset for m in manners)
    return Manner(
        next((m.chime_before for m in manners if m.chime_before), None),
        next((m.chime_after for m in manners if m.chime_after), None),
        max(levels.MIN_OFFSET, min(levels.MAX_OFFSET, offset)),
    )


def lined_up(media: Media, before: Part | None, after: Part | None) -> list[Part]:
    """A voice between its chimes, as it is joined."""
    silence = Part(stop=levels.GAP)
    parts = [*([before, silence] if before else []), Part(media.sha256, gain=media.gain)]
    return [*parts, *([silence, after] if after else [])]


def built_in(chime: Chime) -> Part | None:
    """A chime of our own as a part; ``None`` for none, and for one that is somebody's sound."""
    if not chime or "name" not in chime or chime["name"] == NONE:
        return None
    return Part(f"{studio.CHIME}{chime['name']}")


async def check(ctx: Ctx, chime: Chime) -> None:
    """Refuse a chime that is not here: :class:`UnknownChime`, ``NotFound``."""
    if chime and "name" in chime:
        if chime["name"] not in {*chimes.BUILT_IN, NONE}:
            raise UnknownChime
    elif chime:
        await _media(ctx, chime)


async def _part(ctx: Ctx, blobs: Blobs, chime: Chime) -> Part | None:
    if not chime or "name" in chime:
        return built_in(chime)
    # The announcement is what matters; its chime may have been removed or lost since.
    media: Media | None
    try:
        media = await _media(ctx, chime)
    except NotFound:
        media = None
    if media is None or await blobs.size(media.sha256) is None:
        logger.warning("announcement.chime_gone", chime=dict(chime))
        return None
    return Part(media.sha256, gain=media.gain)


async def _media(ctx: Ctx, chime: Mapping[str, Any]) -> Media:
    if "track_id" in chime:
        found = await library.tracks_media(ctx, [UUID(str(chime["track_id"]))])
        return found[0][1]
    row = await rows.find(ctx, Announcement, UUID(str(chime["announcement_id"])))
    return await library.media(ctx, row.sha256 or "")


async def defaults(ctx: Ctx, *, lock: bool = False) -> SoundDefaults:
    """How the client's announcements sound; a row that is not stored yet where nobody said."""
    found = select(SoundDefaults).where(col(SoundDefaults.client_id) == ctx.client_id)
    row = (await ctx.db.exec(found.with_for_update() if lock else found)).one_or_none()
    if row is None:
        row = SoundDefaults(client_id=ctx.client_id, created_at=ctx.now, updated_at=ctx.now)
    return row


async def update(ctx: Ctx, values: dict[str, Any], if_match: str | None) -> SoundDefaults:
    """Change how the client's announcements sound."""
    row = await defaults(ctx, lock=True)
    rows.match(row, if_match)
    for name in ("chime_before", "chime_after"):
        await check(ctx, values.get(name))
    before = rows.change(ctx, row, values)
    ctx.db.add(row)
    await ctx.db.flush()
    audit.record(
        ctx, "announcement_defaults.update", "client", ctx.client_id, before=before, after=values
    )
    await changes.changed(ctx, "sound", ctx.client_id)
    return row
