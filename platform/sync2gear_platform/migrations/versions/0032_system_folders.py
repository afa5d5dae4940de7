"""Every client has folders of the product: all music, and what came lately."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# A trigger, as the domain that makes clients lies below the library and knows no folders.
MAKE = """
CREATE FUNCTION system_folders_of(client uuid) RETURNS void LANGUAGE sql AS $$
  INSERT INTO folders (id, version, created_at, updated_at, client_id, name, description, type,
                       is_system, rules, "order", most)
  VALUES
    (gen_random_uuid(), 1, now(), now(), client, 'All music', 'Everything in the library.',
     'music', true, '{"all": [{"field": "duration", "op": "at_least", "value": 0}]}', 'title',
     NULL),
    (gen_random_uuid(), 1, now(), now(), client, 'Recently added', 'What came in the last 30 days.',
     'music', true, '{"all": [{"field": "added", "op": "within_days", "value": 30}]}',
     '-created_at', 500)
$$
"""
FOLLOW = """
CREATE FUNCTION system_folders_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM system_folders_of(NEW.id);
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute(MAKE)
    op.execute(FOLLOW)
    op.execute(
        "CREATE TRIGGER system_folders AFTER INSERT ON clients"
        " FOR EACH ROW EXECUTE FUNCTION system_folders_follow()"
    )
    op.execute("CREATE UNIQUE INDEX uq_folders_system ON folders (client_id, name) WHERE is_system")
    # The owner is fenced off like anybody; the fences come back in this transaction.
    for table in ("clients", "folders"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("SELECT system_folders_of(id) FROM clients")
    for table in ("clients", "folders"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("DROP TRIGGER system_folders ON clients")
    op.execute("DROP FUNCTION system_folders_follow()")
    op.execute("DROP FUNCTION system_folders_of(uuid)")
    op.drop_index("uq_folders_system", table_name="folders")
    op.execute("ALTER TABLE folders NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM folders WHERE is_system")
    op.execute("ALTER TABLE folders FORCE ROW LEVEL SECURITY")
