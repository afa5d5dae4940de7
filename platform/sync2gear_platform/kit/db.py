"""The two doors to the database: as one tenant, or as the system. Without a door nothing opens.

The login role owns nothing and inherits nothing; every transaction takes on one of two roles.
``sync2gear_tenant`` sees the rows of one client through row-level security, ``sync2gear_system``
sees all of them and is for what spans clients: signing in, ingest, relay, housekeeping.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKeyConstraint, Index, MetaData, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.ext.asyncio import AsyncSession as PlainSession
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession as ModelSession

from sync2gear_platform.kit.ids import uuid7
from sync2gear_platform.kit.vault import Vault

TENANT_ROLE = "sync2gear_tenant"
SYSTEM_ROLE = "sync2gear_system"

SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


class AsyncSession(ModelSession):
    """SQLModel's session; ``exec`` for models, ``execute`` (SQLAlchemy's own) for anything else."""

    execute = PlainSession.execute


def driver_url(url: str) -> str:
    """``url`` for SQLAlchemy's psycopg 3 driver."""
    return (
        make_url(url)
        .set(drivername="postgresql+psycopg")
        .render_as_string(
            hide_password=False,
        )
    )


class Database:
    """A pool of connections and the two doors, and the vault for what lies sealed behind them."""

    def __init__(self, url: str, *, pool_size: int = 10, vault: Vault | None = None) -> None:
        self.url = url
        self.vault = vault
        self.engine: AsyncEngine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=10,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": 5,
                "options": "-c statement_timeout=15000 -c idle_in_transaction_session_timeout=60000"
                " -c timezone=UTC",
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 20000,
            },
        )

    async def close(self) -> None:
        """Give every connection back."""
        await self.engine.dispose()

    def session(self) -> AsyncSession:
        """A session that has not begun; it knows the vault (``Ctx.vault``)."""
        return AsyncSession(self.engine, expire_on_commit=False, info={"vault": self.vault})

    @asynccontextmanager
    async def tenant(
        self, client_id: UUID, reach: Iterable[UUID] | None = None
    ) -> AsyncIterator[AsyncSession]:
        """One transaction as one client; committed at the end, rolled back on any exception."""
        async with self._begin() as session:
            await enter_tenant(session, client_id, reach)
            yield session

    @asynccontextmanager
    async def system(self) -> AsyncIterator[AsyncSession]:
        """One transaction over all clients; committed at the end."""
        async with self._begin() as session:
            await enter_system(session)
            yield session

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[AsyncSession]:
        async with self.session() as session, session.begin():
            yield session


async def enter_tenant(
    session: AsyncSession, client_id: UUID, reach: Iterable[UUID] | None = None
) -> None:
    """Make the rest of this transaction one client's, confined to the places of ``reach`` if any.

    What stands elsewhere does not exist then: row-level security leaves it out.
    """
    await session.connection()
    await session.execute(
        text(
            "SELECT set_config('role', :role, true), set_config('s2g.client_id', :id, true),"
            " set_config('s2g.reach', :reach, true)"
        ),
        {"role": TENANT_ROLE, "id": str(client_id), "reach": _reach(reach)},
    )


def _reach(places: Iterable[UUID] | None) -> str:
    """``s2g.reach``: empty for the whole client; the nil UUID, no place's, for none of it."""
    if places is None:
        return ""
    return ",".join(sorted(str(place) for place in places)) or str(UUID(int=0))


@asynccontextmanager
async def widened(session: AsyncSession) -> AsyncIterator[None]:
    """Within: the whole client, whatever the touch is confined to. For counting, as quotas do."""
    asked = text("SELECT coalesce(current_setting('s2g.reach', true), '')")
    setting = text("SELECT set_config('s2g.reach', :reach, true)")
    reach = (await session.execute(asked)).scalar_one()
    await session.execute(setting, {"reach": ""})
    yield
    await session.execute(setting, {"reach": reach})


async def enter_system(session: AsyncSession) -> None:
    """Make the rest of this transaction the system's, over all clients."""
    await session.execute(text("SELECT set_config('role', :role, true)"), {"role": SYSTEM_ROLE})


def moment(**kwargs: Any) -> Any:
    """A column that holds an aware UTC datetime."""
    return Field(sa_type=DateTime(timezone=True), **kwargs)


def document(**kwargs: Any) -> Any:
    """A column that holds a JSON document."""
    return Field(sa_type=JSONB, **kwargs)


def sealed(**kwargs: Any) -> Any:
    """A column of text that ``ctx.vault`` has sealed; its mark is how rotation finds it."""
    return Field(sa_type=Text, sa_column_kwargs={"info": {"sealed": True}}, **kwargs)


class Owned(SQLModel):
    """The columns of every row that belongs to a client. ``version`` is its ETag."""

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    client_id: UUID = Field(foreign_key="clients.id", ondelete="CASCADE")
    version: int = Field(default=1)
    created_at: datetime = moment()
    updated_at: datetime = moment()


def owned(*more: Any) -> tuple[Any, ...]:
    """``__table_args__`` of an :class:`Owned` table: what composite foreign keys refer to."""
    return (UniqueConstraint("client_id", "id"), *more)


def belongs_to(
    table: str, *columns: str, on: tuple[str, ...] = ("id",), ondelete: str = "CASCADE"
) -> ForeignKeyConstraint:
    """A composite foreign key that cannot leave the client: ``(client_id, *columns)``.

    With ``ondelete="SET NULL"`` only the columns named are cleared, never the client.
    """
    action = f"SET NULL ({', '.join(columns)})" if ondelete == "SET NULL" else ondelete
    return ForeignKeyConstraint(
        ["client_id", *columns],
        [f"{table}.client_id", *(f"{table}.{c}" for c in on)],
        ondelete=action,
    )


def by_client(table: str, *columns: Any) -> Index:
    """An index that begins with the client, for lists in the order of ``columns``."""
    name = "_".join(str(getattr(c, "name", c)) for c in columns)
    return Index(f"ix_{table}_client_{name}", "client_id", *columns)
