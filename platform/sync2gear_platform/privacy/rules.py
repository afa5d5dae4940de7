"""When a deletion is due, and what may still be taken back."""

from datetime import datetime, timedelta
from typing import Final, Literal

KEPT: Final = timedelta(days=7)
"""How long an archive can be fetched."""

STUCK: Final = timedelta(hours=12)
"""An archive that is still being written after this long never will be."""

State = Literal["running", "ready", "failed", "expired"]

PAGE: Final = "/data"
"""The dashboard's page of archives and deletions: a link of a mail carries no session, so that it
cannot be the file's own address."""


def state_of(state: str, created_at: datetime, expires_at: datetime, now: datetime) -> State:
    """How an archive stands now."""
    if state == "ready":
        return "ready" if now < expires_at else "expired"
    if state == "running":
        return "running" if now < created_at + STUCK else "failed"
    return "failed"


def is_final(due_at: datetime, purging_at: datetime | None, now: datetime) -> bool:
    """Whether a deletion can no longer be taken back."""
    return purging_at is not None or due_at <= now


def due_at(now: datetime, grace_days: int) -> datetime:
    """When what is asked for now is deleted."""
    return now + timedelta(days=grace_days)
