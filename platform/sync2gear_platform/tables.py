"""Every table of every domain, imported once so that the schema is whole."""

from sqlmodel import SQLModel

from sync2gear_platform.announcements import speech_tables
from sync2gear_platform.announcements import tables as announcements
from sync2gear_platform.audit import tables as audit
from sync2gear_platform.channels import tables as channels
from sync2gear_platform.emergencies import tables as emergencies
from sync2gear_platform.fleet import tables as fleet
from sync2gear_platform.identity import tables as identity
from sync2gear_platform.kit import idempotency, joint, outbox, revisions, setbacks, usage
from sync2gear_platform.library import tables as library
from sync2gear_platform.notifications import tables as notifications
from sync2gear_platform.playback import tables as playback
from sync2gear_platform.privacy import tables as privacy
from sync2gear_platform.proof import tables as proof
from sync2gear_platform.schedules import plan_tables
from sync2gear_platform.schedules import tables as schedules
from sync2gear_platform.sites import tables as sites
from sync2gear_platform.vaulting import tables as vaulting

__all__ = [
    "announcements",
    "audit",
    "channels",
    "emergencies",
    "fleet",
    "idempotency",
    "identity",
    "joint",
    "library",
    "metadata",
    "notifications",
    "outbox",
    "plan_tables",
    "playback",
    "privacy",
    "proof",
    "revisions",
    "schedules",
    "setbacks",
    "sites",
    "speech_tables",
    "usage",
    "vaulting",
]

metadata = SQLModel.metadata
