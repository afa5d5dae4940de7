"""Reading and changing one owned row: not found alike for foreign and unknown, ETag, If-Match."""

from datetime import datetime
from typing import Annotated, Any, Protocol, TypeVar
from uuid import UUID

from fastapi import Header, Response
from pydantic import BaseModel
from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import Owned
from sync2gear_platform.kit.errors import NotFound, Stale

Row = TypeVar("Row", bound=Owned)


class Versioned(Protocol):
    """A row whose ``version`` is its ETag."""

    version: int
    updated_at: datetime


IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=100)]
"""The version that a caller believes to change."""


async def find(ctx: Ctx, table: type[Row], row_id: UUID, *, lock: bool = False) -> Row:
    """The row of this client, or ``NotFound``, alike for an unknown id and a foreign one."""
    statement = select(table).where(col(table.id) == row_id, col(table.client_id) == ctx.client_id)
    if lock:
        # Read anew though it was read before: somebody may have changed it in between.
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = (await ctx.db.exec(statement)).one_or_none()
    if row is None:
        raise NotFound(f"There is no such {table.__name__.lower()} here.", code="not_found")
    return row


async def take_turns(ctx: Ctx, what: str, owner: UUID | None = None) -> None:
    """One at a time until the transaction ends, of those that do ``what`` for one owner.

    The owner is the client unless said. Before any row is locked: whoever has its turn may need
    that row. (An advisory lock: a tenant may not lock the client's own row.)
    """
    key = func.hashtextextended(f"{what} {owner or ctx.client_id}", 0)
    await ctx.db.execute(select(func.pg_advisory_xact_lock(key)))


def new(ctx: Ctx, table: type[Row], **values: Any) -> Row:
    """A new row of this client, added to the transaction."""
    row = table(client_id=ctx.client_id, created_at=ctx.now, updated_at=ctx.now, **values)
    ctx.db.add(row)
    return row


def change(ctx: Ctx, row: Versioned, values: dict[str, Any]) -> dict[str, Any]:
    """Set ``values`` on ``row`` and raise its version; returns what they were before."""
    before = {name: getattr(row, name) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    row.updated_at = ctx.now
    return before


def etag(row: Versioned) -> str:
    """The strong ETag of a row's version."""
    return f'"{row.version}"'


def match(row: Versioned, if_match: str | None) -> None:
    """Refuse (412) when the caller read another version than the one that stands."""
    if if_match is not None and if_match.strip() not in {"*", etag(row)}:
        raise Stale


def tagged(response: Response, row: Versioned) -> None:
    """Put the row's ETag on the answer."""
    response.headers["ETag"] = etag(row)


def given(body: BaseModel) -> dict[str, Any]:
    """The fields that a PATCH body really named, each as a whole: what is left out inside of one
    has its default, as where it is made.
    """
    whole = body.model_dump()
    return {name: whole[name] for name in body.model_fields_set}
