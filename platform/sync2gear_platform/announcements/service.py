"""Use cases of announcements: rendering a text once, and letting it be heard."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_broker.units import millis_from_frames
from sync2gear_platform.announcements import rules
from sync2gear_platform.announcements.ports import Speech, SpeechTooLong, SpeechUnavailable
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, log, rows
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.library import probe
from sync2gear_platform.library import service as library
from sync2gear_platform.library.tables import Media
from sync2gear_platform.playback import service as playback
from sync2gear_platform.sites import service as sites

logger = log.get(__name__)

Mode = Literal["pause", "duck"]
Now = Callable[[], datetime]


class TextEmpty(Refusal):
    """There is nothing to say: write at least one word."""

    code = "text_empty"


class TextTooLong(Refusal):
    """An announcement has at most 5000 characters: say it in parts."""

    code = "text_too_long"


class NotReady(Refusal):
    """This announcement has no sound: its rendering failed."""

    kind = "conflict"
    code = "not_ready"


async def create(
    ctx: Ctx, speech: Speech, blobs: Blobs, *, text: str, voice: str = "", title: str = ""
) -> Announcement:
    """A new announcement of ``text``; what this client had spoken before is not spoken again."""
    text, voice = _wanted(text, voice)
    twin = await _twin(ctx, blobs, text, voice)
    media = await library.media(ctx, twin.sha256 or "") if twin else None
    media = media or await _render(ctx, speech, blobs, text, voice)
    return await _write(ctx, media, text=text, voice=voice, title=title)


async def say(
    ctx: Ctx,
    speech: Speech,
    blobs: Blobs,
    now: Now,
    *,
    text: str,
    zone_ids: Sequence[UUID],
    voice: str = "",
    title: str = "",
    mode: Mode = "pause",
    priority: int = 50,
) -> tuple[Announcement, list[playback.Announced]]:
    """Say ``text`` in these zones as soon as their speakers can; the same words are one row."""
    text, voice = _wanted(text, voice)
    title = title or rules.title_of(text)
    await _zones(ctx, zone_ids)
    twin = await _twin(ctx, blobs, text, voice)
    if twin is not None and twin.title == title:
        row, media = twin, await library.media(ctx, twin.sha256 or "")
    else:
        row = await create(ctx, speech, blobs, text=text, voice=voice, title=title)
        media = await library.media(ctx, row.sha256 or "")
    # Rendering took a while: the lead counts from here, not from when the request came.
    ctx = replace(ctx, now=now())
    return row, await _play(ctx, row, media, zone_ids, mode, priority)


async def play_instant(
    ctx: Ctx,
    announcement_id: UUID,
    *,
    zone_ids: Sequence[UUID],
    mode: Mode = "pause",
    priority: int = 50,
) -> tuple[Announcement, list[playback.Announced]]:
    """Let an announcement sound in these zones as soon as their speakers can."""
    row = await rows.find(ctx, Announcement, announcement_id)
    media = await media_of(ctx, announcement_id)
    return row, await _play(ctx, row, media, zone_ids, mode, priority)


async def media_of(ctx: Ctx, announcement_id: UUID) -> Media:
    """The audio of an announcement; :class:`NotReady` where it has none."""
    row = await rows.find(ctx, Announcement, announcement_id)
    if row.sha256 is None:
        raise NotReady
    return await library.media(ctx, row.sha256)


async def update(
    ctx: Ctx,
    speech: Speech,
    blobs: Blobs,
    announcement_id: UUID,
    values: dict[str, Any],
    if_match: str | None,
) -> Announcement:
    """Change the title, the text or the voice; what sounds already goes on as it was."""
    row = await rows.find(ctx, Announcement, announcement_id, lock=True)
    rows.match(row, if_match)
    if "text" in values or "voice" in values:
        text, voice = _wanted(values.get("text", row.text), values.get("voice", row.voice))
        media = await _render(ctx, speech, blobs, text, voice)
        values = {**values, "text": text, "voice": voice, **_sound(media)}
    before = rows.change(ctx, row, values)
    await ctx.db.flush()
    audit.record(ctx, "announcement.update", "announcement", row.id, before=before, after=values)
    await events.changed(ctx, "announcement", row.id)
    return row


async def remove(ctx: Ctx, announcement_id: UUID, if_match: str | None) -> None:
    """Remove an announcement; where it sounds now it is heard to its end."""
    row = await rows.find(ctx, Announcement, announcement_id, lock=True)
    rows.match(row, if_match)
    before = row.model_dump()
    audit.record(ctx, "announcement.delete", "announcement", row.id, before=before)
    await ctx.db.delete(row)
    await ctx.db.flush()
    await events.changed(ctx, "announcement", announcement_id)


def _wanted(text: str, voice: str) -> tuple[str, str]:
    # The length first: cleaning a text of any size would be work for nothing.
    if len(text) > rules.MAX_TEXT:
        raise TextTooLong(f"An announcement has at most {rules.MAX_TEXT} characters.")
    text = rules.spoken(text)
    if not text:
        raise TextEmpty
    return text, voice or rules.DEFAULT_VOICE


async def _zones(ctx: Ctx, zone_ids: Sequence[UUID]) -> None:
    """Refuse a zone that is not here before anything is rendered for it."""
    for zone_id in zone_ids:
        await sites.zone(ctx, zone_id)


async def _twin(ctx: Ctx, blobs: Blobs, text: str, voice: str) -> Announcement | None:
    """The client's first announcement of the same words by the same voice, if it still sounds."""
    found = (
        select(Announcement)
        .where(
            col(Announcement.client_id) == ctx.client_id,
            func.md5(Announcement.text) == func.md5(text),
            col(Announcement.text) == text,
            col(Announcement.voice) == voice,
            col(Announcement.state) == "ready",
        )
        .order_by(col(Announcement.id))
        .limit(1)
    )
    twin = (await ctx.db.exec(found)).first()
    if twin is None or twin.sha256 is None or await blobs.size(twin.sha256) is None:
        return None
    return twin


async def _render(ctx: Ctx, speech: Speech, blobs: Blobs, text: str, voice: str) -> Media:
    """The media of ``text``; nothing is kept of it unless all of it went well."""
    wav = await speech.render(text, voice)
    try:
        # Our own voice's file needs no confined process; a thread keeps the loop free.
        sound = await asyncio.to_thread(probe.measure_bytes, wav)
    except probe.Unfit as unfit:
        if unfit.code in {"zero_length", "not_audio"}:
            raise TextEmpty("There is nothing in this text that can be spoken.") from unfit
        logger.exception("speech that is no sound", code=unfit.code)
        raise SpeechUnavailable from unfit
    if sound.frames > rules.MAX_SPOKEN:
        raise SpeechTooLong
    async with blobs.stage(wav) as staged:
        media = await library.add_media(ctx, sha256=staged.sha256, size=staged.size, sound=sound)
        await staged.keep()
    return media


def _sound(media: Media) -> dict[str, Any]:
    return {
        "state": "ready",
        "sha256": media.sha256,
        "duration_millis": millis_from_frames(media.frames),
    }


async def _write(ctx: Ctx, media: Media, *, text: str, voice: str, title: str) -> Announcement:
    row = rows.new(
        ctx,
        Announcement,
        title=title or rules.title_of(text),
        text=text,
        voice=voice,
        created_by=ctx.actor.id if ctx.actor.kind == "user" else None,
        **_sound(media),
    )
    await ctx.db.flush()
    after = {"title": row.title, "text": text, "voice": voice, "sha256": media.sha256}
    audit.record(ctx, "announcement.create", "announcement", row.id, after=after)
    await events.changed(ctx, "announcement", row.id)
    return row


async def _play(
    ctx: Ctx,
    row: Announcement,
    media: Media,
    zone_ids: Sequence[UUID],
    mode: Mode,
    priority: int,
) -> list[playback.Announced]:
    plays = await playback.announce(
        ctx, zone_ids=zone_ids, media=media, title=row.title, mode=mode, priority=priority
    )
    after = {"zones": [str(z) for z in zone_ids], "mode": mode, "priority": priority}
    audit.record(ctx, "announcement.play", "announcement", row.id, after=after)
    return plays
