"""REST bodies of templates, pronunciations, variants, and how announcements usually sound."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from sync2gear_platform.announcements.playing import How, Played
from sync2gear_platform.announcements.rules import MAX_TEXT
from sync2gear_platform.announcements.schemas import (
    AnnouncementOut,
    ChimeOut,
    Language,
    MannerIn,
    Mode,
    PatienceIn,
    PlayOut,
    PlaysOut,
    Priority,
    Voice,
    WhereIn,
    documents,
)
from sync2gear_platform.announcements.ssml import IPA
from sync2gear_platform.announcements.templates import MAX_VALUE
from sync2gear_platform.kit.fields import In, Name, Out

Word = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
Said = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
Ipa = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=rf"^(?:{IPA.pattern})?$", max_length=200),
]
"""Phonemes as the International Phonetic Alphabet writes them."""

VariableName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Choice = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Value = Annotated[str, StringConstraints(max_length=MAX_VALUE)] | int | float
Values = Annotated[dict[VariableName, Value], Field(max_length=50)]


class TextIn(In):
    """A text in one language, with ``{{variables}}``; spoken by the client's voice or another."""

    language: Language
    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
    voice: Voice = ""


class VariableIn(In):
    """What a text may be filled with; ``choices`` for the type ``choice`` alone."""

    name: VariableName
    type: Literal["text", "number", "time", "choice"] = "text"
    required: bool = True
    default: Annotated[str, StringConstraints(max_length=MAX_VALUE)] = ""
    max_length: Annotated[int, Field(strict=True, ge=1, le=MAX_VALUE)] = 100
    choices: Annotated[list[Choice], Field(max_length=50)] = []


Texts = Annotated[list[TextIn], Field(min_length=1, max_length=10)]
Variables = Annotated[list[VariableIn], Field(max_length=20)]


class TemplateIn(MannerIn):
    """A new template. Texts are said in the order in which they stand here."""

    name: Name
    texts: Texts
    ssml: Annotated[bool, Field(strict=True)] = False
    variables: Variables = []
    mode: Mode = "pause"
    priority: Priority = 50

    def values(self) -> dict[str, Any]:
        """As use cases take it."""
        return {**self.model_dump(), **documents(self)}


class TemplatePatch(MannerIn):
    """What may change of a template."""

    name: Name = ""
    texts: Texts = []
    ssml: Annotated[bool, Field(strict=True)] = False
    variables: Variables = []
    mode: Mode = "pause"
    priority: Priority = 50

    def values(self) -> dict[str, Any]:
        """What was really named, as use cases take it."""
        return documents(self)


class TemplateOut(Out):
    """A template."""

    name: str
    texts: list[TextIn]
    ssml: bool
    variables: list[VariableIn]
    mode: Mode
    priority: int
    chime_before: ChimeOut | None
    chime_after: ChimeOut | None
    volume_offset: int


class FillIn(In):
    """What a template is filled with, and in which of its languages it is said; by default all."""

    variables: Values = {}
    languages: Annotated[list[Language], Field(max_length=10)] = []


class PreviewTemplateIn(FillIn):
    """What a template is filled with, and where it would be said."""

    location_id: UUID | None = None


class SayTemplateIn(FillIn, WhereIn, MannerIn, PatienceIn):
    """What a template is filled with, and where it is said; how is by default its own."""

    mode: Mode | None = None
    priority: Priority | None = None

    def how(self, mode: Mode, priority: int) -> How:
        """As use cases take it, with what the template says."""
        said = self.priority if self.priority is not None else priority
        return How(self.mode or mode, said, self.manner(), self.delay_millis, self.timeout_millis)


class FilledOut(BaseModel):
    """A text as it is written, and as it is given to a voice."""

    language: str
    voice: str
    text: str
    said: str


class PreviewOut(BaseModel):
    """A template, filled, in each language."""

    results: list[FilledOut]


class SaidOut(BaseModel):
    """What sounds where; places whose words are alike hear one announcement."""

    results: list[PlaysOut]


def plays_of(one: Played) -> PlaysOut:
    """What was asked to sound, as it is shown."""
    return PlaysOut(
        announcement=AnnouncementOut.model_validate(one.announcement),
        plays=[PlayOut.model_validate(play) for play in one.plays],
    )


class PronunciationIn(In):
    """How a word is said; without a language in every one. Case is minded where it says so.

    ``ipa`` is for voices that speak phonemes; the others say ``replacement``.
    """

    word: Word
    language: Language | Literal[""] = ""
    replacement: Said
    ipa: Ipa = ""
    match_case: Annotated[bool, Field(strict=True)] = False


class PronunciationPatch(In):
    """What may change of a pronunciation."""

    word: Word = ""
    language: Language | Literal[""] = ""
    replacement: Said = ""
    ipa: Ipa = ""
    match_case: Annotated[bool, Field(strict=True)] = False


class PronunciationOut(Out):
    """A word and how it is said."""

    word: str
    language: str
    replacement: str
    ipa: str
    match_case: bool


Minute = Annotated[int, Field(strict=True, ge=0, lt=24 * 60)]
Day = Annotated[int, Field(strict=True, ge=0, le=6)]


class VariantPatch(In):
    """When a variant is heard and how often, beside others: dates, days (Monday is 0), minutes.

    Dates and minutes are the location's. ``evergreen`` is heard where no other is valid.
    """

    weight: Annotated[int, Field(strict=True, ge=0, le=1000)] = 1
    starts_on: date | None = None
    ends_on: date | None = None
    days: Annotated[list[Day], Field(max_length=7)] = []
    from_minute: Minute | None = None
    to_minute: Minute | None = None
    evergreen: Annotated[bool, Field(strict=True)] = False


class VariantIn(VariantPatch):
    """An announcement that is one of the sounds of another one, the message."""

    sound_id: UUID


class VariantOut(Out):
    """One of the sounds of a message."""

    announcement_id: UUID
    sound_id: UUID
    weight: int
    starts_on: date | None
    ends_on: date | None
    days: list[int]
    from_minute: int | None
    to_minute: int | None
    evergreen: bool


class VariantsOut(BaseModel):
    """All sounds of a message but its own."""

    results: list[VariantOut]


class SoundDefaultsPatch(MannerIn):
    """How the client's announcements sound where nothing else is said."""


class SoundDefaultsOut(BaseModel):
    """How the client's announcements sound, and the names of chimes that are built in."""

    chime_before: ChimeOut | None
    chime_after: ChimeOut | None
    volume_offset: int
    chimes: list[str]
