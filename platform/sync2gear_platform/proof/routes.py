"""The proof of play over HTTP: what was planned and heard, why, and what it adds up to."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime

from sync2gear_broker.units import Key
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.paging import Listing, Page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.proof import queries, spans, why
from sync2gear_platform.proof.queries import Filters
from sync2gear_platform.proof.schemas import (
    By,
    Kind,
    Manner,
    Outcome,
    ProofLineOut,
    ProofSummaryOut,
    ReasonOut,
    Source,
)
from sync2gear_platform.proof.spans import Span
from sync2gear_platform.sites import service as sites

router = APIRouter(prefix="/api/v1", tags=["proof"])

Read = Annotated[Ctx, allow("playback.read")]


async def _place(
    ctx: Read,
    zone: UUID | None = None,
    floor: UUID | None = None,
    location: Annotated[UUID | None, Query(description="With the zones that it has now.")] = None,
) -> list[UUID] | None:
    """The zones of one place, None for all; a zone that is gone still has its plays."""
    if floor is None and location is None:
        return None if zone is None else [zone]
    inside = await sites.zones_in(ctx, location_id=location, floor_id=floor)
    return [one for one in inside if zone in {None, one}]


Zones = Annotated[list[UUID] | None, Depends(_place)]


def _filters(
    zones: Zones,
    track: UUID | None = None,
    announcement: UUID | None = None,
    schedule: UUID | None = None,
    kind: Kind | None = None,
    outcome: Outcome | None = None,
    manner: Manner | None = None,
    source: Source | None = None,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="Not included.")] = None,
) -> Filters:
    return Filters(
        zones, track, announcement, schedule, kind, outcome, manner, source, since, until
    )


Wanted = Annotated[Filters, Depends(_filters)]


def _days(
    ctx: Read,
    first_day: Annotated[date | None, Query(description="By the venues' clocks.")] = None,
    last_day: Annotated[date | None, Query(description="Included.")] = None,
) -> Span:
    return spans.span_of(first_day, last_day, ctx.now.date())


Days = Annotated[Span, Depends(_days)]


@router.get("/proof/")
async def list_lines(ctx: Read, window: Listing, wanted: Wanted) -> Page[ProofLineOut]:
    """List what was planned and heard, the latest first."""
    return await queries.lines(ctx, window, wanted)


@router.get("/proof/summary/")
async def summarise(
    ctx: Read, days: Days, zones: Zones, by: By = "zone", kind: Kind | None = None
) -> ProofSummaryOut:
    """Add up what was planned and heard by track, announcement, zone or day; a week by default."""
    return await queries.summary(ctx, by, days, zones=zones, kind=kind)


@router.get("/plays/{play_id}/why/")
async def play_why(ctx: Read, play_id: UUID) -> ReasonOut:
    """Why a play was heard, or was not: a line of the proof of play, or a call by hand."""
    return await why.of_play(ctx, play_id)


@router.get("/zones/{zone_id}/why/{item}/")
async def zone_why(ctx: Read, zone_id: UUID, item: Annotated[Key, Path()]) -> ReasonOut:
    """Why a block of music or an announcement is in a zone's plan, or what keeps it out."""
    return await why.of_item(ctx, zone_id, item)
