"""What is whose, read off the schema: rows of a client, traces of a person, secrets.

A table or a column that nobody has classified fails a test, not a person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table, and_, func, or_, select
from sqlmodel import SQLModel

INSTALLATION: Final = {
    "installation": "the broker's generation, the epoch of documents, our own address",
    "vault_rotations": "counts of rows",
    "audit_seals": "hashes of a chain; they go with it",
    "audit_heads": "hashes of a chain; they go with it",
    "provider_returns": "hashes of returns that were taken, for minutes",
    "recent_tries": "digests of addresses that tried to sign in, for a day",
}
"""Tables that are neither a client's nor a person's, with what they hold."""

PASSING: Final = {
    "outbox": "topics that wait to be published; those of what is gone are cleared",
    "zone_compiles": "zones that wait for their programme; they go with the zones",
    "setbacks": "work that could not be done and is tried again; ids and where it failed",
    "track_words": "words of tracks, for searching; they go with the tracks",
}
"""Tables with a client that are neither exported nor deleted: they empty themselves."""

BY_THE_TRAIL: Final = frozenset({"audit_entries", "audit_details"})
"""Deleted by the audit trail's own functions, which nothing else may do."""

SECRETS: Final = frozenset(
    {
        "password_hash", "secret_hash", "previous_hash", "token_hash", "code_hash", "salt",
        "fingerprint", "answer", "content", "wanted", "state_hash",
    }
)  # fmt: skip
"""Columns that nobody is given, besides those that the vault has sealed."""


@dataclass(frozen=True, slots=True)
class Person:
    """By what a person is found: its id, its address, and the name that tries are counted by."""

    id: UUID
    email: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """A column that names a person without the database knowing.

    ``by``: what of the person stands there. ``kept``: the row stays, and only the column is
    emptied; otherwise the row goes.
    """

    column: str
    by: str
    kept: bool = False


TRACES: Final[dict[str, tuple[Trace, ...]]] = {
    "users": (Trace("id", "id"),),
    "mails": (Trace("recipient", "email"),),
    "invitations": (Trace("email", "email"),),
    "tickets": (Trace("email", "email"),),
    "announcements": (Trace("created_by", "id", kept=True),),
    "uploads": (Trace("created_by", "id", kept=True),),
    "plays": (Trace("created_by", "id", kept=True),),
    "folders": (Trace("created_by", "id", kept=True),),
    "schedules": (Trace("created_by", "id", kept=True),),
    "emergencies": (
        Trace("raised_by", "id", kept=True),
        Trace("cleared_by", "id", kept=True),
    ),
    "kept_answers": (Trace("actor", "actor"),),
    "sign_in_attempts": (Trace("account", "account"),),
    "audit_entries": (Trace("actor_id", "id"), Trace("subject_id", "id")),
}
"""What the foreign keys to ``users`` do not say."""

THROUGH: Final = {
    "role_assignments": ("membership_id", "memberships"),
    "api_tokens": ("membership_id", "memberships"),
    "audit_details": ("entry_id", "audit_entries"),
}
"""Tables whose rows are a person's because they belong to a row that is."""

NOT_PERSONAL: Final = {
    "clients.email": "the business's; it goes with the client",
    "clients.name": "the business's",
    "clients.phone": "the business's",
    "locations.address": "a place",
    "api_usage.requests": "a count",
    "proof_lines.subject": "a piece of audio or an announcement",
    "proof_months.subject": "likewise",
    "proof_works.subject": "likewise",
    "setbacks.subject_id": "a client, a zone, an upload, an announcement or a deletion",
}
"""Columns that look personal and are not, beside names of a client's things."""

THINGS: Final = frozenset(
    {
        "ai_providers.name", "announcement_templates.name", "api_tokens.name", "calendars.name",
        "channels.name", "day_parts.name", "devices.name", "emergencies.name",
        "emergency_messages.name", "facilities.name", "floors.name",
        "folders.name", "import_items.name", "locations.name",
        "managed_objects.name", "mqtt_accounts.name",
        "priority_levels.name", "proof_templates.name", "proof_zones.name",
        "schedule_feeds.name", "schedules.name", "tracks.filename",
        "uploads.filename", "zones.name",
    }
)  # fmt: skip
"""Names of a client's things: exported and deleted with the client."""


def tables() -> Sequence[Table]:
    """Every table, those that others refer to first."""
    return SQLModel.metadata.sorted_tables


def named(name: str) -> Table:
    """One table by its name."""
    return SQLModel.metadata.tables[name]


def of_clients() -> list[Table]:
    """The tables whose rows belong to a client, in the order in which rows may be written."""
    found = [t for t in tables() if t.name not in PASSING]
    return [t for t in found if "client_id" in t.c or t.name == "clients"]


def owner_of(table: Table) -> Column[Any]:
    """The column that names the client."""
    return table.c.id if table.name == "clients" else table.c.client_id


def shown(table: Table) -> list[Column[Any]]:
    """The columns that an archive holds: all but secrets."""
    return [c for c in table.c if c.name not in SECRETS and not c.info.get("sealed")]


def references(table: Table) -> list[Column[Any]]:
    """The columns that refer to a person as the database knows."""
    return [c for c in table.c if any(k.column.table.name == "users" for k in c.foreign_keys)]


def is_personal(table: Table) -> bool:
    """Whether rows of ``table`` may be a person's."""
    return bool(references(table)) or table.name in TRACES or table.name in THROUGH


def of_person(table: Table, person: Person) -> ColumnElement[bool]:
    """Which rows of ``table`` are the person's."""
    found: list[ColumnElement[bool]] = [column == person.id for column in references(table)]
    found += [matches(table, trace, person) for trace in TRACES.get(table.name, ())]
    if table.name in THROUGH:
        column, parent = THROUGH[table.name]
        owner = named(parent)
        key = next(iter(owner.primary_key.columns))
        found.append(table.c[column].in_(select(key).where(of_person(owner, person))))
    return or_(*found)


def matches(table: Table, trace: Trace, person: Person) -> ColumnElement[bool]:
    """Which rows ``trace`` finds."""
    column = table.c[trace.column]
    if trace.by == "email":
        return and_(func.lower(column) == person.email.strip().lower())
    if trace.by == "actor":
        return and_(column == f"user {person.id}")
    return and_(column == (person.account if trace.by == "account" else person.id))


def listed(columns: Iterable[Column[Any]]) -> list[str]:
    """``table.column`` of each."""
    return [f"{c.table.name}.{c.name}" for c in columns]
