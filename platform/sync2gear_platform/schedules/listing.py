"""What people play by hand, listed anew when it is not what it was: what plays goes on.

A channel or folder that was edited reaches the zones in which people chose it, as it reaches those
where it is scheduled. A list of tracks is what it was when it was chosen.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, or_, select

from sync2gear_broker.messages import Media
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.channels.model import Channel, Inline, Item
from sync2gear_platform.channels.rotation import REMEMBERED
from sync2gear_platform.kit.clock import moment_of
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.playback import choices, engine, leads, queries, rules, writing
from sync2gear_platform.playback import service as playback
from sync2gear_platform.playback.choices import Standing
from sync2gear_platform.playback.tables import ZonePlayback
from sync2gear_platform.schedules import by_hand, preview

_PENDING: Final = "~"
"""Before the digest of a list that still holds what has to go once it has been heard."""

_SOON: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Choice:
    """What people chose for a zone, as it is now: a ``channel``, or else a folder's ``media``."""

    what: tuple[str, UUID]
    digest: str
    media: Sequence[Media]
    channel: Channel | None = None
    timezone: str = "UTC"
    seed: str = ""

    def is_mine(self, media: Media) -> bool:
        """Whether something may still be heard of it."""
        return any(one.sha256 == media.sha256 for one in self.media)

    def list_from(self, here: Standing, at: int, shuffled: int | None) -> tuple[list[Media], int]:
        """Its music around what plays, and which that is; nothing where there is none now."""
        if self.channel is None:
            return choices.put_in(here, self.media, shuffled)
        index, begun = here.position.index, at - here.position.offset
        played = [(here.current, begun)]
        for media in reversed(here.media[:index][-REMEMBERED:]):
            played.insert(0, (media, played[0][1] - media.frames))
        zone, before = ZoneInfo(self.timezone), [m for m, _ in played[:-1] if self.is_mine(m)]
        memory = preview.heard(self.channel, zone, self.seed, played)
        end = here.until or at + int(by_hand.WITHOUT_END.total_seconds()) * FRAME_RATE
        most = by_hand.MAX_PIECES - len(played)
        turns = preview.turns(self.channel, here.end, zone, self.seed, most, end, memory)
        return [*before, here.current, *(turn.piece.media for turn in turns)], len(before)


async def follow(ctx: Ctx, zone_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """List anew what people chose for these zones where it was edited; when to look again.

    That is where something has to go that is heard just now, or something else has the music.
    """
    chosen = select(ZonePlayback).where(
        col(ZonePlayback.client_id) == ctx.client_id,
        col(ZonePlayback.zone_id).in_(zone_ids),
        col(ZonePlayback.chosen_digest) != "",
        or_(col(ZonePlayback.channel_id).is_not(None), col(ZonePlayback.folder_id).is_not(None)),
    )
    edited = {}
    for row in (await ctx.db.exec(chosen)).all():
        choice = await _choice(ctx, row)
        if choice is not None and row.chosen_digest != choice.digest:
            edited[row.zone_id] = choice
    return await _list_anew(ctx, edited) if edited else {}


async def _choice(ctx: Ctx, row: ZonePlayback) -> _Choice | None:
    """What people chose for a zone, as it is now; ``None`` where there is nothing of it left."""
    try:
        if row.channel_id is not None:
            timezone, country = (await by_hand.scenes_of(ctx, [row.zone_id]))[row.zone_id]
            channel = (await preview.built(ctx, row.channel_id))(country)
            lines: list[Item | Inline] = [*channel.items, *channel.inlines]
            return _Choice(
                ("channel", row.channel_id),
                by_hand.digest(channel, timezone),
                [piece.media for line in lines for piece in line.pieces],
                channel,
                timezone,
                by_hand.seed_of(row.channel_id, row.chosen_frame or 0),
            )
        if row.folder_id is not None:
            media = await playback.music(ctx, [row.zone_id], row.folder_id, None)
            return _Choice(("folder", row.folder_id), choices.digest(media), media)
    except Refusal:
        return None
    return None


async def _list_anew(ctx: Ctx, edited: dict[UUID, _Choice]) -> dict[UUID, datetime]:
    found = await queries.scores(ctx, list(edited), lock=True, missing_ok=True)
    at = ctx.frame + await leads.lead(ctx, found, [rules.Need(50_000, cached=False)])
    wanted, digests, later = [], {}, {}
    for score in found:
        choice, row = edited[score.zone.id], score.row
        state = engine.opened(score.programmes, score.state, ctx.frame)
        here = choices.standing(score.programmes, state, at, choice.what)
        if here is None or row is None:
            again = choices.returns(score.programmes, state, at, choice.what)
            if again is not None:
                later[score.zone.id] = moment_of(again) + _SOON
            continue
        leaves = not choice.is_mine(here.current)
        digest = (_PENDING if leaves else "") + choice.digest
        if leaves:
            later[score.zone.id] = moment_of(here.end) + _SOON
        if row.chosen_digest == digest[:64]:
            continue
        seed = at if row.shuffle else None
        media, index = await asyncio.to_thread(choice.list_from, here, at, seed)
        if len(media) == index + 1 and leaves:
            continue  # nothing of it is left to be played now
        crossfade = here.crossfade if choice.channel is None else choice.channel.crossfade
        once = choice.channel is not None and not choice.channel.loop
        made = choices.listed(here, media, index, at, crossfade, once=once)
        programme = choices.joined(made, score.programmes, state)
        sha256 = await writing.store(ctx, programme)
        after = engine.swap(state, programme, sha256, ctx.frame, at)
        held = {**score.programmes, sha256: programme}
        wanted.append(replace(score, state=after, programmes=held))
        digests[score.zone.id] = digest[:64]
    if wanted:
        await writing.write(ctx, wanted, "follow", {}, digests=digests)
    return later
