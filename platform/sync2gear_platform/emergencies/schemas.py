"""REST bodies of emergencies."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from sync2gear_platform.announcements.playing import Where
from sync2gear_platform.announcements.schemas import Places
from sync2gear_platform.emergencies.rules import Standing
from sync2gear_platform.kit.fields import In, Name, Out

Loud = Annotated[int, Field(strict=True, ge=1, le=100)]


class MessageIn(In):
    """A message to be raised with one press; ``volume`` goes above that of the zones."""

    name: Name
    announcement_id: UUID
    volume: Loud = 100


class MessagePatch(In):
    """What may change of a message."""

    name: Name = ""
    announcement_id: UUID = UUID(int=0)
    volume: Loud = 100


class MessageOut(Out):
    """A message."""

    version: int
    name: str
    announcement_id: UUID
    volume: int


class EmergencyIn(In):
    """Which message, and where: zones, floors, locations, or ``everywhere``.

    A ``drill`` is heard alike and recorded as one. ``minutes``: it ends by itself after so many.
    """

    message_id: UUID
    zone_ids: Places = []
    floor_ids: Places = []
    location_ids: Places = []
    everywhere: Annotated[bool, Field(strict=True)] = False
    drill: Annotated[bool, Field(strict=True)] = False
    minutes: Annotated[int, Field(strict=True, ge=1, le=1440)] | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.everywhere == bool(self.zone_ids or self.floor_ids or self.location_ids):
            raise ValueError("say where: zone_ids, floor_ids, location_ids, or only everywhere")
        return self

    def where(self) -> Where | None:
        """As use cases take it; ``None``: in all zones."""
        if self.everywhere:
            return None
        return Where(self.zone_ids, self.floor_ids, self.location_ids)


class EmergencyOut(Out):
    """An emergency; ``active`` until its all-clear or its end."""

    name: str
    message_id: UUID | None
    drill: bool
    volume: int
    zone_ids: list[UUID]
    active: bool
    raised_by: UUID | None
    ends_at: datetime | None
    cleared_at: datetime | None
    cleared_by: UUID | None


class EmergencySpeakerOut(BaseModel):
    """What one speaker reported of an emergency: how many rounds it began, the first and the
    last of what it said. ``unverified``: it knows no key for it and stays as it is; ``silent``:
    nothing was heard of it yet.
    """

    device_id: UUID
    name: str
    zone_id: UUID
    zone: str
    online: bool
    state: Standing
    reason: str
    rounds: int
    first_at: datetime | None
    last_at: datetime | None


class KeyOut(BaseModel):
    """A key by which devices know emergencies: Ed25519, 32 bytes in base64."""

    public_key: str
    created_at: datetime
