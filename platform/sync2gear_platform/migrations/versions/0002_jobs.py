"""The job queue's own schema, from the installed procrastinate."""

from typing import LiteralString

import psycopg
from alembic import op
from procrastinate import PsycopgConnector
from procrastinate.schema import SchemaManager

from sync2gear_platform.kit.db import SYSTEM_ROLE, TENANT_ROLE

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create procrastinate's tables and functions and let both roles and the login use them."""
    raw = op.get_bind().connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError("the job queue's schema needs psycopg")
    raw.execute(SchemaManager(connector=PsycopgConnector()).get_schema())
    tables = _one(
        raw,
        "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
        " WHERE schemaname = current_schema() AND tablename LIKE 'procrastinate%'",
    )
    sequences = _one(
        raw,
        "SELECT string_agg(quote_ident(sequencename), ', ') FROM pg_sequences"
        " WHERE schemaname = current_schema() AND sequencename LIKE 'procrastinate%'",
    )
    for role in (TENANT_ROLE, SYSTEM_ROLE):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {role}")
        op.execute(f"GRANT USAGE ON SEQUENCE {sequences} TO {role}")


def downgrade() -> None:
    """Jobs that wait would be lost: there is no way back."""
    raise RuntimeError("the job queue's schema is not removed: restore a backup instead")


def _one(raw: "psycopg.Connection[tuple[str]]", query: LiteralString) -> str:
    row = raw.execute(query).fetchone()
    return row[0] if row else ""
