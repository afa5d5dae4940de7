"""REST bodies of the library."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sync2gear_platform.library.service import MAX_ORDERED

_LINE = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=_LINE)
]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255, pattern=_LINE)]
Text = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]


class In(BaseModel):
    """A body that somebody sends: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """A row as it is shown."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    created_at: datetime
    updated_at: datetime


class FolderIn(In):
    """A new folder."""

    name: Name
    description: Text = ""
    type: Literal["music", "announcement"] = "music"


class FolderPatch(In):
    """What may change of a folder."""

    name: Name = ""
    description: Text = ""


class FolderOut(Out):
    """A folder, with how many tracks it holds and how long they are together."""

    name: str
    description: str
    type: Literal["music", "announcement"]
    is_system: bool
    tracks: int = 0
    duration_millis: int = 0


class ReorderIn(In):
    """Every track of the folder, in the order wanted."""

    track_ids: Annotated[list[UUID], Field(max_length=MAX_ORDERED)]


class TrackPatch(In):
    """What may change of a track; another folder puts it at that folder's end."""

    folder_id: UUID | None = None
    title: Name = ""
    artist: Line = ""
    album: Line = ""
    genre: Annotated[Line, Field(max_length=100)] = ""
    year: Annotated[int, Field(strict=True, ge=1000, le=2999)] | None = None


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
    duration_millis: int
    position: int


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
