"""Use cases of variants: which sounds a message has, and which of them is heard."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.announcements import changes
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.announcements.text_tables import Variant
from sync2gear_platform.announcements.variants import Cut, choose
from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound, Refusal

MAX_VARIANTS: Final = 100


class VariantTaken(Refusal):
    """This announcement is a variant of that message already."""

    kind = "conflict"
    code = "variant_taken"


class EvergreenTaken(Refusal):
    """This message has an evergreen variant already."""

    kind = "conflict"
    code = "evergreen_taken"


class TooManyVariants(Refusal):
    """A message has at most 100 variants."""

    kind = "conflict"
    code = "too_many_variants"


class DatesTurned(Refusal):
    """A variant cannot end before it begins, and a day-part has a begin and an end."""

    code = "dates_invalid"


async def of_message(ctx: Ctx, announcement_id: UUID) -> Sequence[Variant]:
    """The variants of a message, in the order in which they were made."""
    found = select(Variant).where(
        col(Variant.client_id) == ctx.client_id, col(Variant.announcement_id) == announcement_id
    )
    return (await ctx.db.exec(found.order_by(col(Variant.id)))).all()


async def heard(ctx: Ctx, message: Announcement, local: datetime) -> Announcement:
    """The announcement that sounds for ``message`` now: a variant, or itself if none is valid."""
    found = await of_message(ctx, message.id)
    sounds = {v.id: v.sound_id for v in found}
    cut = choose([_cut(v) for v in found], f"{message.id} {ctx.now.isoformat()}", local)
    if cut is None:
        return message
    return await rows.find(ctx, Announcement, sounds[cut.id])


def _cut(row: Variant) -> Cut:
    return Cut(
        row.id, row.weight, row.starts_on, row.ends_on, frozenset(row.days),
        row.from_minute, row.to_minute, row.evergreen,
    )  # fmt: skip


async def create(ctx: Ctx, announcement_id: UUID, values: dict[str, Any]) -> Variant:
    """A new variant of a message."""
    await rows.find(ctx, Announcement, announcement_id, lock=True)  # its variants take turns
    await rows.find(ctx, Announcement, values["sound_id"])
    others = await of_message(ctx, announcement_id)
    if len(others) >= MAX_VARIANTS:
        raise TooManyVariants
    if values["sound_id"] in {v.sound_id for v in others}:
        raise VariantTaken
    _check(values, others)
    row = rows.new(ctx, Variant, announcement_id=announcement_id, **values)
    await ctx.db.flush()
    audit.record(ctx, "variant.create", "announcement", announcement_id, after=values)
    await changes.changed(ctx, "announcement", announcement_id)
    return row


async def update(
    ctx: Ctx,
    announcement_id: UUID,
    variant_id: UUID,
    values: dict[str, Any],
    if_match: str | None,
) -> Variant:
    """Change when a variant is heard, and how often."""
    row = await _find(ctx, announcement_id, variant_id)
    rows.match(row, if_match)
    others = [v for v in await of_message(ctx, announcement_id) if v.id != row.id]
    _check({**row.model_dump(), **values}, others)
    before = rows.change(ctx, row, values)
    await ctx.db.flush()
    audit.record(
        ctx, "variant.update", "announcement", announcement_id, before=before, after=values
    )
    await changes.changed(ctx, "announcement", announcement_id)
    return row


async def remove(ctx: Ctx, announcement_id: UUID, variant_id: UUID, if_match: str | None) -> None:
    """Remove a variant; the announcement that it was stays."""
    row = await _find(ctx, announcement_id, variant_id)
    rows.match(row, if_match)
    before = row.model_dump()
    audit.record(ctx, "variant.delete", "announcement", announcement_id, before=before)
    await ctx.db.delete(row)
    await ctx.db.flush()
    await changes.changed(ctx, "announcement", announcement_id)


async def _find(ctx: Ctx, announcement_id: UUID, variant_id: UUID) -> Variant:
    await rows.find(ctx, Announcement, announcement_id, lock=True)
    row = await rows.find(ctx, Variant, variant_id, lock=True)
    if row.announcement_id != announcement_id:
        raise NotFound("There is no such variant here.", code="not_found")
    return row


def _check(values: dict[str, Any], others: Sequence[Variant]) -> None:
    starts, ends = values.get("starts_on"), values.get("ends_on")
    halves = (values.get("from_minute") is None) != (values.get("to_minute") is None)
    if halves or (starts is not None and ends is not None and ends < starts):
        raise DatesTurned
    if values.get("evergreen") and any(v.evergreen for v in others):
        raise EvergreenTaken
