"""Proof of play: lines, what they add up to, and what speakers told that is lost."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from sync2gear_platform.migrations.fences import confine, fence

revision = "0070"
down_revision = "0057"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
INSIDE = "zone_id IN (SELECT z.id FROM zones z)"


def upgrade() -> None:
    """Tables of a new domain; old programs go on without them, and leave ``last_frame`` empty."""
    op.add_column("play_logs", sa.Column("last_frame", sa.BigInteger(), nullable=True))
    gaps()
    lines()
    sums()
    accounts()


def gaps() -> None:
    """What is lost of what speakers told."""
    _table(
        "play_gaps",
        ("client_id", "device_id", "log", "after"),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("log", sa.Uuid(), nullable=False),
        _number("after"),
        _number("until"),
        _number("from_frame"),
        _number("to_frame"),
        sa.Column("noticed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id", "device_id"],
            ["devices.client_id", "devices.id"],
            name=op.f("fk_play_gaps_client_id_device_id"),
            ondelete="CASCADE",
        ),
    )
    _index("play_gaps", "device_id", "to_frame")
    confine("play_gaps", "device_id IN (SELECT d.id FROM devices d)")


def lines() -> None:
    """What was planned and heard."""
    _table(
        "proof_lines",
        ("client_id", "id"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(_number(name) for name in ("begins", "ends", "frames")),
        *(_word(name, 16) for name in ("kind", "manner", "source")),
        *(_word(name, 64) for name in ("item", "sha256", "subject")),
        sa.Column("schedule_id", sa.Uuid(), nullable=True),
        sa.Column("announcement_id", sa.Uuid(), nullable=True),
        _word("why", 64),
        _word("silenced", 32),
        _word("outcome", 16),
        _word("reason", 64),
        sa.Column("began", sa.BigInteger(), nullable=True),
        _number("heard"),
        sa.Column("heard_by", sa.Integer(), nullable=False),
        sa.Column("speakers", ARRAY(sa.Uuid()), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('pending', 'played', 'late', 'missed', 'unknown')",
            name=op.f("ck_proof_lines_outcome"),
        ),
        sa.CheckConstraint(
            "manner IN ('planned', 'unplanned', 'stand_in')", name=op.f("ck_proof_lines_manner")
        ),
    )
    _index("proof_lines", "begins", "id")
    _index("proof_lines", "zone_id", "begins", "id")
    _index("proof_lines", "subject", "begins")
    _index("proof_lines", "day")
    op.create_index(
        "ix_proof_lines_client_pending",
        "proof_lines",
        ["client_id", "begins", "id"],
        postgresql_where=sa.text("outcome = 'pending'"),
    )
    confine("proof_lines", INSIDE)
    _table(
        "proof_works",
        ("client_id", "subject"),
        _word("subject", 64),
        _word("kind", 16),
        *(_word(name, 255) for name in ("title", "artist", "album")),
        _word("isrc", 12),
        _number("frames"),
        sa.Column("seen_on", sa.Date(), nullable=False),
    )
    _table(
        "proof_reasons",
        ("client_id", "digest"),
        _word("digest", 64),
        sa.Column("document", JSONB(), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
    )


def sums() -> None:
    """What lines add up to."""
    names = ("planned", "played", "late", "missed", "unknown", "pending", "heard")
    _table(
        "proof_days",
        ("client_id", "zone_id", "day", "kind"),
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        _word("kind", 16),
        *(_number(name) for name in names),
    )
    _index("proof_days", "day")
    _table(
        "proof_months",
        ("client_id", "zone_id", "month", "kind", "subject"),
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        _word("kind", 16),
        _word("subject", 64),
        *(_number(name) for name in names),
    )
    _index("proof_months", "month", "kind", "subject")
    for table in ("proof_days", "proof_months"):
        confine(table, INSIDE)


def accounts() -> None:
    """How far everything is, for how long it is kept, and a client's own reports."""
    _table(
        "proof_zones",
        ("client_id", "zone_id"),
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        _word("name", 255),
        _word("timezone", 64),
        _number("since_frame"),
        _number("until_frame"),
        _number("looked_frame"),
    )
    _index("proof_zones", "looked_frame")
    confine("proof_zones", INSIDE)
    _table(
        "proof_accounts",
        ("client_id",),
        sa.Column("keep_days", sa.Integer(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("seen_id", sa.Uuid(), nullable=False),
        _number("swept"),
        sa.Column("purged_before", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "keep_days BETWEEN 35 AND 3660", name=op.f("ck_proof_accounts_keep_days")
        ),
    )
    _table(
        "proof_templates",
        ("id",),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _word("name", 255),
        _word("grain", 16),
        sa.Column("columns", JSONB(), nullable=False),
        sa.CheckConstraint(
            "grain IN ('work', 'work_zone', 'play')", name=op.f("ck_proof_templates_grain")
        ),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_proof_templates_client_id_id")),
    )
    _index("proof_templates", "name", "id")


def _table(name: str, key: tuple[str, ...], *parts: Any) -> None:
    """A client's table, fenced."""
    op.create_table(
        name,
        sa.Column("client_id", sa.Uuid(), nullable=False),
        *parts,
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f(f"fk_{name}_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
    )
    fence(name)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _word(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_client_{'_'.join(columns)}", table, ["client_id", *columns])


def downgrade() -> None:
    for table in (
        "proof_templates", "proof_accounts", "proof_zones", "proof_months", "proof_days",
        "proof_reasons", "proof_works", "proof_lines", "play_gaps",
    ):  # fmt: skip
        op.drop_table(table)
    op.drop_column("play_logs", "last_frame")
