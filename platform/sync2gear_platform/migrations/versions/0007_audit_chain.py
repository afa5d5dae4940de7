"""The audit trail becomes a chain: entries sealed at the commit, details that may be erased."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.kit.db import SYSTEM_ROLE, TENANT_ROLE
from sync2gear_platform.migrations.fences import fence

revision = "0007"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("audit_entries", "audit_details", "audit_seals", "audit_heads")

# Each runs as the schema's owner, and looks for nothing where a caller could put something.
DEFINER = "SECURITY DEFINER SET search_path = public, pg_temp"

# The text that is hashed. audit/rules.py has it a second time, which is what verification uses.
CANONICAL = """
CREATE FUNCTION audit_canonical(e audit_entries) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT json_build_array(
        e.id, e.client_id, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        e.actor_kind, e.actor_id, e.session_id, e.action, e.activity, e.operation,
        e.subject_type, e.subject_id, e.trace, e.digest)::text
$$
"""

HASH = """
CREATE FUNCTION audit_hash(first text, second text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT encode(sha256(convert_to(first || second, 'UTF8')), 'hex') $$
"""

# What an older program, which runs beside this schema for a while, writes into the old columns.
# A later release removes the columns and this.
OLD_BODY = """json_build_object('label', {0}.actor_label, 'address', '', 'agent', '',
    'before', {0}.before, 'after', {0}.after)::text"""
OLD_OPERATION = """CASE split_part({0}.action, '.', 2)
    WHEN 'create' THEN 'create' WHEN 'register' THEN 'create' WHEN 'delete' THEN 'delete'
    WHEN 'revoke' THEN 'delete' WHEN 'start' THEN 'start' WHEN 'play' THEN 'start'
    WHEN 'resume' THEN 'start' WHEN 'stop' THEN 'stop' WHEN 'pause' THEN 'stop'
    WHEN 'finish' THEN 'success' ELSE 'update' END"""
OLD_ACTIVITY = """CASE WHEN {0}.action LIKE 'import.%' THEN 'sync'
    WHEN split_part({0}.action, '.', 2) IN ('play', 'pause', 'resume', 'stop') THEN 'service'
    ELSE 'crud' END"""

# The chains of this transaction, so that a seal over several takes their heads in one order.
ENTER = f"""
CREATE FUNCTION audit_enter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    link text := coalesce(NEW.client_id, '00000000-0000-0000-0000-000000000000')::text;
    chains text := coalesce(current_setting('s2g.audit_chains', true), '');
    fresh audit_details;
BEGIN
    IF position(link IN chains) = 0 THEN
        PERFORM set_config('s2g.audit_chains', ltrim(chains || ' ' || link), true);
    END IF;
    IF NEW.digest IS NULL THEN
        fresh.salt := replace(gen_random_uuid()::text, '-', '');
        fresh.body := {OLD_BODY.format("NEW")};
        INSERT INTO audit_details (entry_id, client_id, salt, body)
            VALUES (NEW.id, NEW.client_id, fresh.salt, fresh.body);
        NEW.digest := audit_hash(fresh.salt, fresh.body);
        NEW.operation := {OLD_OPERATION.format("NEW")};
        NEW.activity := {OLD_ACTIVITY.format("NEW")};
        NEW.actor_label := NULL;
        NEW.before := NULL;
        NEW.after := NULL;
    END IF;
    RETURN NEW;
END $$
"""

# Runs at the commit, so that the lock on a chain's head is held only then and taken last.
SEAL = f"""
CREATE FUNCTION audit_seal() RETURNS trigger LANGUAGE plpgsql {DEFINER} AS $$
DECLARE
    link uuid := coalesce(NEW.client_id, '00000000-0000-0000-0000-000000000000');
    genesis text := repeat('0', 64);
    chains text[] := string_to_array(current_setting('s2g.audit_chains', true), ' ');
    kept audit_details;
    last audit_seals;
BEGIN
    SELECT * INTO kept FROM audit_details WHERE entry_id = NEW.id;
    IF NOT FOUND THEN
        IF NOT EXISTS (SELECT FROM audit_entries WHERE id = NEW.id) THEN
            RETURN NULL;  -- its whole chain was removed in this same transaction
        END IF;
        IF NOT EXISTS (
            SELECT FROM audit_entries e WHERE e.action = 'audit.erase' AND e.id <> NEW.id
            AND e.client_id IS NOT DISTINCT FROM NEW.client_id
            AND e.subject_id IN (NEW.id, NEW.actor_id, NEW.subject_id)
            AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id)
        ) THEN
            RAISE EXCEPTION 'audit entry % has no details', NEW.id;
        END IF;
    ELSIF kept.client_id IS DISTINCT FROM NEW.client_id
        OR audit_hash(kept.salt, kept.body) <> NEW.digest THEN
        RAISE EXCEPTION 'the details of audit entry % are not its own', NEW.id;
    END IF;
    IF cardinality(chains) > 1 THEN
        INSERT INTO audit_heads (chain, seq, hash)
            SELECT c::uuid, 0, genesis FROM unnest(chains) c ORDER BY c::uuid
            ON CONFLICT DO NOTHING;
        PERFORM FROM audit_heads WHERE chain = ANY (chains::uuid[]) ORDER BY chain
            FOR NO KEY UPDATE;
    END IF;
    PERFORM FROM audit_heads WHERE chain = link FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_heads (chain, seq, hash) VALUES (link, 0, genesis)
            ON CONFLICT DO NOTHING;
        PERFORM FROM audit_heads WHERE chain = link FOR NO KEY UPDATE;
    END IF;
    SELECT * INTO last FROM audit_seals WHERE chain = link ORDER BY seq DESC LIMIT 1;
    INSERT INTO audit_seals (chain, seq, entry_id, hash) VALUES (
        link, coalesce(last.seq, 0) + 1, NEW.id,
        audit_hash(coalesce(last.hash, genesis), audit_canonical(NEW)));
    RETURN NULL;
END $$
"""

# Runs after all entries of the transaction are sealed, so that a head is written once and not once
# for each of thousands: versions of one row that die within their transaction are walked through.
HEAD = f"""
CREATE FUNCTION audit_head() RETURNS trigger LANGUAGE plpgsql {DEFINER} AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM audit_heads WHERE chain = NEW.chain AND seq >= NEW.seq) THEN
        UPDATE audit_heads h SET seq = s.seq, hash = s.hash
            FROM (SELECT seq, hash FROM audit_seals WHERE chain = NEW.chain
                ORDER BY seq DESC LIMIT 1) s
            WHERE h.chain = NEW.chain;
    END IF;
    RETURN NULL;
END $$
"""

LATE = f"""
CREATE FUNCTION audit_late() RETURNS trigger LANGUAGE plpgsql {DEFINER} AS $$
BEGIN
    IF EXISTS (SELECT FROM audit_seals WHERE entry_id = NEW.entry_id) THEN
        RAISE EXCEPTION 'audit entry % is sealed', NEW.entry_id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""

# For everybody, the owner included. Only what an entry of this very trail says may go.
REFUSE = f"""
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql {DEFINER} AS $$
DECLARE
    permit uuid := nullif(current_setting('s2g.audit_permit', true), '');
    old_row jsonb;
    link uuid;
    said audit_entries;
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'audit_heads' THEN
        IF NEW.chain = OLD.chain AND NEW.seq > OLD.seq AND EXISTS (
            SELECT FROM audit_seals s
            WHERE s.chain = NEW.chain AND s.seq = NEW.seq AND s.hash = NEW.hash
        ) THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'DELETE' AND permit IS NOT NULL THEN
        old_row := to_jsonb(OLD);
        link := coalesce(old_row ->> 'chain', old_row ->> 'client_id');
        SELECT * INTO said FROM audit_entries WHERE id = permit;
        IF said.action = 'audit.remove' AND said.client_id IS NULL AND said.subject_id = link THEN
            RETURN OLD;
        END IF;
        IF said.action = 'audit.erase' AND TG_TABLE_NAME = 'audit_details'
            AND said.client_id IS NOT DISTINCT FROM link
            AND EXISTS (
                SELECT FROM audit_entries e WHERE e.id = (old_row ->> 'entry_id')::uuid
                AND e.id <> said.id AND said.subject_id IN (e.id, e.actor_id, e.subject_id)
            ) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit trail is insert-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$
"""

ERASE = f"""
CREATE FUNCTION audit_erase(erasure uuid) RETURNS bigint LANGUAGE plpgsql {DEFINER} AS $$
DECLARE
    said audit_entries;
    gone bigint;
BEGIN
    SELECT * INTO said FROM audit_entries e WHERE e.id = erasure AND e.action = 'audit.erase'
        AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an erasure needs an entry of its own, in the same transaction'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('s2g.audit_permit', erasure::text, true);
    DELETE FROM audit_details d USING audit_entries e
        WHERE e.id = d.entry_id AND e.id <> said.id
        AND (e.client_id = said.client_id OR (e.client_id IS NULL AND said.client_id IS NULL))
        AND said.subject_id IN (e.id, e.actor_id, e.subject_id);
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('s2g.audit_permit', '', true);
    RETURN gone;
END $$
"""

REMOVE = f"""
CREATE FUNCTION audit_remove(removal uuid) RETURNS void LANGUAGE plpgsql {DEFINER} AS $$
DECLARE
    gone uuid;
BEGIN
    SELECT e.subject_id INTO gone FROM audit_entries e
        WHERE e.id = removal AND e.action = 'audit.remove' AND e.client_id IS NULL
        AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id);
    IF gone IS NULL THEN
        RAISE EXCEPTION 'a removal needs an entry of its own, in the same transaction'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('s2g.audit_permit', removal::text, true);
    DELETE FROM audit_seals WHERE chain = gone;
    DELETE FROM audit_details WHERE client_id = gone;
    DELETE FROM audit_entries WHERE client_id = gone;
    DELETE FROM audit_heads WHERE chain = gone;
    PERFORM set_config('s2g.audit_permit', '', true);
END $$
"""

FUNCTIONS = (CANONICAL, HASH, ENTER, SEAL, HEAD, LATE, REFUSE, ERASE, REMOVE)


def upgrade() -> None:
    """Make the chains, move what was written before into them, and close the door."""
    _widen()
    _create()
    for function in FUNCTIONS:
        op.execute(function)
    _move()
    _guard()


def _widen() -> None:
    """New columns; the old ones stay for the programs of the release before."""
    op.execute("ALTER TABLE audit_entries NO FORCE ROW LEVEL SECURITY")
    op.alter_column("audit_entries", "client_id", nullable=True)
    for name in ("actor_label", "before", "after"):
        op.alter_column("audit_entries", name, nullable=True)
    op.add_column("audit_entries", sa.Column("session_id", sa.Uuid()))
    op.add_column("audit_entries", sa.Column("activity", sa.String(16)))
    op.add_column("audit_entries", sa.Column("operation", sa.String(16)))
    op.add_column("audit_entries", sa.Column("digest", sa.String(64)))
    # A client's chain goes by audit_remove, which says so, and not as a side effect.
    # The constraint's first check reads clients as the owner, who sees none behind the fence.
    op.execute("ALTER TABLE clients NO FORCE ROW LEVEL SECURITY")
    op.drop_constraint("fk_audit_entries_client_id", "audit_entries", type_="foreignkey")
    op.create_foreign_key(
        "fk_audit_entries_client_id", "audit_entries", "clients", ["client_id"], ["id"]
    )
    op.execute("ALTER TABLE clients FORCE ROW LEVEL SECURITY")


def _create() -> None:
    op.create_table(
        "audit_details",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_details")),
        # Entry and details come in any order within their transaction.
        sa.ForeignKeyConstraint(
            ["entry_id"], ["audit_entries.id"], name=op.f("fk_audit_details_entry_id"),
            deferrable=True, initially="DEFERRED",
        ),
    )  # fmt: skip
    op.create_table(
        "audit_seals",
        sa.Column("chain", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("chain", "seq", name=op.f("pk_audit_seals")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["audit_entries.id"], name=op.f("fk_audit_seals_entry_id")
        ),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_seals_entry_id")),
    )
    op.create_table(
        "audit_heads",
        sa.Column("chain", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_heads")),
    )
    # A head is written at each commit of its client: room to do that within its page.
    op.execute("ALTER TABLE audit_heads SET (fillfactor = 20)")
    for columns in (["at", "id"], ["actor_id", "at", "id"], ["subject_id", "at", "id"],
                    ["action", "at", "id"]):  # fmt: skip
        name = "ix_audit_entries_client_" + "_".join(columns)
        op.create_index(name, "audit_entries", ["client_id", *columns])
    op.create_index("ix_audit_entries_at_id", "audit_entries", ["at", "id"])
    op.create_index(
        "ix_audit_entries_erasures", "audit_entries", ["subject_id"],
        postgresql_where=sa.text("action = 'audit.erase'"),
    )  # fmt: skip
    op.create_index("ix_audit_details_client_entry_id", "audit_details", ["client_id", "entry_id"])


def _move() -> None:
    """Every old row gets details and a seal, in the order in which the rows were born."""
    op.execute(f"""
        INSERT INTO audit_details (entry_id, client_id, salt, body)
        SELECT e.id, e.client_id, replace(gen_random_uuid()::text, '-', ''), {OLD_BODY.format("e")}
        FROM audit_entries e
    """)
    op.execute(f"""
        UPDATE audit_entries e SET digest = audit_hash(d.salt, d.body),
            activity = {OLD_ACTIVITY.format("e")}, operation = {OLD_OPERATION.format("e")},
            actor_label = NULL, before = NULL, after = NULL
        FROM audit_details d WHERE d.entry_id = e.id
    """)
    op.execute("""
        DO $$
        DECLARE
            e audit_entries;
            link uuid;
            n bigint;
            h text;
        BEGIN
            FOR e IN SELECT * FROM audit_entries ORDER BY client_id, id LOOP
                IF link IS DISTINCT FROM e.client_id THEN
                    link := e.client_id;
                    n := 0;
                    h := repeat('0', 64);
                END IF;
                n := n + 1;
                h := audit_hash(h, audit_canonical(e));
                INSERT INTO audit_seals (chain, seq, entry_id, hash) VALUES (link, n, e.id, h);
            END LOOP;
        END $$
    """)
    op.execute("""
        INSERT INTO audit_heads (chain, seq, hash)
        SELECT DISTINCT ON (chain) chain, seq, hash FROM audit_seals ORDER BY chain, seq DESC
    """)
    # The foreign key's deferred checks of all these rows, before tables are altered again.
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _guard() -> None:
    for name in ("activity", "operation", "digest"):
        op.alter_column("audit_entries", name, nullable=False)
    op.create_check_constraint(
        "activity", "audit_entries",
        "activity IN ('crud', 'service', 'sync', 'config', 'discovery', 'alert')",
    )  # fmt: skip
    op.create_check_constraint(
        "operation", "audit_entries",
        "operation IN ('create', 'read', 'update', 'delete', 'start', 'stop', 'success',"
        " 'failure', 'warning')",
    )  # fmt: skip
    op.execute("ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY")
    fence("audit_details", verbs="SELECT, INSERT")
    fence("audit_seals", column="chain", verbs="SELECT")
    fence("audit_heads", column="chain", verbs="SELECT")
    for table in TABLES:
        # The functions above run as the owner, whom the fences would stop otherwise.
        op.execute(f"CREATE POLICY owner ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
        op.execute(
            f"CREATE TRIGGER {table}_refuse BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION audit_refuse()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuse_all BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
        )
    op.execute(
        "CREATE TRIGGER audit_entries_enter BEFORE INSERT ON audit_entries"
        " FOR EACH ROW EXECUTE FUNCTION audit_enter()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER audit_entries_seal AFTER INSERT ON audit_entries"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_seal()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER audit_seals_head AFTER INSERT ON audit_seals"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_head()"
    )
    op.execute(
        "CREATE TRIGGER audit_details_late BEFORE INSERT ON audit_details"
        " FOR EACH ROW EXECUTE FUNCTION audit_late()"
    )
    for function in ("audit_erase(uuid)", "audit_remove(uuid)"):
        op.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {SYSTEM_ROLE}")
    # The trigger of every writer reads with the writer's own rights.
    op.execute(f"GRANT EXECUTE ON FUNCTION audit_hash(text, text) TO {TENANT_ROLE}, {SYSTEM_ROLE}")


def downgrade() -> None:
    """A chain that can be taken apart would be none."""
    raise RuntimeError("the audit trail's chain is not removed: restore a backup instead")
