"""What will likely be announced next, made as it will be heard, for speakers to hold it ready."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_broker.messages.device import MAX_PREFETCH
from sync2gear_platform.announcements import changes, chiming
from sync2gear_platform.announcements.chiming import Manner
from sync2gear_platform.announcements.studio import Splicer
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.announcements.text_tables import Variant
from sync2gear_platform.kit import log
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import AsyncSession, Database
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.library import service as library
from sync2gear_platform.library.tables import Media
from sync2gear_platform.playback import prefetch
from sync2gear_platform.playback.tables import Play

logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Kit:
    """What a worker needs to make sounds."""

    db: Database
    blobs: Blobs
    splicer: Splicer
    clock: Clock


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sound and the manners in which it is played, as ``playing.play_instant`` has them."""

    sha256: str
    manners: tuple[Manner, ...]


async def refresh(kit: Kit, client_id: UUID) -> bool:
    """Find out anew what a client's speakers fetch ahead; whether that is something else now.

    Each sound is made in a transaction of its own and kept: who dies in between repeats little.
    """
    chosen: dict[str, int] = {}
    async with kit.db.tenant(client_id) as session:
        ctx = _ctx(kit, session, client_id)
        for needed in await _needed(ctx):
            _choose(chosen, needed)
        candidates = await _likely(ctx)
    for candidate in candidates:
        if len(chosen) == MAX_PREFETCH:
            break
        async with kit.db.tenant(client_id) as session:
            media = await _made(kit, _ctx(kit, session, client_id), candidate)
        _choose(chosen, media)
    async with kit.db.tenant(client_id) as session:
        ctx = _ctx(kit, session, client_id)
        for media in await prefetch.heard_lately(ctx):
            _choose(chosen, media)
        return await prefetch.publish(ctx, chosen)


def _choose(chosen: dict[str, int], media: Media | None) -> None:
    if media is not None and prefetch.fits(chosen, media.sha256, media.bytes):
        chosen[media.sha256] = media.bytes


def _ctx(kit: Kit, session: AsyncSession, client_id: UUID) -> Ctx:
    actor = Actor(kind="system", id=None, client_id=client_id, label="prefetch")
    return Ctx(db=session, actor=actor, now=kit.clock.now(), trace="prefetch")


async def _made(kit: Kit, ctx: Ctx, candidate: Candidate) -> Media | None:
    """The sound with its chimes, as it would be played now; none where it cannot be made."""
    try:
        media = await library.media(ctx, candidate.sha256)
        return (await chiming.heard(ctx, kit.blobs, kit.splicer, media, candidate.manners)).media
    except Refusal as refusal:
        logger.info("prefetch.left_out", sha256=candidate.sha256, code=refusal.code)
        return None


async def _needed(ctx: Ctx) -> Sequence[Media]:
    """What another domain has to have at hand before all else; it is heard there without chimes."""
    statement = (
        select(Media)
        .join(
            Announcement,
            (col(Announcement.client_id) == col(Media.client_id))
            & (col(Announcement.sha256) == col(Media.sha256)),
        )
        .where(
            col(Media.client_id) == ctx.client_id,
            col(Announcement.state) == "ready",
            col(Announcement.id).in_(await changes.needed(ctx)),
        )
        .order_by(col(Announcement.id))
    )
    return (await ctx.db.exec(statement)).all()


async def _likely(ctx: Ctx) -> list[Candidate]:
    """Announcements that are kept at hand, those played or changed last first, by their variants.

    A message with variants sounds like one of them, and like itself only where none may be valid.
    """
    played = (
        select(Play.announcement_id, func.max(col(Play.created_at)).label("at"))
        .where(col(Play.client_id) == ctx.client_id)
        .group_by(col(Play.announcement_id))
        .subquery()
    )
    used = func.greatest(col(Announcement.updated_at), played.c.at)  # passes over what is null
    statement = (
        select(Announcement)
        .outerjoin(played, played.c.announcement_id == col(Announcement.id))
        .where(
            col(Announcement.client_id) == ctx.client_id,
            col(Announcement.state) == "ready",
            col(Announcement.prefetch),
        )
        .order_by(used.desc(), col(Announcement.id).desc())
        .limit(MAX_PREFETCH)
    )
    messages = (await ctx.db.exec(statement)).all()
    variants = await _variants(ctx, [message.id for message in messages])
    found: list[Candidate] = []
    for message in messages:
        mine = variants.get(message.id, [])
        own = chiming.own(message)
        for _, sound in mine:
            found.append(Candidate(sound.sha256 or "", (chiming.own(sound), own)))
        if not any(variant.evergreen for variant, _ in mine):
            found.append(Candidate(message.sha256 or "", (own,)))
    return found


async def _variants(
    ctx: Ctx, messages: Sequence[UUID]
) -> dict[UUID, list[tuple[Variant, Announcement]]]:
    """The variants of each message that may be heard today or later, with their sounds."""
    statement = (
        select(Variant, Announcement)
        .join(Announcement, col(Announcement.id) == col(Variant.sound_id))
        .where(
            col(Variant.client_id) == ctx.client_id,
            col(Announcement.client_id) == ctx.client_id,
            col(Variant.announcement_id).in_(messages),
            col(Announcement.state) == "ready",
            # somewhere it is still yesterday
            func.coalesce(col(Variant.ends_on) >= (ctx.now - timedelta(days=1)).date(), True),
        )
        .order_by(col(Variant.id))
    )
    found: dict[UUID, list[tuple[Variant, Announcement]]] = {}
    for variant, sound in (await ctx.db.exec(statement)).all():
        if variant.weight or variant.evergreen:
            found.setdefault(variant.announcement_id, []).append((variant, sound))
    return found
