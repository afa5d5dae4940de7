"""REST bodies of mail: what became of it, never what it says."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class MailOut(BaseModel):
    """One letter. ``reason``: why it was not taken the last time; ``dead`` is not tried again."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    client_id: UUID | None
    recipient: str
    template: str
    locale: str
    state: Literal["waiting", "sent", "kept", "dead"]
    attempts: int
    reason: str
    created_at: datetime
    ended_at: datetime | None
