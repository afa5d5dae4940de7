"""Announcements as schedules and channels hear them: their sounds, variants and loudness."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from sync2gear_broker.messages import Media as WireMedia
from sync2gear_platform.announcements import levels
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.announcements.text_tables import SoundDefaults, Variant
from sync2gear_platform.channels.model import Piece
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.rules import label
from sync2gear_platform.library.tables import Media
from sync2gear_platform.schedules.model import Message


@dataclass(frozen=True, slots=True)
class Speech:
    """Messages by announcement, and the announcements of each folder in the order of titles.

    What has no sound yet, nor a variant that has, is no message.
    """

    messages: Mapping[UUID, Message] = field(default_factory=dict)
    folders: Mapping[UUID, Sequence[UUID]] = field(default_factory=dict)

    def pieces(self, announcement_ids: Iterable[UUID]) -> tuple[Piece, ...]:
        """What may be heard of these between pieces of music, each sound once."""
        found: dict[str, Piece] = {}
        for one in announcement_ids:
            message = self.messages.get(one)
            if message is not None:
                spare = (message.evergreen,) if message.evergreen else ()
                heard = [piece for piece, weight in message.variants if weight > 0] or spare
                found |= {piece.id: piece for piece in heard}
        return tuple(found.values())


async def take(
    ctx: Ctx, announcement_ids: Collection[UUID], folder_ids: Collection[UUID]
) -> Speech:
    """These announcements and all of these folders, with their variants, in three queries."""
    if not announcement_ids and not folder_ids:
        return Speech()
    sounds = _sounds(ctx).where(
        or_(col(Announcement.id).in_(announcement_ids), col(Announcement.folder_id).in_(folder_ids))
    )
    rows = (
        await ctx.db.execute(sounds.order_by(col(Announcement.title), col(Announcement.id)))
    ).all()
    folders: dict[UUID, list[UUID]] = {folder_id: [] for folder_id in folder_ids}
    for row, _ in rows:
        if row.folder_id in folders:
            folders[row.folder_id].append(row.id)
    usual = select(SoundDefaults.volume_offset).where(col(SoundDefaults.client_id) == ctx.client_id)
    offset = (await ctx.db.exec(usual)).first() or 0
    variants: dict[UUID, list[tuple[Variant, Announcement, Media]]] = {}
    for variant, sound, media in await _variants(ctx, [row.id for row, _ in rows]):
        variants.setdefault(variant.announcement_id, []).append((variant, sound, media))
    messages = (_message(row, media, variants.get(row.id, []), offset) for row, media in rows)
    return Speech({one.id: one for one in messages if one is not None}, folders)


def _sounds(ctx: Ctx) -> Any:
    return (
        select(Announcement, Media)
        .outerjoin(
            Media,
            (col(Media.client_id) == col(Announcement.client_id))
            & (col(Media.sha256) == col(Announcement.sha256)),
        )
        .where(col(Announcement.client_id) == ctx.client_id)
    )


async def _variants(
    ctx: Ctx, announcement_ids: Sequence[UUID]
) -> Sequence[tuple[Variant, Announcement, Media]]:
    sound = aliased(Announcement)
    found = (
        select(Variant, sound, Media)
        .join(
            sound,
            (col(sound.client_id) == col(Variant.client_id))
            & (col(sound.id) == col(Variant.sound_id)),
        )
        .join(
            Media,
            (col(Media.client_id) == col(sound.client_id))
            & (col(Media.sha256) == col(sound.sha256)),
        )
        .where(
            col(Variant.client_id) == ctx.client_id,
            col(Variant.announcement_id).in_(announcement_ids),
        )
        .order_by(col(Variant.id))
    )
    return (await ctx.db.exec(found)).all()


def _message(
    row: Announcement,
    media: Media | None,
    variants: Sequence[tuple[Variant, Announcement, Media]],
    usual: int,
) -> Message | None:
    """A message with what it is heard as; where no variant is valid it is heard itself."""
    heard: list[tuple[Piece, int]] = []
    evergreen = None if media is None else _piece(row, media, row.volume_offset + usual)
    for variant, sound, its in variants:
        offset = sound.volume_offset + row.volume_offset + usual
        piece = _piece(sound, its, offset, variant)
        if variant.evergreen:
            evergreen = piece
        else:
            heard.append((piece, variant.weight))
    return Message(row.id, tuple(heard), evergreen) if heard or evergreen else None


def _piece(row: Announcement, media: Media, offset: int, variant: Variant | None = None) -> Piece:
    offset = max(levels.MIN_OFFSET, min(levels.MAX_OFFSET, offset))
    heard = WireMedia(
        sha256=media.sha256,
        bytes=media.bytes,
        frames=media.frames,
        gain=levels.gain_of(media.gain, media.true_peak, offset),
        kind="announcement",
        title=label(row.title, 200),
    )
    if variant is None or variant.evergreen:
        return Piece(str(row.id), heard)
    return Piece(str(row.id), heard, valid_from=variant.starts_on, valid_until=variant.ends_on)
