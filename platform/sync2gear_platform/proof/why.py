"""Why something was heard in a zone, or was not: the one explanation of plans and of plays."""

from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.emergencies.tables import EmergencyMessage, EmergencyRow, EmergencyZone
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.playback import plays
from sync2gear_platform.playback.tables import Play, PlayZone
from sync2gear_platform.proof import planning, rules
from sync2gear_platform.proof.schemas import NamedOut, ReasonOut
from sync2gear_platform.proof.tables import ProofLine, ProofReason
from sync2gear_platform.schedules import forecast
from sync2gear_platform.schedules.forecast import Cause, Explained
from sync2gear_platform.sites import service as sites


async def of_play(ctx: Ctx, play_id: UUID) -> ReasonOut:
    """Of a line of the proof of play, or of a call by hand in all its zones."""
    found = select(ProofLine).where(
        col(ProofLine.client_id) == ctx.client_id, col(ProofLine.id) == play_id
    )
    line = (await ctx.db.exec(found)).one_or_none()
    if line is None:
        return await _called(ctx, play_id, None)
    return await _explained(ctx, line.zone_id, line.item, line)


async def of_item(ctx: Ctx, zone_id: UUID, item: str) -> ReasonOut:
    """Of a block of music, an announcement, a call or an emergency of a zone."""
    await sites.zone(ctx, zone_id)
    found = (
        select(ProofLine)
        .where(
            col(ProofLine.client_id) == ctx.client_id,
            col(ProofLine.zone_id) == zone_id,
            col(ProofLine.id) == rules.id_of(zone_id, item),
        )
        .limit(1)
    )
    return await _explained(ctx, zone_id, item, (await ctx.db.exec(found)).one_or_none())


async def _explained(ctx: Ctx, zone_id: UUID, item: str, line: ProofLine | None) -> ReasonOut:
    source, _ = rules.source_of(item)
    play_id = plays.id_of(item)
    if source == "call" and play_id is not None:
        shown = await _called(ctx, play_id, zone_id)
    elif source == "emergency":
        shown = await _raised(ctx, zone_id, item)
    else:
        shown = await _planned(ctx, zone_id, item, line)
    shown.zone_id, shown.item = zone_id, item
    if line is not None:
        shown.outcome, shown.reason = line_outcome(line), line.reason
        if shown.sound is None and line.kind == "announcement":
            shown.sound = await _spoken(ctx, line)
    return shown


def line_outcome(line: ProofLine) -> rules.Outcome:
    """What became of a line."""
    return next(one for one in rules.OUTCOMES if one == line.outcome)


async def _planned(ctx: Ctx, zone_id: UUID, item: str, line: ProofLine | None) -> ReasonOut:
    """By the account of a programme, or by what was kept of it when the programme was forgotten."""
    try:
        explained = await forecast.why(ctx, zone_id, item)
    except NotFound:
        if line is None:
            raise
        explained = Explained(Cause("hand"))
        kept = await _kept(ctx, line.why)
        if kept is not None:
            explained = Explained(Cause("schedule", planning.why_of(kept.document)))
    shown = ReasonOut.explained(explained)
    why = explained.cause.why
    if why is not None:
        shown.announcement = await _named(ctx, why.message)
        shown.sound = await _named(ctx, UUID(why.sound)) if why.sound else None
    return shown


async def _kept(ctx: Ctx, digest: str) -> ProofReason | None:
    found = select(ProofReason).where(
        col(ProofReason.client_id) == ctx.client_id, col(ProofReason.digest) == digest
    )
    return (await ctx.db.exec(found)).one_or_none()


async def _called(ctx: Ctx, play_id: UUID, zone_id: UUID | None) -> ReasonOut:
    """A call by hand: who asked for it, and what was to be heard."""
    found = select(Play).where(col(Play.client_id) == ctx.client_id, col(Play.id) == play_id)
    if zone_id is not None:
        here = select(col(PlayZone.play_id)).where(
            col(PlayZone.client_id) == ctx.client_id, col(PlayZone.zone_id) == zone_id
        )
        found = found.where(col(Play.id).in_(here))
    play = (await ctx.db.exec(found)).one_or_none()
    if play is None:
        raise NotFound("There is no such play here.")
    sound = await _named(ctx, play.announcement_id)
    return ReasonOut(
        source="call",
        name=play.title,
        item=play.id.hex,
        play_id=play.id,
        asked_by=play.created_by,
        asked_at=play.created_at,
        announcement=sound,
        sound=sound,
    )


async def _raised(ctx: Ctx, zone_id: UUID, item: str) -> ReasonOut:
    """An emergency: who raised it, and which message it was."""
    gen = item.removeprefix("emergency:")
    found = (
        select(EmergencyRow, EmergencyMessage.announcement_id)
        .join(
            EmergencyZone,
            (col(EmergencyZone.client_id) == col(EmergencyRow.client_id))
            & (col(EmergencyZone.emergency_id) == col(EmergencyRow.id)),
        )
        .outerjoin(
            EmergencyMessage,
            (col(EmergencyMessage.client_id) == col(EmergencyRow.client_id))
            & (col(EmergencyMessage.id) == col(EmergencyRow.message_id)),
        )
        .where(
            col(EmergencyRow.client_id) == ctx.client_id,
            col(EmergencyZone.zone_id) == zone_id,
            col(EmergencyRow.gen) == (int(gen) if gen.isdecimal() and len(gen) < 19 else -1),
        )
    )
    row = (await ctx.db.exec(found)).first()
    if row is None:
        raise NotFound("There was no such emergency here.")
    emergency, announcement_id = row
    return ReasonOut(
        source="emergency",
        name=emergency.name,
        emergency_id=emergency.id,
        asked_by=emergency.raised_by,
        asked_at=emergency.created_at,
        announcement=await _named(ctx, announcement_id),
    )


async def _named(ctx: Ctx, announcement_id: UUID | None) -> NamedOut | None:
    if announcement_id is None:
        return None
    found = select(Announcement).where(
        col(Announcement.client_id) == ctx.client_id, col(Announcement.id) == announcement_id
    )
    return _shown((await ctx.db.exec(found)).one_or_none())


async def _spoken(ctx: Ctx, line: ProofLine) -> NamedOut | None:
    """The announcement whose sound a line is, where chimes were not joined to it."""
    found = (
        select(Announcement)
        .where(
            col(Announcement.client_id) == ctx.client_id,
            col(Announcement.sha256) == line.sha256,
        )
        .order_by(col(Announcement.id))
        .limit(1)
    )
    return _shown((await ctx.db.exec(found)).one_or_none()) or await _named(
        ctx, line.announcement_id
    )


def _shown(row: Announcement | None) -> NamedOut | None:
    if row is None:
        return None
    return NamedOut(
        id=row.id, title=row.title, voice=row.spoken_voice, provider=row.spoken_provider
    )
