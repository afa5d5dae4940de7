"""Every table of every domain, imported once so that the schema is whole."""

from sqlmodel import SQLModel

from sync2gear_platform.announcements import tables as announcements
from sync2gear_platform.audit import tables as audit
from sync2gear_platform.identity import tables as identity
from sync2gear_platform.kit import outbox, revisions
from sync2gear_platform.library import tables as library
from sync2gear_platform.playback import tables as playback
from sync2gear_platform.sites import tables as sites

__all__ = [
    "announcements",
    "audit",
    "identity",
    "library",
    "metadata",
    "outbox",
    "playback",
    "revisions",
    "sites",
]

metadata = SQLModel.metadata
