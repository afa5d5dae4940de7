"""Row-level security: what a migration calls for every table it makes."""

from alembic import op

from sync2gear_platform.kit.db import SYSTEM_ROLE, TENANT_ROLE

_CURRENT = "nullif(current_setting('s2g.client_id', true), '')::uuid"
_REACH = "(SELECT nullif(current_setting('s2g.reach', true), ''))"


def fence(
    table: str,
    *,
    column: str = "client_id",
    verbs: str = "SELECT, INSERT, UPDATE, DELETE",
    tenant_verbs: str | None = None,
) -> None:
    """Let a tenant reach only its own rows of ``table`` with ``verbs``, and the system all rows.

    ``tenant_verbs`` where a tenant may do less than the system; empty: nothing.
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} TO {TENANT_ROLE} "
        f"USING ({column} = {_CURRENT}) WITH CHECK ({column} = {_CURRENT})"
    )
    op.execute(f"CREATE POLICY system ON {table} TO {SYSTEM_ROLE} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT {verbs} ON {table} TO {SYSTEM_ROLE}")
    if granted := verbs if tenant_verbs is None else tenant_verbs:
        op.execute(f"GRANT {granted} ON {table} TO {TENANT_ROLE}")


def confine(table: str, condition: str) -> None:
    """Let a tenant's touch that is confined to places reach only rows that meet ``condition``.

    ``{reach}`` in it stands for the array of places. A touch that is not confined sees all rows of
    its client. The settings are read once a statement, not once a row.
    """
    inside = condition.replace("{reach}", f"string_to_array({_REACH}, ',')::uuid[]")
    rule = f"client_id = {_CURRENT} AND ({_REACH} IS NULL OR {inside})"
    op.execute(f"ALTER POLICY tenant ON {table} USING ({rule}) WITH CHECK ({rule})")


def system_only(table: str, *, tenant_verbs: str = "") -> None:
    """Grant ``table``, which belongs to no client, to the system; to tenants only what is named."""
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {SYSTEM_ROLE}")
    if tenant_verbs:
        op.execute(f"GRANT {tenant_verbs} ON {table} TO {TENANT_ROLE}")


def sequence(name: str) -> None:
    """Let both roles draw from a sequence."""
    op.execute(f"GRANT USAGE ON SEQUENCE {name} TO {TENANT_ROLE}, {SYSTEM_ROLE}")
