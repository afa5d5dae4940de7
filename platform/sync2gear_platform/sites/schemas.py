"""REST bodies of places."""

from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from sync2gear_broker.units import Percent

ZONES = frozenset(available_timezones())

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]*$"
    ),
]
Text = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]


def _known(name: str) -> str:
    if name not in ZONES:
        raise ValueError("not a time zone of the IANA database, such as Europe/Berlin")
    return name


TimeZone = Annotated[str, AfterValidator(_known)]


class In(BaseModel):
    """A body that somebody sends: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """A row as it is shown."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    created_at: datetime
    updated_at: datetime


class LocationIn(In):
    """A new location."""

    name: Name
    address: Annotated[Text, Field(max_length=1000)] = ""
    timezone: TimeZone = "UTC"


class LocationPatch(In):
    """What may change of a location."""

    name: Name = ""
    address: Annotated[Text, Field(max_length=1000)] = ""
    timezone: TimeZone = "UTC"


class LocationOut(Out):
    """A location."""

    name: str
    address: str
    timezone: str


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
    """A new zone; without a location it is its floor's, or the client's first one."""

    name: Name
    description: Text = ""
    default_volume: Percent = 70
    is_active: bool = True
    location_id: UUID | None = None
    floor_id: UUID | None = None


class ZonePatch(In):
    """What may change of a zone."""

    name: Name = ""
    description: Text = ""
    default_volume: Percent = 70
    is_active: bool = True
    floor_id: UUID | None = None


class ZoneOut(Out):
    """A zone."""

    name: str
    description: str
    default_volume: int
    is_active: bool
    location_id: UUID
    floor_id: UUID | None
