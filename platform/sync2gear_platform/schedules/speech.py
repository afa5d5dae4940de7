"""Announcements as schedules and channels hear them: their sounds, variants, chimes, loudness.

Reading makes no sound: a voice is heard with its chimes once they have been joined
(``announcements/ahead.py`` does that ahead), and by itself until then.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from sync2gear_broker.messages import Media as WireMedia
from sync2gear_platform.announcements import chiming, levels, studio
from sync2gear_platform.announcements.chiming import Chime, Manner
from sync2gear_platform.announcements.studio import Part
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.announcements.text_tables import Variant
from sync2gear_platform.channels.model import Piece
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.rules import label
from sync2gear_platform.library.tables import Media, Track
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


@dataclass(slots=True)
class _Sound:
    """An announcement that is heard as (a variant of) ``message``, and how it is made to sound."""

    message: UUID
    row: Announcement
    media: Media
    manner: Manner
    variant: Variant | None = None


async def take(
    ctx: Ctx, announcement_ids: Collection[UUID], folder_ids: Collection[UUID]
) -> Speech:
    """These announcements and all of these folders, with their variants, in eight queries."""
    if not announcement_ids and not folder_ids:
        return Speech()
    sounds = _announcements(ctx).where(
        or_(col(Announcement.id).in_(announcement_ids), col(Announcement.folder_id).in_(folder_ids))
    )
    sounds = sounds.order_by(col(Announcement.title), col(Announcement.id))
    rows = (await ctx.db.execute(sounds)).all()
    folders: dict[UUID, list[UUID]] = {folder_id: [] for folder_id in folder_ids}
    for row, _ in rows:
        if row.folder_id in folders:
            folders[row.folder_id].append(row.id)
    usual = await chiming.defaults(ctx)
    messages = {row.id: row for row, _ in rows}
    found = [
        _Sound(row.id, row, media, chiming.agreed([chiming.own(row)], usual))
        for row, media in rows
        if media is not None
    ]
    for variant, row, media in await _variants(ctx, list(messages)):
        manners = [chiming.own(row), chiming.own(messages[variant.announcement_id])]
        manner = chiming.agreed(manners, usual)
        found.append(_Sound(variant.announcement_id, row, media, manner, variant))
    await _chime(ctx, found)
    heard: dict[UUID, list[_Sound]] = {}
    for sound in found:
        heard.setdefault(sound.message, []).append(sound)
    return Speech({id_: _message(id_, its) for id_, its in heard.items()}, folders)


def _announcements(ctx: Ctx) -> Any:
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


async def _chime(ctx: Ctx, found: Sequence[_Sound]) -> None:
    """Give each sound its chimes, where voice and chimes have been joined."""
    ends = [end for one in found for end in (one.manner.chime_before, one.manner.chime_after)]
    theirs = await _theirs(ctx, [end for end in ends if end and "name" not in end])

    def part(chime: Chime) -> Part | None:
        return chiming.built_in(chime) or theirs.get(_named(chime))

    wanted: dict[str, list[_Sound]] = {}
    for one in found:
        before, after = part(one.manner.chime_before), part(one.manner.chime_after)
        if before or after:
            key = studio.key_of(chiming.lined_up(one.media, before, after))
            wanted.setdefault(key, []).append(one)
    made = await studio.joined(ctx, list(wanted))
    if not made:
        return
    joins = select(Media).where(
        col(Media.client_id) == ctx.client_id, col(Media.sha256).in_(made.values())
    )
    media = {one.sha256: one for one in await ctx.db.exec(joins)}
    for key, sha256 in made.items():
        for one in wanted[key]:
            one.media = media.get(sha256, one.media)


def _named(chime: Chime) -> str:
    """The id of the track or announcement that a chime is; empty for none."""
    return str((chime or {}).get("track_id") or (chime or {}).get("announcement_id") or "")


async def _theirs(ctx: Ctx, chimes: Sequence[Chime]) -> dict[str, Part]:
    """Chimes that are tracks or announcements, by the id of these."""
    found: dict[str, Part] = {}
    for table, key in ((Track, "track_id"), (Announcement, "announcement_id")):
        ids = {UUID(str(one[key])) for one in chimes if one and key in one}
        if ids:
            sounds = (
                select(table.id, Media.sha256, Media.gain)
                .join(
                    Media,
                    (col(Media.client_id) == col(table.client_id))
                    & (col(Media.sha256) == col(table.sha256)),
                )
                .where(col(table.client_id) == ctx.client_id, col(table.id).in_(ids))
            )
            for id_, sha256, gain in (await ctx.db.execute(sounds)).all():
                found[str(id_)] = Part(sha256, gain=gain)
    return found


def _message(message_id: UUID, sounds: Sequence[_Sound]) -> Message:
    """A message with what it is heard as; where no variant is valid it is heard itself."""
    heard: list[tuple[Piece, int]] = []
    itself = evergreen = None
    for one in sounds:
        piece = _piece(one)
        if one.variant is None:
            itself = piece
        elif one.variant.evergreen:
            evergreen = piece
        else:
            heard.append((piece, one.variant.weight))
    return Message(message_id, tuple(heard), evergreen or itself)


def _piece(sound: _Sound) -> Piece:
    media, variant = sound.media, sound.variant
    heard = WireMedia(
        sha256=media.sha256,
        bytes=media.bytes,
        frames=media.frames,
        gain=levels.gain_of(media.gain, media.true_peak, sound.manner.volume_offset),
        kind="announcement",
        title=label(sound.row.title, 200),
    )
    if variant is None or variant.evergreen:
        return Piece(str(sound.row.id), heard)
    part = variant.from_minute, variant.to_minute
    return Piece(
        str(sound.row.id),
        heard,
        valid_from=variant.starts_on,
        valid_until=variant.ends_on,
        weekdays=tuple(sorted(variant.days)),
        minutes=None if part[0] is None or part[1] is None else (part[0], part[1]),
    )
