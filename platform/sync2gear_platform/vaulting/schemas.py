"""REST bodies of rotations."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class RotationOut(BaseModel):
    """How far a rotation is.

    ``incomplete``: ``remaining`` rows still lie under older keys, of which ``unreadable`` are
    opened by no key of ``S2G_VAULT_KEYS``; the others were held by somebody all the while.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    state: Literal["running", "done", "incomplete"]
    total: int
    resealed: int
    unreadable: int
    remaining: int
    created_at: datetime
    ended_at: datetime | None
