"""Letting it be heard: announcements, words and templates, in zones, floors and locations, now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal
from uuid import UUID

from sync2gear_platform.announcements import chiming, cuts, levels, rules, service, studio, texts
from sync2gear_platform.announcements.chiming import Manner
from sync2gear_platform.announcements.service import Script
from sync2gear_platform.announcements.speech import Rendering
from sync2gear_platform.announcements.studio import Part, Studio
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.announcements.templates import Value
from sync2gear_platform.announcements.text_tables import Template
from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import ids, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.tables import Media
from sync2gear_platform.playback import service as playback
from sync2gear_platform.playback.rules import MAX_ZONES, counted_from
from sync2gear_platform.sites import service as sites
from sync2gear_platform.sites.tables import Zone

Mode = Literal["pause", "duck"]
AS_USUAL: Final = Manner()


@dataclass(frozen=True, slots=True)
class Where:
    """Zones, and all zones of floors and locations; each once."""

    zone_ids: Sequence[UUID] = ()
    floor_ids: Sequence[UUID] = ()
    location_ids: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class How:
    """What the music does meanwhile, what is cut for it, and how it sounds this time.

    It begins ``delay_millis`` later, and is dropped where it would wait longer than
    ``timeout_millis`` for others.
    """

    mode: Mode = "pause"
    priority: int = 50
    manner: Manner = field(default=AS_USUAL)
    delay_millis: int = 0
    timeout_millis: int | None = None


@dataclass(frozen=True, slots=True)
class Played:
    """What sounds, where, and from when on."""

    announcement: Announcement
    plays: list[playback.Announced]


async def say(
    ctx: Ctx, made: Studio, script: Script, *, where: Where, how: How, title: str = ""
) -> Played:
    """Say a text as soon as speakers can; the same words are one row."""
    zones = await _zones(ctx, where)
    await _check(ctx, how)
    script, spoken = await service.voiced(ctx, made.booth, made.blobs, script)
    row = await service.kept(ctx, script, spoken, title)
    return await _played(ctx, made, row, spoken.media, zones, how, [how.manner])


async def play_instant(
    ctx: Ctx, made: Studio, announcement_id: UUID, *, where: Where, how: How
) -> Played:
    """Let an announcement sound as soon as speakers can: the variant whose turn it is."""
    message = await rows.find(ctx, Announcement, announcement_id)
    zones = await _zones(ctx, where)
    await _check(ctx, how)
    location = await sites.location_of(ctx, zones[0])
    row = await cuts.heard(ctx, message, texts.scene_of(ctx, location).now)
    media = await service.media_of(ctx, row.id)
    manners = [how.manner, chiming.own(row)]
    manners += [chiming.own(message)] if row.id != message.id else []
    return await _played(ctx, made, row, media, zones, how, manners)


async def say_template(
    ctx: Ctx,
    made: Studio,
    row: Template,
    *,
    values: Mapping[str, Value],
    languages: Sequence[str],
    where: Where,
    how: How,
) -> list[Played]:
    """Fill a template and say it, one language after the other; at each location its own words."""
    zones = await _zones(ctx, where)
    await _check(ctx, how)
    places: dict[UUID, list[Zone]] = {}
    for zone in zones:
        places.setdefault(zone.location_id, []).append(zone)
    groups: dict[tuple[texts.Filled, ...], list[Zone]] = {}
    for here in places.values():
        location = await sites.location_of(ctx, here[0])
        words = await texts.filled(ctx, row, values, location, languages)
        groups.setdefault(tuple(words), []).extend(here)
    # All is spoken before anything is joined or played: what is joined holds locks.
    spoken = {
        filled: [
            await service.voiced(ctx, made.booth, made.blobs, texts.script_of(row, one))
            for one in filled
        ]
        for filled in groups
    }
    manners = [how.manner, Manner(row.chime_before, row.chime_after, row.volume_offset)]
    played = []
    play_id = ids.uuid7()  # one call, whatever its words are at each location
    for filled, here in groups.items():
        script, rendering = await _in_a_row(ctx, made, spoken[filled])
        one = await service.kept(ctx, script, rendering, row.name[:200])
        played.append(await _played(ctx, made, one, rendering.media, here, how, manners, play_id))
    return played


async def _in_a_row(
    ctx: Ctx, made: Studio, spoken: Sequence[tuple[Script, Rendering]]
) -> tuple[Script, Rendering]:
    """Several languages one after the other, as one text and one sound."""
    script, rendering = spoken[0]
    if len(spoken) == 1:
        return script, rendering
    parts: list[Part] = []
    for _, one in spoken:
        parts += [Part(stop=levels.BETWEEN)] if parts else []
        parts.append(Part(one.media.sha256, gain=one.media.gain))
    media = await studio.join(ctx, made.blobs, made.splicer, parts)
    text = "\n".join(one.text for one, _ in spoken)[: rules.MAX_TEXT]
    return replace(script, text=text, voice="", language=""), replace(rendering, media=media)


async def _zones(ctx: Ctx, where: Where) -> list[Zone]:
    return await sites.zones_of(
        ctx,
        zone_ids=where.zone_ids,
        floor_ids=where.floor_ids,
        location_ids=where.location_ids,
        most=MAX_ZONES,
    )


async def _check(ctx: Ctx, how: How) -> None:
    await chiming.check(ctx, how.manner.chime_before)
    await chiming.check(ctx, how.manner.chime_after)


async def _played(
    ctx: Ctx,
    made: Studio,
    row: Announcement,
    media: Media,
    zones: Sequence[Zone],
    how: How,
    manners: Sequence[Manner],
    play_id: UUID | None = None,
) -> Played:
    heard = await chiming.heard(ctx, made.blobs, made.splicer, media, manners)
    ctx = replace(ctx, now=counted_from(ctx.now, made.clock()))
    zone_ids = [zone.id for zone in zones]
    plays = await playback.announce(
        ctx,
        zone_ids=zone_ids,
        media=heard.media,
        gain=heard.gain,
        title=row.title,
        mode=how.mode,
        priority=how.priority,
        announcement_id=row.id,
        play_id=play_id,
        delay_millis=how.delay_millis,
        timeout_millis=how.timeout_millis,
    )
    after = {
        "zones": [str(z) for z in zone_ids], "mode": how.mode, "priority": how.priority,
        "sha256": heard.media.sha256, "gain": heard.gain,
    }  # fmt: skip
    audit.record(ctx, "announcement.play", "announcement", row.id, after=after)
    return Played(row, plays)
