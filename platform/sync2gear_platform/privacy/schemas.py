"""REST bodies of archives and deletions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from sync2gear_platform.kit.fields import In
from sync2gear_platform.privacy.rules import State


class ExportOut(BaseModel):
    """An archive: ``ready`` until it expires, then it is gone."""

    id: UUID
    state: State
    bytes: int
    sha256: str
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime


class ExportsOut(BaseModel):
    """The latest archives, the newest first."""

    results: list[ExportOut]


class DeletionIn(In):
    """One's own password once more."""

    password: Annotated[SecretStr, Field(min_length=1, max_length=200)]


class DeletionOut(BaseModel):
    """What is to be deleted, and when; it can be taken back until then."""

    due_at: datetime
    requested_at: datetime
    final: bool


class DeletionStateOut(BaseModel):
    """The deletion that is to come, if any."""

    deletion: DeletionOut | None
