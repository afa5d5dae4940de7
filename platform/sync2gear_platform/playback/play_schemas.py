"""REST bodies of plays: the receipt tree."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from sync2gear_platform.playback.outcomes import Stage


class SpeakerReceipt(BaseModel):
    """What one speaker made of it, by its own clock; ``reason`` says why it was missed, or that
    it was not heard to its end: ``cut`` by what goes above it or a stop, or ``cancelled``.

    ``late_millis`` is how much later than planned it began: it joined inside, in step.
    """

    device_id: UUID
    name: str
    state: Stage
    reason: str
    received_at: datetime | None
    cached_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    late_millis: int | None


class ZoneReceipts(BaseModel):
    """One zone: it has come as far as the furthest of its speakers."""

    zone_id: UUID
    name: str
    start_frame: int
    starts_at: datetime
    state: Stage
    cancelled_at: datetime | None
    speakers: list[SpeakerReceipt]


class PlayTree(BaseModel):
    """What became of one call, in every zone and on every speaker within reach.

    ``counts`` are the speakers by their state. From ``over_at`` on a speaker that said nothing
    has missed it.
    """

    id: UUID
    announcement_id: UUID | None
    title: str
    created_at: datetime
    over_at: datetime
    zones: list[ZoneReceipts]
    counts: dict[Stage, int]


class PlaySummary(BaseModel):
    """One call, as lists show it."""

    id: UUID
    announcement_id: UUID | None
    title: str
    created_at: datetime
    created_by: UUID | None
    zone_ids: list[UUID]
