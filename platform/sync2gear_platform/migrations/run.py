"""``migrate``: makes the roles, brings the schema up to date, once at a time."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from sync2gear_platform.kit.db import SYSTEM_ROLE, TENANT_ROLE, driver_url

LOCK = 0x73_32_67_01
"""The advisory lock under which one process migrates while others wait."""


def migrate(admin_url: str, app_url: str) -> None:
    """Bring the database of ``admin_url`` to the newest revision and let ``app_url``'s user in.

    Safe to call from many processes at once. Raises ``psycopg.Error`` with PostgreSQL's own words
    where the admin role may not create roles and they do not exist yet.
    """
    engine = create_engine(driver_url(admin_url), connect_args={"connect_timeout": 10})
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
            connection.commit()
            try:
                raw = connection.connection.driver_connection
                if not isinstance(raw, psycopg.Connection):
                    raise TypeError("migrations need psycopg")
                _roles(raw, make_url(app_url))
                connection.commit()
                config = Config()
                config.set_main_option("script_location", str(Path(__file__).parent))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
            finally:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
                connection.commit()
    finally:
        engine.dispose()


def _roles(connection: "psycopg.Connection[tuple[object, ...]]", app: URL) -> None:
    """Make the two roles of kit.db and the login that may take them on, where missing."""
    login = app.username or ""
    for name in (TENANT_ROLE, SYSTEM_ROLE):
        if not _exists(connection, name):
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
    if not _exists(connection, login):
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT").format(sql.Identifier(login)))
        if app.password:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(login), sql.Literal(str(app.password))
                )
            )
    for name in (TENANT_ROLE, SYSTEM_ROLE):
        member = connection.execute(
            "SELECT pg_has_role(%s, %s, 'MEMBER')", (login, name)
        ).fetchone()
        if member != (True,):
            connection.execute(
                sql.SQL("GRANT {} TO {}").format(sql.Identifier(name), sql.Identifier(login))
            )


def _exists(connection: "psycopg.Connection[tuple[object, ...]]", role: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    return found is not None
