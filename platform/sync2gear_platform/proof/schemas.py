"""REST bodies of the proof of play."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from sync2gear_broker.units import FRAME_RATE, millis_from_frames
from sync2gear_platform.kit.clock import moment_of
from sync2gear_platform.kit.fields import In
from sync2gear_platform.proof import rules
from sync2gear_platform.proof.tables import FEWEST_DAYS, MOST_DAYS, ProofLine, ProofWork
from sync2gear_platform.schedules.plan_schemas import WhyOut

Kind = Literal["music", "announcement"]
Outcome = rules.Outcome
Manner = rules.Manner
Source = rules.Source
By = Literal["track", "announcement", "zone", "day"]


class LineOut(BaseModel):
    """One piece in one zone: when it was planned, and what became of it.

    ``title`` and the like are those it was last known by; ``zone_name`` too. ``late_millis`` is how
    much later than planned the first speaker was heard; ``heard_by`` of ``speakers`` were.
    """

    id: UUID
    zone_id: UUID
    zone_name: str
    day: date
    planned_at: datetime
    ends_at: datetime
    planned_millis: int
    kind: Kind
    manner: Manner
    source: Source
    item: str
    sha256: str
    title: str
    artist: str
    isrc: str
    schedule_id: UUID | None
    announcement_id: UUID | None
    outcome: Outcome
    reason: str
    began_at: datetime | None
    late_millis: int | None
    heard_millis: int
    heard_by: int
    speakers: int

    @classmethod
    def of(cls, line: ProofLine, work: ProofWork | None, zone_name: str | None) -> "LineOut":
        """A line as people read it."""
        late = None if line.began is None else (line.began - line.begins) * 1000 // FRAME_RATE
        return cls.model_validate(
            {
                **line.model_dump(exclude={"speakers"}),
                "zone_name": zone_name or "",
                "planned_at": moment_of(line.begins),
                "ends_at": moment_of(line.ends),
                "planned_millis": millis_from_frames(line.frames),
                "title": work.title if work else "",
                "artist": work.artist if work else "",
                "isrc": work.isrc if work else "",
                "began_at": None if line.began is None else moment_of(line.began),
                "late_millis": late,
                "heard_millis": millis_from_frames(line.heard),
                "speakers": len(line.speakers),
            }
        )


class SumOut(BaseModel):
    """What the lines of one track, announcement, zone or day add up to.

    ``played`` does not count those that were ``late``; ``zones`` are those that heard it.
    """

    subject: str
    title: str
    artist: str = ""
    isrc: str = ""
    planned: int
    played: int
    late: int
    missed: int
    unknown: int
    pending: int
    heard_millis: int
    zones: int


class SummaryOut(BaseModel):
    """Sums of the days from ``first_day`` to ``last_day``, both included, by the venues' clocks.

    The most played first; ``truncated``: there are more. ``total`` is of all.
    """

    by: By
    first_day: date
    last_day: date
    results: list[SumOut]
    total: SumOut
    truncated: bool


class NamedOut(BaseModel):
    """An announcement that a play was of; ``voice`` of ``provider`` spoke it, where one did."""

    id: UUID
    title: str
    voice: str = ""
    provider: str = ""


class ReasonOut(WhyOut):
    """Why something was heard, or was not.

    A schedule, what people chose, a call by hand (``play_id``, ``asked_by``, ``asked_at``), or an
    emergency. ``announcement`` is what was asked for, ``sound`` what was heard for it: a variant.
    ``outcome`` where the proof of play knows it.
    """

    zone_id: UUID | None = None
    item: str = ""
    play_id: UUID | None = None
    emergency_id: UUID | None = None
    asked_by: UUID | None = None
    asked_at: datetime | None = None
    announcement: NamedOut | None = None
    sound: NamedOut | None = None
    outcome: Outcome | None = None
    reason: str = ""


class SettingsOut(BaseModel):
    """For how many days lines are kept; sums of days and months are kept as long as the client."""

    keep_days: int


class SettingsIn(In):
    """A change of the settings."""

    keep_days: Annotated[int, Field(ge=FEWEST_DAYS, le=MOST_DAYS)]
