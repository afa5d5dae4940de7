"""REST bodies of forecasts, explanations and dry runs."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sync2gear_platform.kit.clock import moment_of
from sync2gear_platform.playback.schemas import Target
from sync2gear_platform.schedules.conflicts import Conflict
from sync2gear_platform.schedules.dry_run import (
    MAX_CHANGES,
    MAX_LINES,
    MAX_ZONES,
    Change,
    Difference,
    Heard,
)
from sync2gear_platform.schedules.forecast import Cause, Explained, Forecast
from sync2gear_platform.schedules.ledger import BASE, FOREVER, HAND
from sync2gear_platform.schedules.schemas import ScheduleIn, SchedulePatch


class ChannelPlayIn(Target):
    """A channel to be played until then; left out, until the next block of what is scheduled."""

    channel_id: UUID
    until: AwareDatetime | None = None


class RivalOut(BaseModel):
    """A schedule that wanted the music too, and what it lost by."""

    schedule_id: UUID
    name: str
    lost_by: Literal["priority", "breadth", "weekly", "younger"]


class WhyOut(BaseModel):
    """What put something into a plan: a schedule, or people, instead of it or where none wants.

    ``version`` is that of the rules.
    """

    source: Literal["schedule", "base", "hand", "call", "emergency"]
    schedule_id: UUID | None = None
    name: str = ""
    rivals: list[RivalOut] = []
    version: int | None = None
    limited_by: Literal["max_per_hour", "min_gap", "group_gap", "quiet_hours"] | None = None

    @classmethod
    def of(cls, cause: Cause, start: int = 0, end: int = FOREVER) -> Self:
        """A cause as people read it, with the rivals of the frames [start, end)."""
        why = cause.why
        if why is None or why.schedule in {BASE.id, HAND.id}:
            return cls(source=cause.source)
        rivals = [
            RivalOut(schedule_id=schedule, name=name, lost_by=lost)
            for schedule, name, lost in why.between(start, end).rivals
            if schedule not in {BASE.id, HAND.id}
        ]
        return cls(
            source=cause.source,
            schedule_id=why.schedule,
            name=why.name,
            rivals=rivals,
            version=why.version,
        )

    @classmethod
    def explained(cls, explained: Explained) -> Self:
        """An explanation as people read it."""
        shown = cls.of(explained.cause)
        if explained.limited is not None:
            shown.limited_by = explained.limited.reason
        return shown


class PieceOut(BaseModel):
    """One uninterrupted stretch of one piece of audio; times are those of the venue's clock."""

    role: Literal["music", "event", "emergency"]
    item: str
    title: str
    artist: str
    sha256: str
    start: int
    end: int
    offset: int
    starts_at: datetime
    ends_at: datetime
    why: WhyOut | None


class UnheardOut(BaseModel):
    """A planned announcement that is not heard: by a limit, or for a reason of the moment."""

    item: str
    at: int
    starts_at: datetime
    name: str
    reason: str


class ForecastOut(BaseModel):
    """What a zone will sound in the frames [start, end); ``end`` earlier than asked: ask on."""

    zone_id: UUID
    timezone: str
    start: int
    end: int
    pieces: list[PieceOut]
    unheard: list[UnheardOut]

    @classmethod
    def of(cls, found: Forecast) -> "ForecastOut":
        """A forecast as people read it."""

        def local(frame: int) -> datetime:
            return moment_of(frame).astimezone(found.tz)

        why = {
            item: WhyOut.of(cause, found.start, found.end) for item, cause in found.causes.items()
        }
        unheard = [
            UnheardOut(
                item=one.id,
                at=one.start,
                starts_at=local(one.start),
                name=why[one.id].name if one.id in why else one.media.title,
                reason=one.reason,
            )
            for one in found.unheard
        ]
        unheard += [
            UnheardOut(
                item=one.id, at=one.at, starts_at=local(one.at), name=one.name, reason=one.reason
            )
            for one in found.limited
        ]
        return cls(
            zone_id=found.zone,
            timezone=str(found.tz),
            start=found.start,
            end=found.end,
            pieces=[
                PieceOut(
                    role=one.role,
                    item=one.item,
                    title=one.media.title,
                    artist=one.media.artist,
                    sha256=one.media.sha256,
                    start=one.start,
                    end=one.end,
                    offset=one.offset,
                    starts_at=local(one.start),
                    ends_at=local(one.end),
                    why=why.get(one.item),
                )
                for one in found.pieces
            ],
            unheard=sorted(unheard, key=lambda one: one.at),
        )


class ChangeIn(BaseModel):
    """A schedule to be made (``create``), changed, or removed (its id alone).

    ``create`` and ``change`` are the bodies of making and of changing a schedule.
    """

    model_config = ConfigDict(extra="forbid")

    create: ScheduleIn | None = None
    schedule_id: UUID | None = None
    change: SchedulePatch | None = None

    def meant(self) -> Change:
        """The change as a value."""
        return Change(
            self.schedule_id,
            None if self.create is None else self.create.values(),
            None if self.change is None else self.change.values(),
        )


class DryRunIn(BaseModel):
    """Changes that are not made, and where and when to listen; left out: a day, all their zones."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    changes: Annotated[list[ChangeIn], Field(min_length=1, max_length=MAX_CHANGES)]
    zone_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_ZONES)] | None = None
    from_: Annotated[AwareDatetime | None, Field(alias="from")] = None
    to: AwareDatetime | None = None


class HeardOut(BaseModel):
    """Music of a schedule, or one of its announcements, in frames [start, end)."""

    item: str
    kind: Literal["music", "announcement"]
    source: Literal["schedule", "base", "hand"]
    name: str
    start: int
    end: int
    starts_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, heard: Heard) -> "HeardOut":
        """What is heard, with its times (UTC)."""
        return cls(
            item=heard.item,
            kind=heard.kind,
            source=heard.source,
            name=heard.name,
            start=heard.start,
            end=heard.end,
            starts_at=moment_of(heard.start),
            ends_at=moment_of(heard.end),
        )


class DifferenceOut(BaseModel):
    """What would be heard otherwise; ``before`` is where it was."""

    effect: Literal["added", "moved", "dropped"]
    heard: HeardOut
    before: HeardOut | None = None


class ZoneDifferenceOut(BaseModel):
    """What would be heard otherwise in one zone, in order; ``truncated``: there is more."""

    zone_id: UUID
    differences: list[DifferenceOut]
    truncated: bool

    @classmethod
    def of(cls, zone: UUID, found: list[Difference]) -> "ZoneDifferenceOut":
        """The differences of a zone."""
        lines = [
            DifferenceOut(
                effect=one.effect,
                heard=HeardOut.of(one.heard),
                before=HeardOut.of(one.before) if one.before else None,
            )
            for one in found[:MAX_LINES]
        ]
        return cls(zone_id=zone, differences=lines, truncated=len(found) > MAX_LINES)


class MetOut(BaseModel):
    """One of two schedules that meet."""

    id: UUID
    name: str


class ConflictOut(BaseModel):
    """Two schedules that meet; ``winner`` is heard, the other loses by ``decided_by`` alone.

    ``starts_at`` and ``ends_at`` are of the first time, of ``times`` in one zone.
    """

    kind: Literal["music", "announcement"]
    winner: MetOut
    loser: MetOut
    decided_by: Literal["priority", "breadth", "weekly", "younger"]
    priority: int
    starts_at: datetime
    ends_at: datetime
    times: int
    zone_count: int
    zone_ids: list[UUID]

    @classmethod
    def of(cls, met: Conflict) -> "ConflictOut":
        """A conflict as people read it."""
        return cls(
            kind=met.kind,
            winner=MetOut(id=met.winner.id, name=met.winner.name),
            loser=MetOut(id=met.loser.id, name=met.loser.name),
            decided_by=met.decided_by,
            priority=met.winner.priority,
            starts_at=moment_of(met.start),
            ends_at=moment_of(met.end),
            times=met.times,
            zone_count=len(met.zones),
            zone_ids=sorted(met.zones)[:50],
        )


class DryRunOut(BaseModel):
    """What would be heard otherwise, zone by zone, and whom the changed schedules would meet.

    A schedule that would be made has an id of its own there, which is nobody's afterwards.
    """

    results: list[ZoneDifferenceOut]
    conflicts: list[ConflictOut]
