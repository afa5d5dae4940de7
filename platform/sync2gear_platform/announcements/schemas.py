"""REST bodies of announcements."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from sync2gear_platform.announcements.chiming import Manner
from sync2gear_platform.announcements.levels import MAX_OFFSET, MIN_OFFSET
from sync2gear_platform.announcements.playing import How, Where
from sync2gear_platform.announcements.ports import Kind, Prosody
from sync2gear_platform.announcements.service import Script
from sync2gear_platform.kit.fields import In
from sync2gear_platform.playback.rules import MAX_ZONES

_LINE = r"^[^\x00-\x1f\x7f]*$"
Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=_LINE)]
Voice = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.+-]{0,64}$")]
# Longer texts and empty ones are refused by the service, with a code of their own.
Text = Annotated[str, StringConstraints(max_length=1_000_000)]
Places = Annotated[list[UUID], Field(max_length=MAX_ZONES)]
Mode = Literal["pause", "duck"]
Priority = Annotated[int, Field(strict=True, ge=0, le=100)]


Language = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$", max_length=35)
]
"""A BCP 47 tag, such as ``en`` or ``de-AT``."""


class ProsodyIn(In):
    """How a text is spoken: rate in percent, pitch in semitones, volume in dB."""

    rate: Annotated[int, Field(strict=True, ge=50, le=200)] = 100
    pitch: Annotated[int, Field(strict=True, ge=-12, le=12)] = 0
    volume: Annotated[int, Field(strict=True, ge=-12, le=6)] = 0

    def value(self) -> Prosody:
        """As the booth takes it."""
        return Prosody(self.rate, self.pitch, self.volume)


class ScriptIn(In):
    """A text, or SSML; who speaks it how is by default as the client's settings say.

    ``voice`` is one of ``/announcements/voices/``; ``provider_id`` is asked first.
    """

    text: Text
    ssml: Annotated[bool, Field(strict=True)] = False
    voice: Voice = ""
    language: Language | Literal[""] = ""
    provider_id: UUID | None = None
    prosody: ProsodyIn | None = None

    def script(self) -> Script:
        """As use cases take it."""
        return Script(
            text=self.text,
            voice=self.voice,
            ssml=self.ssml,
            language=self.language,
            prosody=self.prosody.value() if self.prosody else None,
            provider_id=self.provider_id,
        )


class ChimeIn(In):
    """A chime: one of ours by ``name`` (``none`` for none), an announcement, or a track."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z-]{1,20}$")] | None = None
    announcement_id: UUID | None = None
    track_id: UUID | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len([v for v in (self.name, self.announcement_id, self.track_id) if v]) != 1:
            raise ValueError("say one of name, announcement_id and track_id")
        return self

    def document(self) -> dict[str, Any]:
        """As it is stored."""
        return self.model_dump(mode="json", exclude_none=True)


Offset = Annotated[int, Field(strict=True, ge=MIN_OFFSET, le=MAX_OFFSET)]
"""How much louder than usual, in hundredths of dB."""

Tag = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50, pattern=_LINE)
]


class MannerIn(In):
    """How something sounds; a chime that is null is the usual one."""

    chime_before: ChimeIn | None = None
    chime_after: ChimeIn | None = None
    volume_offset: Offset = 0

    def manner(self) -> Manner:
        """As use cases take it."""
        before = self.chime_before.document() if self.chime_before else None
        after = self.chime_after.document() if self.chime_after else None
        return Manner(before, after, self.volume_offset)


def documents(body: MannerIn) -> dict[str, Any]:
    """The fields that ``body`` really named, chimes as they are stored."""
    whole = body.model_dump()
    named = {name: whole[name] for name in body.model_fields_set}
    for name in ("chime_before", "chime_after"):
        if named.get(name) is not None:
            named[name] = getattr(body, name).document()
    return named


class ShelvedIn(MannerIn):
    """Where an announcement is kept, what it is found by, and whether speakers fetch it ahead."""

    title: Title = ""
    folder_id: UUID | None = None
    tags: Annotated[list[Tag], Field(max_length=20)] = []
    prefetch: Annotated[bool, Field(strict=True)] = True


class TtsIn(ScriptIn, ShelvedIn):
    """A text that becomes an announcement."""

    def values(self) -> dict[str, Any]:
        """What stands beside the text, as use cases take it."""
        return {n: v for n, v in documents(self).items() if n in ShelvedIn.model_fields}


class AnnouncementPatch(ShelvedIn):
    """What may change; another text or voice is rendered anew."""

    title: Annotated[Title, Field(min_length=1)] = ""
    text: Text = ""
    ssml: Annotated[bool, Field(strict=True)] = False
    voice: Voice = ""
    language: Language | Literal[""] = ""
    provider_id: UUID | None = None
    prosody: ProsodyIn | None = None

    def values_given(self) -> dict[str, Any]:
        """What was really named, as use cases take it."""
        named = documents(self)
        if self.prosody is not None and "prosody" in named:
            named["prosody"] = self.prosody.value()
        return named


class WhereIn(In):
    """Zones, and all zones of floors and locations that are within reach; each is meant once."""

    zone_ids: Places = []
    floor_ids: Places = []
    location_ids: Places = []

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not (self.zone_ids or self.floor_ids or self.location_ids):
            raise ValueError("say where: zone_ids, floor_ids or location_ids")
        return self

    def where(self) -> Where:
        """As use cases take it."""
        return Where(self.zone_ids, self.floor_ids, self.location_ids)


class PatienceIn(In):
    """How long it can still be taken back unheard, and how long it waits for others at most."""

    delay_millis: Annotated[int, Field(strict=True, ge=0, le=60_000)] = 0
    timeout_millis: Annotated[int, Field(strict=True, ge=0, le=3_600_000)] | None = None


class PlayInstantIn(WhereIn, MannerIn, PatienceIn):
    """Where an announcement sounds, and whether the music pauses or goes on softly meanwhile."""

    mode: Mode = "pause"
    priority: Priority = 50

    def how(self) -> How:
        """As use cases take it."""
        return How(self.mode, self.priority, self.manner(), self.delay_millis, self.timeout_millis)


class SayIn(ScriptIn, PlayInstantIn):
    """A text, and where it is said at once."""

    title: Title = ""


class ChimeOut(BaseModel):
    """A chime, by one of these."""

    name: str | None = None
    announcement_id: UUID | None = None
    track_id: UUID | None = None


class AnnouncementOut(BaseModel):
    """An announcement; people hear it at ``/announcements/{id}/audio/``.

    ``voice`` was asked for (empty: the client's default); ``spoken_voice`` of ``spoken_provider``
    is the one that is heard. A long text is ``rendering`` until a worker has had it spoken; what
    ``failed`` says why and can be tried again.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    is_tts: bool
    text: str
    ssml: bool
    voice: str
    language: str
    provider_id: UUID | None
    prosody: dict[str, int] | None
    spoken_provider: str
    spoken_voice: str
    state: Literal["rendering", "ready", "failed"]
    failure: str
    failure_code: str
    sha256: str | None
    duration_millis: int
    folder_id: UUID | None
    is_recording: bool
    tags: list[str]
    prefetch: bool
    volume_offset: int
    chime_before: ChimeOut | None
    chime_after: ChimeOut | None
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
    play_id: UUID


class PlaysOut(BaseModel):
    """What was asked to sound, and where and when it does.

    What becomes of it is read at ``/plays/{play_id}/``.
    """

    announcement: AnnouncementOut
    plays: list[PlayOut]


class VoiceOut(BaseModel):
    """A voice, and the provider that has it."""

    id: str
    language: str
    name: str
    provider_id: UUID
    provider: str
    kind: Kind


class VoicesOut(BaseModel):
    """Every voice, and the names of providers that do not answer now."""

    results: list[VoiceOut]
    silent: list[str] = []
