"""Alembic's entry: runs the revisions on the connection that it is given."""

from alembic import context

from sync2gear_platform.tables import metadata

connection = context.config.attributes["connection"]


def _ours(obj: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    """Leave procrastinate's tables, which its own schema file owns, out of comparisons."""
    return not (kind == "table" and (name or "").startswith("procrastinate"))


context.configure(
    connection=connection,
    target_metadata=metadata,
    include_object=_ours,
    transaction_per_migration=True,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
