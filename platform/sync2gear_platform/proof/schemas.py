"""REST bodies of the proof of play."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from sync2gear_broker.units import FRAME_RATE, millis_from_frames
from sync2gear_platform.kit.clock import moment_of
from sync2gear_platform.kit.fields import In, Name, Out
from sync2gear_platform.proof import reports, rules
from sync2gear_platform.proof.tables import FEWEST_DAYS, MOST_DAYS, ProofLine, ProofWork
from sync2gear_platform.schedules.plan_schemas import WhyOut

Kind = Literal["music", "announcement"]
Outcome = rules.Outcome
Manner = rules.Manner
Source = rules.Source
By = Literal["track", "announcement", "zone", "day"]


class ProofLineOut(BaseModel):
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
    def of(cls, line: ProofLine, work: ProofWork | None, zone_name: str | None) -> "ProofLineOut":
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


class ProofSumOut(BaseModel):
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


class ProofSummaryOut(BaseModel):
    """Sums of the days from ``first_day`` to ``last_day``, both included, by the venues' clocks.

    The most played first; ``truncated``: there are more. ``total`` is of all.
    """

    by: By
    first_day: date
    last_day: date
    results: list[ProofSumOut]
    total: ProofSumOut
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


class ProofSettingsOut(BaseModel):
    """For how many days lines are kept; sums of days and months are kept as long as the client."""

    keep_days: int


class ProofSettingsIn(In):
    """A change of the settings."""

    keep_days: Annotated[int, Field(ge=FEWEST_DAYS, le=MOST_DAYS)]


class ColumnIn(In):
    """A column of a report; ``blank`` is one that people fill in."""

    key: reports.Key
    heading: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f]*$")] = ""


Columns = Annotated[list[ColumnIn], Field(min_length=1, max_length=40)]


class ReportTemplateIn(In):
    """A report of one's own: a row for each work, each work in a zone, or each play."""

    name: Name
    grain: reports.Grain
    columns: Columns


class ReportTemplatePatch(In):
    """A change of a report; ``columns`` are set as a whole."""

    name: Name = ""
    grain: reports.Grain = "work"
    columns: Columns = []


class ColumnOut(BaseModel):
    """A column of a report."""

    key: str
    heading: str


class ReportTemplateOut(Out):
    """A report of one's own."""

    name: str
    grain: reports.Grain
    columns: list[ColumnOut]


class ReportOut(BaseModel):
    """A report of the product; ``name`` is what it is asked for by."""

    name: str
    title: str
    grain: reports.Grain
    columns: list[ColumnOut]

    @classmethod
    def of(cls, template: reports.Template) -> "ReportOut":
        """A template as people read it."""
        columns = [ColumnOut(key=c.key, heading=c.heading) for c in template.columns]
        return cls(name=template.name, title=template.title, grain=template.grain, columns=columns)


class ReportsOut(BaseModel):
    """The reports of the product, and by grain the columns that a row can fill."""

    results: list[ReportOut]
    columns: dict[reports.Grain, list[str]]
