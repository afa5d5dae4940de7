"""Clients, places, library, playback, and the fence around every tenant."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from sync2gear_platform.kit.db import SYSTEM_ROLE, TENANT_ROLE
from sync2gear_platform.migrations.fences import fence, sequence, system_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "folders",
    "imports",
    "locations",
    "media",
    "memberships",
    "outbox",
    "play_events",
    "programmes",
    "announcements",
    "facilities",
    "import_items",
    "programme_media",
    "tracks",
    "floors",
    "zones",
    "devices",
    "zone_playback",
    "device_presence",
    "play_logs",
)


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("outbox_mark_seq")))
    op.execute(sa.schema.CreateSequence(sa.Sequence("document_rev_seq")))
    op.create_table(
        "clients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("max_devices", sa.Integer(), nullable=False),
        sa.Column("max_storage_gb", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('active', 'suspended', 'cancelled')", name=op.f("ck_clients_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.Uuid(), nullable=True),
        sa.Column("generation_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("uq_users_email", "users", [sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(16), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_label", sa.String(320), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject_type", sa.String(32), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("trace", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_audit_entries_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(
        "ix_audit_entries_client_id", "audit_entries", ["client_id", "id"], unique=False
    )
    op.create_table(
        "folders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.String(2000), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("is_system", sa.Boolean(), nullable=False),
        sa.CheckConstraint("type IN ('music', 'announcement')", name=op.f("ck_folders_type")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_folders_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folders")),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_folders_client_id_id")),
    )
    op.create_index("ix_folders_client_name", "folders", ["client_id", "name"], unique=False)
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("folder_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("imported", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name=op.f("ck_imports_state")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_imports_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_imports_client_id_id")),
    )
    op.create_table(
        "locations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("address", sa.String(1000), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_locations_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locations")),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_locations_client_id_id")),
    )
    op.create_index("ix_locations_client_name", "locations", ["client_id", "name"], unique=False)
    op.create_table(
        "media",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("frames", sa.BigInteger(), nullable=False),
        sa.Column("codec", sa.String(32), nullable=False),
        sa.Column("loudness", sa.Integer(), nullable=True),
        sa.Column("true_peak", sa.Integer(), nullable=True),
        sa.Column("gain", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("frames > 0 AND bytes > 0", name=op.f("ck_media_audible")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_media_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client_id", "sha256", name=op.f("pk_media")),
    )
    op.create_table(
        "memberships",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_memberships_client_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_memberships_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_memberships_client_id_id")),
        sa.UniqueConstraint("client_id", "user_id", name=op.f("uq_memberships_client_id_user_id")),
    )
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("topic", sa.String(300), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column(
            "mark",
            sa.BigInteger(),
            server_default=sa.text("nextval('outbox_mark_seq')"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_outbox_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_client_id"), "outbox", ["client_id"], unique=False)
    op.create_index(op.f("ix_outbox_mark"), "outbox", ["mark"], unique=False)
    op.create_table(
        "play_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("log", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_kind", sa.String(16), nullable=False),
        sa.Column("at_frame", sa.BigInteger(), nullable=False),
        sa.Column("planned_frame", sa.BigInteger(), nullable=False),
        sa.Column("frames", sa.BigInteger(), nullable=False),
        sa.Column("audible", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('started', 'finished', 'missed')", name=op.f("ck_play_events_kind")
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_play_events_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", "client_id", name=op.f("pk_play_events")),
        sa.UniqueConstraint(
            "device_id", "log", "seq", name=op.f("uq_play_events_device_id_log_seq")
        ),
    )
    op.create_index(
        "ix_play_events_client_received_at_id",
        "play_events",
        ["client_id", "received_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_play_events_client_zone_id_at_frame",
        "play_events",
        ["client_id", "zone_id", "at_frame"],
        unique=False,
    )
    op.create_table(
        "programmes",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_programmes_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client_id", "sha256", name=op.f("pk_programmes")),
    )
    op.create_table(
        "announcements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("is_tts", sa.Boolean(), nullable=False),
        sa.Column("text", sa.String(5000), nullable=False),
        sa.Column("voice", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("failure", sa.String(1000), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("duration_millis", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(state = 'ready') = (sha256 IS NOT NULL)",
            name=op.f("ck_announcements_ready_has_media"),
        ),
        sa.CheckConstraint(
            "state IN ('rendering', 'ready', 'failed')", name=op.f("ck_announcements_state")
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "sha256"],
            ["media.client_id", "media.sha256"],
            name=op.f("fk_announcements_client_id_sha256"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_announcements_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_announcements_client_id_id")),
    )
    op.create_index(
        "ix_announcements_client_created_at_id",
        "announcements",
        ["client_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "facilities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id", "location_id"],
            ["locations.client_id", "locations.id"],
            name=op.f("fk_facilities_client_id_location_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_facilities_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facilities")),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_facilities_client_id_id")),
        sa.UniqueConstraint(
            "client_id", "location_id", "id", name=op.f("uq_facilities_client_id_location_id_id")
        ),
    )
    op.create_table(
        "import_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("detail", sa.String(1000), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('imported', 'duplicate', 'rejected')", name=op.f("ck_import_items_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "import_id"],
            ["imports.client_id", "imports.id"],
            name=op.f("fk_import_items_client_id_import_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_import_items_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_items")),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_import_items_client_id_id")),
    )
    op.create_index(
        "ix_import_items_client_import_id_id",
        "import_items",
        ["client_id", "import_id", "id"],
        unique=False,
    )
    op.create_table(
        "programme_media",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("programme", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id", "programme"],
            ["programmes.client_id", "programmes.sha256"],
            name=op.f("fk_programme_media_client_id_programme"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "sha256"],
            ["media.client_id", "media.sha256"],
            name=op.f("fk_programme_media_client_id_sha256"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_programme_media_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "client_id", "programme", "sha256", name=op.f("pk_programme_media")
        ),
    )
    op.create_table(
        "tracks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("folder_id", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("artist", sa.String(255), nullable=False),
        sa.Column("album", sa.String(255), nullable=False),
        sa.Column("genre", sa.String(100), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("duration_millis", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id", "folder_id"],
            ["folders.client_id", "folders.id"],
            name=op.f("fk_tracks_client_id_folder_id"),
            ondelete="SET NULL (folder_id)",
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "sha256"],
            ["media.client_id", "media.sha256"],
            name=op.f("fk_tracks_client_id_sha256"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_tracks_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracks")),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_tracks_client_id_id")),
    )
    op.create_index(
        "ix_tracks_client_folder_id_position_id",
        "tracks",
        ["client_id", "folder_id", "position", "id"],
        unique=False,
    )
    op.create_index(
        "ix_tracks_client_title_id", "tracks", ["client_id", "title", "id"], unique=False
    )
    op.create_table(
        "floors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id", "location_id", "facility_id"],
            ["facilities.client_id", "facilities.location_id", "facilities.id"],
            name=op.f("fk_floors_client_id_location_id_facility_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "location_id"],
            ["locations.client_id", "locations.id"],
            name=op.f("fk_floors_client_id_location_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_floors_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_floors")),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_floors_client_id_id")),
        sa.UniqueConstraint(
            "client_id", "location_id", "id", name=op.f("uq_floors_client_id_location_id_id")
        ),
    )
    op.create_table(
        "zones",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("floor_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.String(2000), nullable=False),
        sa.Column("default_volume", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("default_volume BETWEEN 0 AND 100", name=op.f("ck_zones_volume")),
        sa.ForeignKeyConstraint(
            ["client_id", "location_id", "floor_id"],
            ["floors.client_id", "floors.location_id", "floors.id"],
            name=op.f("fk_zones_client_id_location_id_floor_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "location_id"],
            ["locations.client_id", "locations.id"],
            name=op.f("fk_zones_client_id_location_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_zones_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zones")),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_zones_client_id_id")),
    )
    op.create_index("ix_zones_client_name", "zones", ["client_id", "name"], unique=False)
    op.create_table(
        "devices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("device_type", sa.String(50), nullable=False),
        sa.Column("hardware_id", sa.String(255), nullable=False),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.Column("trim_millis", sa.Integer(), nullable=False),
        sa.Column("secret_hash", sa.String(255), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("config_epoch", sa.Integer(), nullable=False),
        sa.Column("config_rev", sa.Integer(), nullable=False),
        sa.CheckConstraint("volume BETWEEN 0 AND 100", name=op.f("ck_devices_volume")),
        sa.ForeignKeyConstraint(
            ["client_id", "zone_id"],
            ["zones.client_id", "zones.id"],
            name=op.f("fk_devices_client_id_zone_id"),
            ondelete="SET NULL (zone_id)",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_devices_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint(
            "client_id", "hardware_id", name=op.f("uq_devices_client_id_hardware_id")
        ),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_devices_client_id_id")),
    )
    op.create_index("ix_devices_client_zone_id", "devices", ["client_id", "zone_id"], unique=False)
    op.create_table(
        "zone_playback",
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("folder_id", sa.Uuid(), nullable=True),
        sa.Column("shuffle", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id", "folder_id"],
            ["folders.client_id", "folders.id"],
            name=op.f("fk_zone_playback_client_id_folder_id"),
            ondelete="SET NULL (folder_id)",
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "zone_id"],
            ["zones.client_id", "zones.id"],
            name=op.f("fk_zone_playback_client_id_zone_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_zone_playback_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("zone_id", name=op.f("pk_zone_playback")),
    )
    op.create_index(
        op.f("ix_zone_playback_client_id"), "zone_playback", ["client_id"], unique=False
    )
    op.create_table(
        "device_presence",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("boot", sa.Uuid(), nullable=True),
        sa.Column("sess", sa.Uuid(), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("firmware_version", sa.String(200), nullable=False),
        sa.Column("heartbeat", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("state", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id", "device_id"],
            ["devices.client_id", "devices.id"],
            name=op.f("fk_device_presence_client_id_device_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_device_presence_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_presence")),
    )
    op.create_index(
        op.f("ix_device_presence_client_id"), "device_presence", ["client_id"], unique=False
    )
    op.create_table(
        "play_logs",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("log", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("acked", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id", "device_id"],
            ["devices.client_id", "devices.id"],
            name=op.f("fk_play_logs_client_id_device_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_play_logs_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", "log", name=op.f("pk_play_logs")),
    )
    op.create_index(op.f("ix_play_logs_client_id"), "play_logs", ["client_id"], unique=False)

    op.execute("INSERT INTO installation (id, epoch) VALUES (1, 1)")
    fence("clients", column="id", verbs="SELECT")
    op.execute(f"GRANT INSERT, UPDATE, DELETE ON clients TO {SYSTEM_ROLE}")
    # Members of a client see each other; a person's own row is read and changed by the system door.
    system_only("users")
    system_only("installation", tenant_verbs="SELECT")
    fence("audit_entries", verbs="SELECT, INSERT")
    for table in TENANT_TABLES:
        fence(table)
    sequence("outbox_mark_seq")
    sequence("document_rev_seq")
    op.execute(f"GRANT USAGE ON SCHEMA public TO {TENANT_ROLE}, {SYSTEM_ROLE}")


def downgrade() -> None:
    op.drop_index(op.f("ix_play_logs_client_id"), table_name="play_logs")
    op.drop_table("play_logs")
    op.drop_index(op.f("ix_device_presence_client_id"), table_name="device_presence")
    op.drop_table("device_presence")
    op.drop_index(op.f("ix_zone_playback_client_id"), table_name="zone_playback")
    op.drop_table("zone_playback")
    op.drop_index("ix_devices_client_zone_id", table_name="devices")
    op.drop_table("devices")
    op.drop_index("ix_zones_client_name", table_name="zones")
    op.drop_table("zones")
    op.drop_table("floors")
    op.drop_index("ix_tracks_client_title_id", table_name="tracks")
    op.drop_index("ix_tracks_client_folder_id_position_id", table_name="tracks")
    op.drop_table("tracks")
    op.drop_table("programme_media")
    op.drop_index("ix_import_items_client_import_id_id", table_name="import_items")
    op.drop_table("import_items")
    op.drop_table("facilities")
    op.drop_index("ix_announcements_client_created_at_id", table_name="announcements")
    op.drop_table("announcements")
    op.drop_table("programmes")
    op.drop_index("ix_play_events_client_zone_id_at_frame", table_name="play_events")
    op.drop_index("ix_play_events_client_received_at_id", table_name="play_events")
    op.drop_table("play_events")
    op.drop_index(op.f("ix_outbox_mark"), table_name="outbox")
    op.drop_index(op.f("ix_outbox_client_id"), table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_memberships_user_id"), table_name="memberships")
    op.drop_table("memberships")
    op.drop_table("media")
    op.drop_index("ix_locations_client_name", table_name="locations")
    op.drop_table("locations")
    op.drop_table("imports")
    op.drop_index("ix_folders_client_name", table_name="folders")
    op.drop_table("folders")
    op.drop_index("ix_audit_entries_client_id", table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_index("uq_users_email", table_name="users")
    op.drop_table("users")
    op.drop_table("installation")
    op.drop_table("clients")
    op.execute(sa.schema.DropSequence(sa.Sequence("outbox_mark_seq")))
    op.execute(sa.schema.DropSequence(sa.Sequence("document_rev_seq")))
