"""Hearing the signals of other processes: one connection that listens, and says when it is lost."""

from collections.abc import AsyncIterator

import psycopg
from psycopg import sql

CHECK_SECONDS = 2.0
"""How long a listener hears nothing before it asks whether the database still stands."""

Connection = psycopg.AsyncConnection[tuple[object, ...]]


async def connect(url: str) -> Connection:
    """A connection of its own, which notices a silent peer; raises ``psycopg.OperationalError``."""
    return await psycopg.AsyncConnection.connect(
        url,
        autocommit=True,
        connect_timeout=5,
        application_name="sync2gear listener",
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=6000,
        options="-c statement_timeout=5000",
    )


async def listen(connection: Connection, *channels: str) -> None:
    """Begin to hear ``channels``; from here on :func:`signals` must be read."""
    for channel in channels:
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))


async def signals(connection: Connection) -> AsyncIterator[tuple[str, str]]:
    """``(channel, payload)`` for ever; raises ``psycopg.OperationalError`` when it is lost."""
    while True:
        async for notice in connection.notifies(timeout=CHECK_SECONDS):
            yield notice.channel, notice.payload
        await connection.execute("SELECT 1")
