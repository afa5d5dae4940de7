"""A channel that people play by hand: its next pieces, worked out for as long as it is to last."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from sync2gear_broker.messages import Media, sha256_hex
from sync2gear_platform.channels.model import Channel
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import widened
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.playback import choices
from sync2gear_platform.playback import service as playback
from sync2gear_platform.playback.schemas import ZoneView
from sync2gear_platform.schedules import preview
from sync2gear_platform.schedules.ledger import Digests
from sync2gear_platform.schedules.occurrences import frame_of
from sync2gear_platform.sites import service as sites
from sync2gear_platform.sites.tables import Location, Zone

WITHOUT_END: Final = timedelta(days=1)
"""So much of a channel is worked out where nobody says until when; after it, it begins anew."""

MAX_PIECES: Final = 5_000
"""A week of songs; what is shorter than usual is heard again sooner."""


class ChannelEmpty(Refusal):
    """Nothing in this channel may be played there now."""

    kind = "conflict"
    code = "channel_empty"


async def play(
    ctx: Ctx,
    *,
    zone_ids: Sequence[UUID],
    channel_id: UUID,
    until: datetime | None = None,
    rev: int | None = None,
) -> list[ZoneView]:
    """Play a channel in all these zones from the same frame, each by its own clock and licences.

    It begins as if it had never been heard, in an order of its own each time. ``until`` then, or
    the next block of what is scheduled; for good where nothing is. A channel that is played once
    gives way when it is over.
    """
    built = await preview.built(ctx, channel_id)
    seed = seed_of(channel_id, ctx.frame)
    end = playback.end_of(ctx, until) or frame_of(ctx.now + WITHOUT_END)
    scenes = await scenes_of(ctx, zone_ids)
    lists: dict[tuple[str, str], list[Media]] = {}
    for timezone, country in sorted(set(scenes.values())):
        turns = await asyncio.to_thread(
            preview.turns, built(country), ctx.frame, ZoneInfo(timezone), seed, MAX_PIECES, end
        )
        if not turns:
            raise ChannelEmpty
        lists[timezone, country] = [turn.piece.media for turn in turns]
    return await playback.play_lists(
        ctx,
        {zone: lists[scenes[zone]] for zone in zone_ids},
        source=choices.source_of("channel", channel_id),
        crossfade=built("").crossfade,
        once=not built("").loop,
        until=until,
        rev=rev,
        after={"channel_id": channel_id, "until": until},
        origin={
            "folder_id": None,
            "channel_id": channel_id,
            "chosen_frame": ctx.frame,
            "shuffle": False,
        },
        digests={
            zone: digest(built(country), timezone) for zone, (timezone, country) in scenes.items()
        },
    )


def seed_of(channel_id: UUID, chosen: int) -> str:
    """What a choice at a frame is shuffled by: each in an order of its own."""
    return f"{channel_id}:{chosen}"


def digest(channel: Channel, timezone: str) -> str:
    """Names all that decides over the pieces of a channel in a place."""
    return sha256_hex(f"{timezone} {Digests().alone(channel)}".encode())


async def scenes_of(ctx: Ctx, zone_ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    """The clock and the country of each of these zones."""
    found = (
        select(col(Zone.id), col(Location.timezone), col(Location.country))
        .join(Location, col(Location.id) == col(Zone.location_id))
        .where(col(Zone.client_id) == ctx.client_id, col(Zone.id).in_(zone_ids))
    )
    for zone_id in zone_ids:
        await sites.zone(ctx, zone_id)
    async with widened(ctx.db):  # who may play in a zone need not see all of its location
        return {zone: (tz, country) for zone, tz, country in (await ctx.db.exec(found)).all()}
