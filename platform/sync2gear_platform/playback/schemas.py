"""REST bodies of playback."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from sync2gear_broker.messages.programme import MAX_CROSSFADE
from sync2gear_broker.units import Key, Percent, millis_from_frames
from sync2gear_platform.playback.rules import MAX_TRACKS, MAX_ZONES

DAY_MILLIS = 86_400_000


class Target(BaseModel):
    """Which zones: one by ``zone_id``, or several by ``zone_ids``.

    ``rev`` is the revision that the caller saw; another one is refused (409 ``rev_conflict``).
    """

    model_config = ConfigDict(extra="forbid")

    zone_id: UUID | None = None
    zone_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_ZONES)] | None = None
    rev: Annotated[int, Field(strict=True, ge=1)] | None = None

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if (self.zone_id is None) == (self.zone_ids is None):
            raise ValueError("name the zones by exactly one of zone_id and zone_ids")
        return self

    @property
    def zones(self) -> list[UUID]:
        """The zones, whichever way they were named."""
        return self.zone_ids if self.zone_ids is not None else [self.zone_id or UUID(int=0)]


class StopIn(Target):
    """Zones to be silent until then, or until somebody resumes."""

    until: AwareDatetime | None = None


class ShuffleIn(Target):
    """In which order the chosen music goes on: shuffled, or as it was given."""

    shuffle: bool


class PlayIn(Target):
    """What to play: a folder, or tracks in this order; neither resumes what was there.

    It lasts until ``until``; left out, until the next block of what is scheduled, or for good.
    """

    folder_id: UUID | None = None
    track_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_TRACKS)] | None = None
    shuffle: bool = False
    until: AwareDatetime | None = None
    crossfade_millis: Annotated[
        int, Field(strict=True, ge=0, le=millis_from_frames(MAX_CROSSFADE))
    ] = 0

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.folder_id is not None and self.track_ids is not None:
            raise ValueError("name the music by folder_id or by track_ids, not by both")
        return self


class SeekIn(Target):
    """A position in what is playing."""

    position_millis: Annotated[int, Field(strict=True, ge=0, le=DAY_MILLIS)]


class VolumeIn(Target):
    """A volume from 0 to 100; ``mute`` left out stays as it is."""

    volume: Percent
    mute: bool | None = None


class CancelIn(BaseModel):
    """An announcement that should not sound any more."""

    model_config = ConfigDict(extra="forbid")

    zone_id: UUID
    event_id: Key


class SegmentOut(BaseModel):
    """One uninterrupted stretch of one piece of audio, in frames of the zone clock.

    At ``start`` it is ``offset`` frames into its ``duration``. ``item`` is the block or event id.
    """

    role: Literal["music", "event", "emergency"]
    item: str
    title: str
    artist: str
    sha256: str
    kind: Literal["music", "announcement"]
    start: int
    end: int
    offset: int
    duration: int


class MusicOut(BaseModel):
    """Where the music stands at the view's ``frame``, also while it is paused."""

    item: str
    title: str
    artist: str
    sha256: str
    offset: int
    duration: int
    running: bool


class ChosenOut(BaseModel):
    """Music that people chose by hand: the block ``item`` is of a channel, a folder or tracks.

    ``name`` is what it is called now; empty for tracks, and where it is gone.
    """

    item: str
    kind: Literal["channel", "folder", "tracks"]
    id: UUID | None
    name: str


class SpeakersOut(BaseModel):
    """How many speakers the zone has, and how many are connected."""

    online: int
    total: int


class ZoneView(BaseModel):
    """A zone as a screen shows it: what sounds from ``frame`` to ``until``.

    ``chosen`` says of which blocks in ``music`` and ``segments`` people chose the music, ``drill``
    that the emergency is none: it is heard alike.
    """

    zone_id: UUID
    name: str
    epoch: int
    rev: int
    status: Literal["playing", "paused", "stopped", "idle"]
    volume: int
    mute: bool
    folder_id: UUID | None
    shuffle: bool
    frame: int
    until: int
    music: MusicOut | None
    segments: list[SegmentOut]
    chosen: list[ChosenOut]
    drill: bool
    speakers: SpeakersOut


class Views(BaseModel):
    """Zones after a command."""

    results: list[ZoneView]


class StateOut(Views):
    """Zones as they are at ``frame``."""

    frame: int


class QueueEntryOut(BaseModel):
    """An announcement that sounds, waits, or is to come. Frames of the zone clock: ``start`` as
    it was asked for, ``begins`` and ``ends`` as it will be, null while nothing lets it begin.
    """

    id: str
    title: str
    state: Literal["sounding", "waiting", "coming"]
    live: bool
    priority: int
    start: int
    begins: int | None
    ends: int | None


class QueueOut(BaseModel):
    """The announcements of one zone in the order in which they begin."""

    zone_id: UUID
    name: str
    entries: list[QueueEntryOut]


class QueuesOut(BaseModel):
    """Queues as they are at ``frame``."""

    frame: int
    results: list[QueueOut]


class PlayEventOut(BaseModel):
    """One line of the proof of play; frames are of the zone clock."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    device_id: UUID
    zone_id: UUID
    kind: Literal["started", "finished", "missed"]
    item: str
    sha256: str
    media_kind: str
    at_frame: int
    planned_frame: int
    frames: int
    audible: bool
    reason: str
    received_at: datetime


class ClientMessage(BaseModel):
    """What a browser says on the WebSocket."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["auth", "ping", "more", "watch", "unwatch", "command", "events"]
    token: Annotated[str, Field(max_length=4096)] = ""
    t: Annotated[float, Field(allow_inf_nan=False)] = 0
    zone_id: UUID | None = None
    play_id: UUID | None = None
    id: Annotated[str, Field(max_length=64)] = ""
    command: Annotated[str, Field(max_length=32)] = ""
    body: dict[str, Any] = {}
    on: bool = True
