"""Which music may be played by hand here and today: what its licences say, for every zone meant."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import widened
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.library import separation
from sync2gear_platform.library.separation import Unplayable
from sync2gear_platform.library.tables import Media, Track
from sync2gear_platform.sites.tables import Location, Zone

_WORDS: Final[dict[Unplayable, str]] = {
    "not_yet_valid": "not valid yet",
    "no_longer_valid": "no longer valid",
    "not_in_region": "not licensed for this country",
    "online_only": "not to be kept by speakers",
}


class NothingPlayable(Refusal):
    """None of this music may be played here today."""

    kind = "conflict"
    code = "nothing_playable"


async def playable(
    ctx: Ctx, zone_ids: Sequence[UUID], found: Sequence[tuple[Track, Media]]
) -> list[tuple[Track, Media]]:
    """Those of ``found`` that may be played in all these zones today, each by its own calendar.

    Raises :class:`NothingPlayable`, saying why, where there were some and none is left.
    """
    scenes = await _scenes(ctx, zone_ids)
    kept: list[tuple[Track, Media]] = []
    left_out: Counter[Unplayable] = Counter()
    for track, media in found:
        reason = _reason(track, scenes)
        if reason is None:
            kept.append((track, media))
        else:
            left_out[reason] += 1
    if found and not kept:
        why = ", ".join(f"{number} {_WORDS[reason]}" for reason, number in left_out.items())
        raise NothingPlayable(
            f"None of this music may be played here today: {why}.", left_out=dict(left_out)
        )
    return kept


def _reason(track: Track, scenes: set[tuple[date, str]]) -> Unplayable | None:
    """Why a track is left out; speakers keep what they play, so it is asked for offline."""
    for day, country in sorted(scenes):
        if reason := separation.unplayable(track, on=day, region=country, offline=True):
            return reason
    return None


async def _scenes(ctx: Ctx, zone_ids: Sequence[UUID]) -> set[tuple[date, str]]:
    """The day and the country of each location that has one of these zones."""
    statement = (
        select(col(Location.timezone), col(Location.country))
        .join(Zone, col(Zone.location_id) == col(Location.id))
        .where(col(Zone.client_id) == ctx.client_id, col(Zone.id).in_(zone_ids))
        .distinct()
    )
    async with widened(ctx.db):  # who may play in a zone need not see all of its location
        rows = (await ctx.db.exec(statement)).all()
    return {(ctx.now.astimezone(ZoneInfo(zone)).date(), country) for zone, country in rows}
