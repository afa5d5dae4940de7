"""Which announcement a sound was, where the plan does not say: calls by hand, chosen channels."""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.playback import plays
from sync2gear_platform.playback.tables import Play
from sync2gear_platform.proof import rules
from sync2gear_platform.proof.rules import Planned


async def called(ctx: Ctx, items: Iterable[str]) -> dict[str, UUID]:
    """Which announcement each call by hand was of."""
    calls = {play.hex: play for item in items if (play := plays.id_of(item)) is not None}
    if not calls:
        return {}
    found = select(Play.id, Play.announcement_id).where(
        col(Play.client_id) == ctx.client_id, col(Play.id).in_(calls.values())
    )
    return {play.hex: one for play, one in (await ctx.db.exec(found)).all() if one is not None}


async def chosen(ctx: Ctx, pieces: Iterable[Planned]) -> dict[tuple[str, str], UUID]:
    """Which announcement each sound is that people let be heard with a channel, by its audio."""
    heard = {
        (piece.item, piece.media.sha256)
        for piece in pieces
        if piece.media.kind == "announcement" and rules.source_of(piece.item)[0] == "hand"
    }
    if not heard:
        return {}
    found = select(Announcement.sha256, Announcement.id).where(
        col(Announcement.client_id) == ctx.client_id,
        col(Announcement.sha256).in_({sha256 for _, sha256 in heard}),
    )
    rows = (await ctx.db.exec(found.order_by(col(Announcement.id).desc()))).all()
    oldest = {sha256: one for sha256, one in rows if sha256}
    return {key: oldest[key[1]] for key in heard if key[1] in oldest}
