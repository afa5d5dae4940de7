"""Which announcements and templates use tracks and announcements: as chimes, and as variants."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select

from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.announcements.text_tables import SoundDefaults, Template, Variant
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.uses import MOST, Kind, Use


async def uses(ctx: Ctx, kind: Kind, subjects: Collection[UUID]) -> list[Use]:
    """What has such a chime, or is heard as such a variant. What lies in a folder uses it not."""
    if kind in {"folder", "channel"}:
        return []
    key = f"{kind}_id"
    found = [
        *await _named(ctx, Announcement, _chime(Announcement, key, subjects)),
        *await _named(ctx, Template, _chime(Template, key, subjects)),
    ]
    usual = select(SoundDefaults).where(
        col(SoundDefaults.client_id) == ctx.client_id, _chime(SoundDefaults, key, subjects)
    )
    found += [Use("sound", row.id, "Every announcement") for row in await ctx.db.exec(usual)]
    if kind == "announcement":
        heard = select(Variant.announcement_id).where(
            col(Variant.client_id) == ctx.client_id, col(Variant.sound_id).in_(subjects)
        )
        found += await _named(ctx, Announcement, col(Announcement.id).in_(heard))
    return found


def _chime(
    table: type[Announcement | Template | SoundDefaults], key: str, subjects: Collection[UUID]
) -> ColumnElement[bool]:
    wanted = [str(subject) for subject in subjects]
    ends: tuple[Any, ...] = (col(table.chime_before), col(table.chime_after))
    return or_(*(chime[key].astext.in_(wanted) for chime in ends))


async def _named(
    ctx: Ctx, table: type[Announcement | Template], condition: ColumnElement[bool]
) -> list[Use]:
    kind, name = (
        ("announcement", col(Announcement.title))
        if table is Announcement
        else ("template", col(Template.name))
    )
    found = select(col(table.id), name).where(col(table.client_id) == ctx.client_id, condition)
    rows = await ctx.db.execute(found.order_by(name, col(table.id)).limit(MOST))
    return [Use(kind, id_, called) for id_, called in rows]
