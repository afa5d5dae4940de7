"""REST bodies of places."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from sync2gear_broker.units import Percent
from sync2gear_platform.kit.fields import In, Name, Out, Text, TimeZone

Country = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")]
Tag = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100,
                           pattern=r"^[^\x00-\x1f]*$")
]  # fmt: skip
Tags = Annotated[list[Tag], Field(max_length=20)]
Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Weekday = Annotated[int, Field(strict=True, ge=0, le=6)]


class QuietHours(In):
    """Hours in which nothing that is planned is announced; without ``music`` none plays either.

    By the venue's clock, ``23:00`` to ``06:00`` over midnight, equal times are a whole day.
    ``days_of_week`` (0 is Monday, none: all) are those on which they begin.
    """

    days_of_week: Annotated[list[Weekday], Field(max_length=7)] = []
    start_time: Clock
    end_time: Clock
    music: Annotated[bool, Field(strict=True)] = True


Quiet = Annotated[list[QuietHours], Field(max_length=20)]


class LocationIn(In):
    """A new location."""

    name: Name
    address: Annotated[Text, Field(max_length=1000)] = ""
    timezone: TimeZone = "UTC"
    country: Country = ""
    quiet_hours: Quiet = []


class LocationPatch(In):
    """What may change of a location."""

    name: Name = ""
    address: Annotated[Text, Field(max_length=1000)] = ""
    timezone: TimeZone = "UTC"
    country: Country = ""
    quiet_hours: Quiet = []


class LocationOut(Out):
    """A location."""

    name: str
    address: str
    timezone: str
    country: str
    quiet_hours: list[QuietHours]


class FacilityIn(In):
    """A new facility."""

    location_id: UUID
    name: Name


class FacilityPatch(In):
    """What may change of a facility."""

    name: Name = ""


class FacilityOut(Out):
    """A facility."""

    location_id: UUID
    name: str


class FloorIn(In):
    """A new floor; without a location it is the client's first one."""

    location_id: UUID | None = None
    facility_id: UUID | None = None
    name: Name
    level: Annotated[int, Field(strict=True, ge=-100, le=300)] = 0


class FloorPatch(In):
    """What may change of a floor."""

    facility_id: UUID | None = None
    name: Name = ""
    level: Annotated[int, Field(strict=True, ge=-100, le=300)] = 0


class FloorOut(Out):
    """A floor."""

    location_id: UUID
    facility_id: UUID | None
    name: str
    level: int


class ZoneIn(In):
    """A new zone; without a location it is its floor's, or the client's first one.

    Without ``quiet_hours`` (null) those of its location hold.
    """

    name: Name
    description: Text = ""
    default_volume: Percent = 70
    is_active: bool = True
    tags: Tags = []
    location_id: UUID | None = None
    floor_id: UUID | None = None
    quiet_hours: Quiet | None = None


class ZonePatch(In):
    """What may change of a zone."""

    name: Name = ""
    description: Text = ""
    default_volume: Percent = 70
    is_active: bool = True
    tags: Tags = []
    floor_id: UUID | None = None
    quiet_hours: Quiet | None = None


class ZoneOut(Out):
    """A zone."""

    name: str
    description: str
    default_volume: int
    is_active: bool
    tags: list[str]
    location_id: UUID
    floor_id: UUID | None
    quiet_hours: list[QuietHours] | None
