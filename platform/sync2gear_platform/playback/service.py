"""Use cases of playback: every command on one zone or many, in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sync2gear_broker import messages as wire
from sync2gear_broker.messages import LiveEvent, Programme, ZoneState
from sync2gear_broker.units import frames_from_millis
from sync2gear_platform.kit import ids
from sync2gear_platform.kit.clock import frames_of
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.library import service as library
from sync2gear_platform.library.tables import Media
from sync2gear_platform.playback import (
    choices,
    engine,
    leads,
    licences,
    plays,
    queries,
    rules,
    writing,
)
from sync2gear_platform.playback.queries import Score
from sync2gear_platform.playback.schemas import ZoneView

SHORTEST = timedelta(seconds=10)
"""What ends sooner would be over before every speaker knows."""

Decide = Callable[[Score, int], ZoneState]


class RevConflict(Refusal):
    """Somebody changed this zone since you read it: read it again and repeat."""

    kind = "conflict"
    code = "rev_conflict"


class FolderEmpty(Refusal):
    """There is no music in this folder."""

    kind = "conflict"
    code = "folder_empty"


class UntilWhen(Refusal):
    """An end must be at least ten seconds and at most a week away."""

    code = "until_when"


class TooManyTracks(Refusal):
    """That is more music than one programme may hold: choose fewer tracks."""

    code = "too_many_tracks"


@dataclass(frozen=True, slots=True)
class Announced:
    """One announcement in one zone, and when it begins if nothing of its rank comes before."""

    zone_id: UUID
    event_id: str
    start_frame: int
    starts_at: datetime
    play_id: UUID


async def play(
    ctx: Ctx,
    *,
    zone_ids: Sequence[UUID],
    folder_id: UUID | None = None,
    track_ids: Sequence[UUID] | None = None,
    shuffle: bool = False,
    crossfade_millis: int = 0,
    until: datetime | None = None,
    rev: int | None = None,
) -> list[ZoneView]:
    """Play a folder or tracks in all these zones, from the same frame; neither named: resume.

    ``until`` then, or the next block of what is scheduled; for good where nothing is.
    """
    if folder_id is None and track_ids is None:
        return await resume(ctx, zone_ids=zone_ids, rev=rev)
    media = await music(ctx, zone_ids, folder_id, track_ids)
    return await play_lists(
        ctx,
        dict.fromkeys(zone_ids, media),
        source=choices.source_of("folder" if folder_id else "tracks", folder_id),
        seed=int(ctx.now.timestamp() * 1e6) if shuffle else None,
        crossfade=frames_from_millis(crossfade_millis),
        until=until,
        rev=rev,
        after={"folder_id": folder_id, "tracks": len(media), "shuffle": shuffle, "until": until},
        origin={"folder_id": folder_id, "channel_id": None, "shuffle": shuffle},
        digests=dict.fromkeys(zone_ids, choices.digest(media)),
    )


async def play_lists(
    ctx: Ctx,
    lists: Mapping[UUID, Sequence[wire.Media]],
    *,
    source: str,
    seed: int | None = None,
    crossfade: int = 0,
    until: datetime | None = None,
    rev: int | None = None,
    after: Mapping[str, Any],
    origin: Mapping[str, Any],
    digests: Mapping[UUID, str],
    once: bool = False,
) -> list[ZoneView]:
    """Play in each zone its own list, all from the same frame; ``crossfade`` in frames.

    None of the lists is empty. ``once``: until it is over, and then what would be played.
    ``after`` is for the audit trail, ``origin`` what people chose; ``digests`` name by zone what
    that is like now.
    """
    found = await _opened(ctx, list(lists), rev)
    longest = max(lists.values(), key=len)
    first = max((media[0] for media in lists.values()), key=lambda one: one.bytes)
    needs = [
        rules.Need(sum(len(m.title) + len(m.artist) + 200 for m in longest), cached=False),
        await leads.need(ctx, found, first),
    ]
    at = ctx.frame + await leads.lead(ctx, found, needs)
    made = {
        id(media): choices.programme_of(
            media, source=source, at=at, seed=seed, crossfade=crossfade, once=once
        )
        for media in lists.values()
    }
    end = end_of(ctx, until)
    of_zones = [made[id(lists[score.zone.id])] for score in found]
    wanted = await _chosen(ctx, found, of_zones, [choices.end_of(one, end) for one in of_zones])
    return await _closed(ctx, wanted, "play", after, origin=origin, digests=digests)


async def shuffle(
    ctx: Ctx, *, zone_ids: Sequence[UUID], shuffle: bool, rev: int | None = None
) -> list[ZoneView]:
    """The music that people chose for these zones in another order, after what plays now."""
    found = await _opened(ctx, zone_ids, rev)
    at = ctx.frame + await leads.lead(ctx, found, [rules.Need(50_000, cached=False)])
    seed = int(ctx.now.timestamp() * 1e6) if shuffle else None
    made = []
    for score in found:
        folder_id = score.row.folder_id if score.row else None
        media = await music(ctx, zone_ids, folder_id, None) if folder_id else choices.chosen(
            score.programmes, score.state, at
        )  # fmt: skip
        made.append(choices.reordered(score.programmes, score.state, media, at, seed))
    wanted = await _chosen(ctx, found, made, [None] * len(made))
    return await _closed(ctx, wanted, "shuffle", {"shuffle": shuffle}, origin={"shuffle": shuffle})


async def _chosen(
    ctx: Ctx, found: Sequence[Score], made: Sequence[Programme], ends: Sequence[choices.End | None]
) -> list[Score]:
    """The zones with what people chose for each, and after it what they would play."""
    stored: dict[str, str] = {}
    wanted = []
    for score, chosen, end in zip(found, made, ends, strict=True):
        programme = choices.joined(chosen, score.programmes, score.state, end)
        sha256 = programme.sha256()
        if sha256 not in stored:
            stored[sha256] = await writing.store(ctx, programme)
        held = {**score.programmes, sha256: programme}
        state = engine.play(score.state, programme, sha256, ctx.frame)
        wanted.append(replace(score, state=state, programmes=held))
    return wanted


def end_of(ctx: Ctx, until: datetime | None) -> int | None:
    """The frame of an end that people gave; :class:`UntilWhen` for one now, or never."""
    if until is None:
        return None
    if not ctx.now + SHORTEST < until < ctx.now + rules.LONGEST:
        raise UntilWhen
    return frames_of(until)


async def pause(ctx: Ctx, *, zone_ids: Sequence[UUID], rev: int | None = None) -> list[ZoneView]:
    """The music of these zones stands still; announcements still sound."""
    return await _change(ctx, zone_ids, rev, "pause", lambda s, at: engine.pause(s.state, at))


async def resume(ctx: Ctx, *, zone_ids: Sequence[UUID], rev: int | None = None) -> list[ZoneView]:
    """The music of these zones goes on where it stood."""
    return await _change(ctx, zone_ids, rev, "resume", lambda s, at: engine.resume(s.state, at))


async def stop(
    ctx: Ctx,
    *,
    zone_ids: Sequence[UUID],
    until: datetime | None = None,
    rev: int | None = None,
) -> list[ZoneView]:
    """These zones fall silent, announcements included, until then or until somebody resumes."""
    end = end_of(ctx, until)
    return await _change(
        ctx, zone_ids, rev, "stop", lambda s, at: engine.stop(s.state, at, end), {"until": until}
    )


async def skip_forward(
    ctx: Ctx, *, zone_ids: Sequence[UUID], rev: int | None = None
) -> list[ZoneView]:
    """The next item begins in these zones."""
    return await _change(
        ctx, zone_ids, rev, "next",
        lambda s, at: engine.skip_forward(s.programmes, s.state, ctx.frame, at),
    )  # fmt: skip


async def skip_back(
    ctx: Ctx, *, zone_ids: Sequence[UUID], rev: int | None = None
) -> list[ZoneView]:
    """The item begins again, or the one before it."""
    return await _change(
        ctx, zone_ids, rev, "previous",
        lambda s, at: engine.skip_back(s.programmes, s.state, ctx.frame, at),
    )  # fmt: skip


async def seek(
    ctx: Ctx, *, zone_ids: Sequence[UUID], position_millis: int, rev: int | None = None
) -> list[ZoneView]:
    """What is playing goes on from ``position_millis``."""
    offset = frames_from_millis(position_millis)
    return await _change(
        ctx, zone_ids, rev, "seek",
        lambda s, at: engine.seek(s.programmes, s.state, ctx.frame, at, offset),
        {"position_millis": position_millis},
    )  # fmt: skip


async def set_volume(
    ctx: Ctx,
    *,
    zone_ids: Sequence[UUID],
    volume: int,
    mute: bool | None = None,
    rev: int | None = None,
) -> list[ZoneView]:
    """Another volume in these zones, at once."""
    return await _change(
        ctx, zone_ids, rev, "volume",
        lambda s, _: engine.volume(s.state, volume, mute=mute),
        {"volume": volume, "mute": mute},
    )  # fmt: skip


async def cancel(ctx: Ctx, *, zone_id: UUID, event_id: str) -> list[ZoneView]:
    """An announcement ends, or never begins."""
    await plays.cancelled(ctx, zone_id, event_id)
    return await _change(
        ctx, [zone_id], None, "cancel",
        lambda s, at: engine.cancel(s.programmes, s.state, event_id, at),
        {"event_id": event_id},
    )  # fmt: skip


async def announce(
    ctx: Ctx,
    *,
    zone_ids: Sequence[UUID],
    media: Media,
    title: str,
    mode: Literal["pause", "duck"] = "pause",
    priority: int = 50,
    gain: int | None = None,
    announcement_id: UUID | None = None,
    play_id: UUID | None = None,
    delay_millis: int = 0,
    timeout_millis: int | None = None,
) -> list[Announced]:
    """Let ``media`` sound in all these zones from the same frame, as soon as speakers can.

    ``delay_millis`` later, within which it can be taken back unheard. It is dropped where it has
    to wait longer than ``timeout_millis`` for others.

    ``gain`` in hundredths of dB, where it is not the media's own.

    Under ``pause`` the music stands still meanwhile, under ``duck`` it goes on softly. What it
    came to is read under the play id (:mod:`plays`); give the ``play_id`` of a call before, if
    this one is the same for other zones.
    """
    play_id = play_id or ids.uuid7()
    found = await _opened(ctx, zone_ids, None)
    voice = wire.Media(
        sha256=media.sha256,
        bytes=media.bytes,
        frames=media.frames,
        gain=media.gain if gain is None else gain,
        kind="announcement",
        title=title[:200],
    )
    lead = await leads.lead(ctx, found, [await leads.need(ctx, found, voice)])
    start = ctx.frame + max(lead, frames_from_millis(delay_millis))
    start = max(engine.in_turn(s.state, ctx.frame, start, priority) for s in found)
    fade = frames_from_millis(rules.DUCK_MILLIS if mode == "duck" else rules.FADE_MILLIS)
    event = LiveEvent(
        id=play_id.hex,
        start=start,
        mode=mode,
        fade_in=fade,
        fade_out=fade,
        priority=priority,
        late_by=None if timeout_millis is None else frames_from_millis(timeout_millis),
        media=voice,
    )
    wanted = [replace(s, state=engine.announce(s.state, event)) for s in found]
    about = plays.About(play_id, title, announcement_id)
    await plays.begin(ctx, about, [s.zone.id for s in wanted], event)
    await _closed(ctx, wanted, "announce", {"event_id": event.id, "title": title, "mode": mode})
    starts_at = plays.moment_of(start)
    return [Announced(s.zone.id, event.id, start, starts_at, play_id) for s in wanted]


async def change(
    ctx: Ctx,
    zone_ids: Sequence[UUID],
    verb: str,
    decide: Decide,
    after: Mapping[str, Any],
    rev: int | None = None,
) -> list[ZoneView]:
    """What others make of these zones' states, as one command; ``decide`` is pure.

    It is given the zone as it is now and the frame from which every speaker can obey.
    """
    return await _change(ctx, zone_ids, rev, verb, decide, after)


async def _change(
    ctx: Ctx,
    zone_ids: Sequence[UUID],
    rev: int | None,
    verb: str,
    decide: Decide,
    after: Mapping[str, Any] | None = None,
) -> list[ZoneView]:
    found = await _opened(ctx, zone_ids, rev)
    at = ctx.frame + await leads.lead(ctx, found, ())
    wanted = [replace(s, state=decide(s, at)) for s in found]
    return await _closed(ctx, wanted, verb, after or {})


async def _opened(ctx: Ctx, zone_ids: Sequence[UUID], rev: int | None) -> list[Score]:
    """The zones under their locks, rebased to now."""
    found = await queries.scores(ctx, zone_ids, lock=True)
    for score in found:
        if rev is not None and (score.row.rev if score.row else 1) != rev:
            raise RevConflict(rev=score.row.rev if score.row else 1)
    return [replace(s, state=engine.opened(s.programmes, s.state, ctx.frame)) for s in found]


async def _closed(
    ctx: Ctx,
    wanted: Sequence[Score],
    verb: str,
    after: Mapping[str, Any],
    *,
    origin: Mapping[str, Any] | None = None,
    digests: Mapping[UUID, str] | None = None,
) -> list[ZoneView]:
    """Write the zones' new documents, tell everybody, and show them."""
    written = await writing.write(ctx, wanted, verb, after, origin=origin, digests=digests)
    return await queries.shown(ctx, written, ctx.frame)


async def music(
    ctx: Ctx,
    zone_ids: Sequence[UUID],
    folder_id: UUID | None,
    track_ids: Sequence[UUID] | None,
) -> list[wire.Media]:
    """The music of a folder in its order, or these tracks in the order given.

    What may not be played today in one of the zones is left out.
    """
    if folder_id is not None:
        found = await library.folder_media(ctx, folder_id)
    else:
        found = await library.tracks_media(ctx, track_ids or ())
    if not found:
        raise FolderEmpty
    found = await licences.playable(ctx, zone_ids, found)
    if len(found) > rules.MAX_TRACKS:
        raise TooManyTracks
    return [library.wire_media(track, media) for track, media in found]
