"""Lists: keyset pages ``{results, next, previous}``, ordering, search, counts on request."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, String, cast, func, literal, or_, select, tuple_
from sqlmodel import col

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal

MAX_PAGE = 200
T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page. ``next`` and ``previous`` are whole paths; ``count`` only with ``?count=true``."""

    results: list[T]
    next: str | None = None
    previous: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """What a caller asked of a list."""

    request: Request
    page_size: int
    ordering: str
    search: str
    cursor: str
    count: bool


def _window(
    request: Request,
    page_size: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    ordering: Annotated[str, Query(max_length=64)] = "",
    search: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[str, Query(max_length=2000)] = "",
    count: Annotated[bool, Query()] = False,
) -> Window:
    return Window(request, page_size, ordering, search, cursor, count)


Listing = Annotated[Window, Depends(_window)]
"""The parameters of a list route."""


class BadCursor(Refusal):
    """This cursor is not one of ours: begin again without it."""

    code = "bad_cursor"


class BadOrdering(Refusal):
    """This list cannot be ordered like that."""

    code = "bad_ordering"


@dataclass(frozen=True, slots=True)
class Index:
    """Where the rows of a list are found in one order without being read.

    ``statement`` selects once each, from another table, the ``tiebreak`` of the list's rows;
    ``key`` is what they are ordered by there.
    """

    statement: Any
    key: Any
    tiebreak: Any


async def page(
    ctx: Ctx,
    window: Window,
    statement: Select[Any],
    *,
    keys: Mapping[str, Any],
    default: str,
    tiebreak: Any,
    shape: Callable[[Any], T],
    search: tuple[Any, ...] | Callable[[str], ColumnElement[bool]] = (),
    late: bool = False,
    indexes: Mapping[str, Index] | None = None,
) -> Page[T]:
    """Run ``statement`` as one keyset page.

    ``keys`` maps the names that callers may order by (``-name`` for descending) to columns of the
    first selected entity; ``tiebreak`` makes the order total. ``search`` columns are matched case
    folded anywhere, or ``search`` says itself what a needle matches. The cursor holds the last
    row's key, so that pages stay right while rows come. ``late``, for a statement of one entity:
    find out which rows are on the page first, which an index may answer alone, then read those;
    in the order of a key that ``indexes`` has, there.
    """
    if window.search and not isinstance(search, tuple):
        statement = statement.where(search(window.search))
    elif window.search and isinstance(search, tuple):
        needle = f"%{_escape(window.search)}%"
        statement = statement.where(or_(*(col(c).ilike(needle, escape="\\") for c in search)))
    name = window.ordering or default
    descending = name.startswith("-")
    key = keys.get(name.removeprefix("-"))
    if key is None:
        raise BadOrdering(f"Order by one of: {', '.join(sorted(keys))} (prefix - for descending).")
    total = await _count(ctx, statement) if window.count else None
    backwards, after = _read_cursor(window.cursor)
    flip = descending != backwards
    index = (indexes or {}).get(name.removeprefix("-"), Index(statement, key, tiebreak))
    wanted = _first(index, after, flip).limit(window.page_size + 1)
    if late:
        wanted = read_late(wanted, index.tiebreak, tiebreak, _order((key, tiebreak), flip))
    rows = list((await ctx.db.execute(wanted)).all())
    more = len(rows) > window.page_size
    rows = rows[: window.page_size]
    if backwards:
        rows.reverse()
    ends = [_key_of(r, key, tiebreak) for r in (rows[0], rows[-1])] if rows else []
    has_next = more if not backwards else True
    has_previous = (after is not None) if not backwards else more
    return Page(
        results=[shape(r) for r in rows],
        next=_link(window, ends[1], backwards=False) if ends and has_next else None,
        previous=_link(window, ends[0], backwards=True) if ends and has_previous else None,
        count=total,
    )


def read_late(wanted: Select[Any], found: Any, tiebreak: Any, order: list[Any]) -> Select[Any]:
    """The rows whose ``tiebreak`` is a ``found`` of ``wanted``, which is limited, in ``order``."""
    ids = wanted.with_only_columns(found)
    return select(tiebreak.class_).where(tiebreak.in_(ids)).order_by(*order)


def _first(index: Index, after: list[Any] | None, flip: bool) -> Select[Any]:
    keys = (index.key, index.tiebreak)
    begun: Select[Any] = index.statement
    if after is not None:
        begun = begun.where(_beyond(keys, after, flip))
    return begun.order_by(*_order(keys, flip))


def _order(keys: tuple[Any, Any], flip: bool) -> list[Any]:
    return [k.desc() if flip else k.asc() for k in keys]


def _beyond(keys: tuple[Any, Any], after: list[Any], flip: bool) -> ColumnElement[bool]:
    bound = tuple_(
        *(cast(literal(_text(v), String()), k.type) for k, v in zip(keys, after, strict=True))
    )
    return tuple_(*keys) < bound if flip else tuple_(*keys) > bound


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _key_of(row: Any, key: Any, tiebreak: Any) -> list[Any]:
    entity = row[0]
    return [_plain(getattr(entity, key.key)), _plain(getattr(entity, tiebreak.key))]


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, str, type(None))) else str(value)


def _link(window: Window, values: list[Any], *, backwards: bool) -> str:
    raw = json.dumps([backwards, *values], separators=(",", ":")).encode()
    params = dict(window.request.query_params)
    params["cursor"] = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return f"{window.request.url.path}?{urlencode(params)}"


def _read_cursor(cursor: str) -> tuple[bool, list[Any] | None]:
    if not cursor:
        return False, None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        backwards, *values = parts
    except (ValueError, binascii.Error, TypeError, RecursionError) as error:
        raise BadCursor from error
    if not isinstance(backwards, bool) or len(values) != 2:
        raise BadCursor
    return backwards, values


async def _count(ctx: Ctx, statement: Select[Any]) -> int:
    inner = statement.order_by(None).subquery()
    return int((await ctx.db.execute(select(func.count()).select_from(inner))).scalar_one())


def _escape(needle: str) -> str:
    return needle.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
