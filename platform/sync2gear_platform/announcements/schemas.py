"""REST bodies of announcements."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sync2gear_platform.playback.rules import MAX_ZONES

Title = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Voice = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.+-]{0,64}$")]
# Longer texts and empty ones are refused by the service, with a code of their own.
Text = Annotated[str, StringConstraints(max_length=1_000_000)]
Zones = Annotated[list[UUID], Field(min_length=1, max_length=MAX_ZONES)]


class In(BaseModel):
    """A body that somebody sends: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid")


class TtsIn(In):
    """A text to be spoken by a voice (see ``/announcements/voices/``), by default English."""

    text: Text
    title: Title = ""
    voice: Voice = ""


class AnnouncementPatch(In):
    """What may change; another text or voice is rendered anew."""

    title: Annotated[Title, Field(min_length=1)] = ""
    text: Text = ""
    voice: Voice = ""


class PlayInstantIn(In):
    """Where an announcement sounds, and whether the music pauses or goes on softly meanwhile."""

    zone_ids: Zones
    mode: Literal["pause", "duck"] = "pause"
    priority: Annotated[int, Field(strict=True, ge=0, le=100)] = 50


class SayIn(TtsIn, PlayInstantIn):
    """A text, and where it is said at once."""


class AnnouncementOut(BaseModel):
    """An announcement; people hear it at ``/announcements/{id}/audio/``."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    is_tts: bool
    text: str
    voice: str
    state: Literal["rendering", "ready", "failed"]
    failure: str
    sha256: str | None
    duration_millis: int
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


class PlayOut(BaseModel):
    """One zone where it will sound: from zone frame ``start_frame``, which is ``starts_at``."""

    model_config = ConfigDict(from_attributes=True)

    zone_id: UUID
    event_id: str
    start_frame: int
    starts_at: datetime


class PlaysOut(BaseModel):
    """What was asked to sound, and where and when it does."""

    announcement: AnnouncementOut
    plays: list[PlayOut]


class VoiceOut(BaseModel):
    """A voice."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    language: str
    name: str


class VoicesOut(BaseModel):
    """Every voice."""

    results: list[VoiceOut]
