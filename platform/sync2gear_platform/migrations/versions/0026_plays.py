"""Plays with what became of them on every speaker, and what speakers fetch before it is needed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from sync2gear_platform.migrations.fences import confine, fence

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
CLIENT = ["client_id"]


def _client(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        CLIENT, ["clients.id"], name=op.f(f"fk_{table}_client_id"), ondelete="CASCADE"
    )


def _of(
    table: str, other: str, *columns: str, on: tuple[str, ...] = ("id",), ondelete: str = "CASCADE"
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [*CLIENT, *columns],
        [f"{other}.client_id", *(f"{other}.{c}" for c in on)],
        name=op.f(f"fk_{table}_client_id_{'_'.join(columns)}"),
        ondelete=ondelete,
    )


def upgrade() -> None:
    """Three tables of plays, one of lists."""
    op.create_table(
        "plays",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("announcement_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        _client("plays"),
        _of("plays", "announcements", "announcement_id", ondelete="SET NULL (announcement_id)"),
        sa.PrimaryKeyConstraint("client_id", "id", name=op.f("pk_plays")),
    )
    op.create_index("ix_plays_client_created_at_id", "plays", ["client_id", "created_at", "id"])
    op.create_index("ix_plays_client_announcement_id", "plays", ["client_id", "announcement_id"])
    op.create_table(
        "play_zones",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("play_id", sa.Uuid(), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("start_frame", sa.BigInteger(), nullable=False),
        sa.Column("frames", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_at", MOMENT, nullable=True),
        _client("play_zones"),
        _of("play_zones", "plays", "play_id"),
        _of("play_zones", "zones", "zone_id"),
        sa.PrimaryKeyConstraint("client_id", "play_id", "zone_id", name=op.f("pk_play_zones")),
    )
    op.create_index("ix_play_zones_client_zone_id", "play_zones", ["client_id", "zone_id"])
    op.create_table(
        "play_speakers",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("play_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("received_frame", sa.BigInteger(), nullable=True),
        sa.Column("cached_frame", sa.BigInteger(), nullable=True),
        _client("play_speakers"),
        _of("play_speakers", "play_zones", "play_id", "zone_id", on=("play_id", "zone_id")),
        _of("play_speakers", "devices", "device_id"),
        sa.PrimaryKeyConstraint("client_id", "play_id", "device_id", name=op.f("pk_play_speakers")),
    )
    op.create_index(
        "ix_play_speakers_client_device_id", "play_speakers", ["client_id", "device_id"]
    )
    op.create_table(
        "prefetch_lists",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _client("prefetch_lists"),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_prefetch_lists")),
    )
    for table in ("plays", "play_zones", "play_speakers", "prefetch_lists"):
        fence(table)
    inside = "zone_id IN (SELECT z.id FROM zones z)"
    confine("play_zones", inside)
    confine("play_speakers", inside)
    # Only what is read is confined: a play is written before the zones that make it visible.
    reach = "(SELECT nullif(current_setting('s2g.reach', true), ''))"
    op.execute(
        "ALTER POLICY tenant ON plays USING ("
        "client_id = nullif(current_setting('s2g.client_id', true), '')::uuid AND "
        f"({reach} IS NULL OR id IN (SELECT p.play_id FROM play_zones p)))"
    )


def downgrade() -> None:
    """Forget them."""
    for table in ("prefetch_lists", "play_speakers", "play_zones", "plays"):
        op.drop_table(table)
