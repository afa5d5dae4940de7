"""REST bodies of the library."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    computed_field,
    model_validator,
)

from sync2gear_platform.kit.fields import In, Out
from sync2gear_platform.library import rules as library_rules
from sync2gear_platform.library.folders import MAX_ORDERED
from sync2gear_platform.library.smart import KEYS, Rules

_LINE = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=_LINE)
]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255, pattern=_LINE)]


def _isrc(given: str) -> str:
    if not given.strip():
        return ""
    if not (found := library_rules.isrc_of(given)):
        raise ValueError("not an ISRC, such as DE-A12-27-00001")
    return found


Isrc = Annotated[str, StringConstraints(max_length=20), AfterValidator(_isrc)]
"""The ISRC of a recording, with hyphens or without."""
Text = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]


Order = Annotated[str, StringConstraints(pattern=f"^-?({'|'.join(sorted(KEYS))})$")]
Most = Annotated[int, Field(strict=True, ge=1, le=10_000)]
Tag = Annotated[Line, Field(min_length=1, max_length=50)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


def _sorted(values: list[str]) -> list[str]:
    return sorted(set(values))


class FolderIn(In):
    """A new folder; with ``rules`` a smart one, whose tracks they choose.

    ``order`` and ``most`` (the most tracks it takes) are a smart folder's.
    """

    name: Name
    description: Text = ""
    type: Literal["music", "announcement"] = "music"
    parent_id: UUID | None = None
    rules: Rules | None = None
    order: Order = "title"
    most: Most | None = None


class FolderPatch(In):
    """What may change of a folder; another parent moves it, none puts it outermost."""

    name: Name = ""
    description: Text = ""
    parent_id: UUID | None = None
    rules: Rules | None = None
    order: Order = "title"
    most: Most | None = None


class SmartIn(In):
    """Rules to try."""

    rules: Rules
    order: Order = "title"
    most: Most | None = None


class FolderOut(Out):
    """A folder, with how many tracks it holds and how long they are together.

    Lists leave both out (null) of smart folders: read one to have its tracks counted.
    """

    name: str
    description: str
    type: Literal["music", "announcement"]
    is_system: bool
    cover_id: UUID | None = None
    parent_id: UUID | None
    created_by: UUID | None
    rules: Rules | None
    order: str
    most: int | None
    tracks: int | None = None
    duration_millis: int | None = None


class ReorderIn(In):
    """Every track of the folder, in the order wanted."""

    track_ids: Annotated[list[UUID], Field(max_length=MAX_ORDERED)]


class TrackPatch(In):
    """What may change of a track; another folder puts it at that folder's end.

    ``regions``: ISO 3166-1 countries in which it may be played, none: all. It may be played from
    ``valid_from`` until the end of ``valid_until``.
    """

    folder_id: UUID | None = None
    title: Name = ""
    artist: Line = ""
    album: Line = ""
    genre: Annotated[Line, Field(max_length=100)] = ""
    year: Annotated[int, Field(strict=True, ge=1000, le=2999)] | None = None
    isrc: Isrc = ""
    composer: Line = ""
    explicit: Annotated[bool, Field(strict=True)] = False
    tags: Annotated[list[Tag], Field(max_length=50), AfterValidator(_sorted)] = []
    licence: Line = ""
    regions: Annotated[list[Country], Field(max_length=250), AfterValidator(_sorted)] = []
    offline_allowed: Annotated[bool, Field(strict=True)] = True
    valid_from: date | None = None
    valid_until: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "TrackPatch":
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError("valid_until is before valid_from")
        return self


Chosen = Annotated[list[UUID], Field(min_length=1, max_length=1000)]


class BulkIn(In):
    """The same change of up to a thousand tracks: of all of them, or of none."""

    track_ids: Chosen
    changes: TrackPatch


class BulkDeleteIn(In):
    """Up to a thousand tracks to be removed; ``force``: although something uses them."""

    track_ids: Chosen
    force: bool = False


class BulkOut(BaseModel):
    """How many tracks that was."""

    tracks: int


class LineOut(BaseModel):
    """What became of one line of a playlist."""

    line: int
    name: str
    outcome: Literal["matched", "ambiguous", "missing"]
    track_id: UUID | None


class PlaylistOut(BaseModel):
    """A playlist as it was read: how many lines were found here, and each of them."""

    matched: int
    results: list[LineOut]


class TrackOut(Out):
    """A track; people hear it at ``/music/files/{id}/audio/``."""

    folder_id: UUID | None
    sha256: str
    filename: str
    title: str
    artist: str
    album: str
    genre: str
    year: int | None
    isrc: str
    composer: str
    duration_millis: int
    position: int
    cover_id: UUID | None
    explicit: bool
    tags: list[str]
    licence: str
    regions: list[str]
    offline_allowed: bool
    valid_from: date | None
    valid_until: date | None
    play_count: int
    last_played_at: datetime | None


class PeaksOut(BaseModel):
    """A waveform: how large the sound gets in each stretch of ``frames_per_peak``, 255 at most.

    ``lead`` and ``tail`` are silence at its ends; all lengths are frames of 48 kHz.
    """

    frames: int
    lead: int | None
    tail: int | None
    frames_per_peak: int
    peaks: list[int]


class UploadOut(Out):
    """A file on its way in, and what became of it.

    ``offset`` of ``size`` bytes are here; ``progress`` is of the work after that, in per cent. A
    failed one says why (``code``, ``detail``), and may be tried again while ``retryable``.
    ``duplicate_of`` names a track of the client that has the same content.
    """

    purpose: Literal["track", "announcement", "recording"]
    filename: str
    title: str
    folder_id: UUID | None
    size: int
    offset: int
    state: Literal["receiving", "uploaded", "processing", "ready", "failed"]
    progress: int
    code: str
    detail: str
    sha256: str | None
    track_id: UUID | None
    announcement_id: UUID | None
    duplicate_of: UUID | None
    expires_at: datetime
    reserved: Annotated[int, Field(exclude=True)]

    @computed_field  # type: ignore[prop-decorator]  # mypy has no word for a decorated property
    @property
    def retryable(self) -> bool:
        """Whether it may be tried again without being sent again."""
        return self.state == "failed" and self.reserved > 0 and self.offset == self.size


class ImportIn(In):
    """A folder that lies directly in the installation's import folder.

    ``name`` is the music folder that it is read into, by default one of the same name.
    """

    folder: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^/\x00]+$")]
    name: Line = ""


class ImportOut(Out):
    """An import: what was found and what became of it so far."""

    source: str
    folder_id: UUID | None
    state: Literal["running", "done", "failed"]
    found: int
    imported: int
    duplicates: int
    rejected: int
    finished_at: datetime | None


class ImportItemOut(BaseModel):
    """One file of an import; a refused one with a code and a reason."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    outcome: Literal["imported", "duplicate", "rejected"]
    code: str
    detail: str
    track_id: UUID | None


Kind = Literal["music", "other", "covers", "uploads"]


class StoredOut(BaseModel):
    """How many files of a kind, and their bytes."""

    files: int
    bytes: int


class StoredUsageOut(StoredOut):
    """What the client stores of its ``limit`` (bytes).

    ``kinds``: ``music`` is what tracks are of, ``other`` what is spoken or no track any more,
    ``uploads`` the room held for what is being sent.
    """

    limit: int
    kinds: dict[Kind, StoredOut]
