"""The edge over HTTP: who may call a route, in which transaction, and how refusals look.

Every route names its policy: ``ctx: Annotated[Ctx, allow("zones.read")]`` opens the tenant's
transaction for an actor that holds the permission, ``public()`` one as the system for nobody in
particular. ``require_policies`` refuses to start an application with a route that names none.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from psycopg import errors as pg
from sqlalchemy.exc import (
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from sync2gear_platform.kit import log
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import SELF, Actor, Ctx, Origin
from sync2gear_platform.kit.db import AsyncSession, Database, enter_system, enter_tenant
from sync2gear_platform.kit.errors import HTTP_CODES, Refusal, Unavailable
from sync2gear_platform.kit.limits import charge

logger = log.get(__name__)

PROBLEM = "application/problem+json"
PAGES = ("/api/docs/", "/api/redoc/")
"""The documentation, which everybody may read."""


class Authenticate(Protocol):
    """How the application recognises an actor; ``app.py`` installs it."""

    async def __call__(self, connection: HTTPConnection, ctx: Ctx) -> Actor:
        """The actor of ``connection``, read in ``ctx`` (the system's); refuses unauthenticated."""
        ...


class Edge:
    """What every route needs, installed once as ``app.state.edge``."""

    def __init__(self, db: Database, clock: Clock, authenticate: Authenticate) -> None:
        self.db = db
        self.clock = clock
        self.authenticate = authenticate


def edge_of(connection: HTTPConnection) -> Edge:
    """The edge of the application that serves ``connection``."""
    return cast("Edge", connection.app.state.edge)


class Forbidden(Refusal):
    """You may not do this: ask a manager of this client for the permission."""

    kind = "forbidden"
    code = "forbidden"


class ClientSuspended(Refusal):
    """This client is suspended: its music goes on, but nothing can be changed meanwhile."""

    kind = "forbidden"
    code = "client_suspended"


class SecondFactorMissing(Refusal):
    """This client asks its members for a second factor: set one up in your profile first."""

    kind = "forbidden"
    code = "second_factor_required"


class OutOfReach(Refusal):
    """This is beyond the places where you may act."""

    kind = "forbidden"
    code = "out_of_reach"


NOBODY = Actor(kind="system", id=None, client_id=None, label="nobody")

MAX_AGENT = 300
"""Characters that are kept of a User-Agent header."""


def origin_of(connection: HTTPConnection) -> Origin:
    """The caller's address and User-Agent."""
    address = connection.client.host if connection.client else ""
    return Origin(address, connection.headers.get("user-agent", "")[:MAX_AGENT])


def same_origin(connection: HTTPConnection) -> bool:
    """Whether the page comes from where the API does; a program sends no Origin."""
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    public = urlsplit(connection.app.state.settings.public_url).netloc
    try:
        host = urlsplit(origin).netloc
    except ValueError:  # no address at all, such as ``http://[``
        return False
    return host in {connection.headers.get("host", ""), public}


async def open_ctx(
    connection: HTTPConnection, session: AsyncSession, permission: str | None
) -> Ctx:
    """Recognise the actor and make ``session`` its tenant's; without a permission, the system's."""
    edge = edge_of(connection)
    trace = structlog.contextvars.get_contextvars().get("trace", "")
    ctx = Ctx(
        db=session,
        actor=NOBODY,
        now=edge.clock.now(),
        trace=trace,
        origin=origin_of(connection),
    )
    await enter_system(session)
    if permission is None:
        return ctx
    actor = await edge.authenticate(connection, ctx)
    charge(connection, actor)
    require(actor, permission)
    if actor.client_id is not None and not spans_clients(permission):
        await enter_tenant(session, actor.client_id, actor.reach(permission))
    structlog.contextvars.bind_contextvars(actor=str(actor.id), client=str(actor.client_id))
    return replace(ctx, actor=actor)


def require(actor: Actor, permission: str) -> None:
    """Refuse an actor without ``permission``, saying why."""
    if permission in actor.permissions:
        return
    if permission in actor.withheld:
        raise SecondFactorMissing if actor.factor_missing else ClientSuspended
    raise Forbidden(f"You may not do this: it needs the permission {permission}.")


def spans_clients(permission: str) -> bool:
    """Whether ``permission`` is over one's own or over all clients: the system's door."""
    return permission == SELF or permission.startswith("admin.")


@asynccontextmanager
async def touch(connection: HTTPConnection, permission: str | None = None) -> AsyncIterator[Ctx]:
    """One touch of a route that needs several transactions (its policy is ``unguarded()``)."""
    async with edge_of(connection).db.session() as session, session.begin():
        yield await open_ctx(connection, session, permission)


@asynccontextmanager
async def further(connection: HTTPConnection, ctx: Ctx) -> AsyncIterator[Ctx]:
    """Another transaction of who was recognised in the touch ``ctx``, as its client.

    For what is done after a long body, or in several steps.
    """
    edge = edge_of(connection)
    async with edge.db.tenant(ctx.client_id) as session:
        yield replace(ctx, db=session, now=edge.clock.now())


def allow(permission: str) -> Any:
    """A route's policy: an actor with ``permission``, in one transaction as its client.

    The transaction commits before the answer leaves (scope ``function``).
    """
    return _policy(permission)


def public() -> Any:
    """A route's policy: anybody; the transaction is the system's. For sign-in and the like."""
    return _policy(None)


def _policy(permission: str | None) -> Any:
    async def context(request: Request) -> AsyncIterator[Ctx]:
        async with touch(request, permission) as ctx:
            yield ctx

    context.policy = permission or "public"  # type: ignore[attr-defined]  # a mark on it
    return Depends(context, scope="function")


def unguarded() -> Any:
    """A route's policy: anybody, without a transaction. For health, documentation and files."""
    return _declared("public")


def recognised(permission: str) -> Any:
    """A route's policy: an actor with ``permission``, before the body is looked at.

    For a handler that needs several transactions and opens them itself (:func:`touch`).
    """

    async def known(request: Request) -> None:
        async with touch(request, permission):
            """Who it is, and nothing more."""

    known.policy = permission  # type: ignore[attr-defined]  # a mark on it
    return Depends(known)


def checked_inside(permission: str) -> Any:
    """A route's policy that its handler checks: a browser's WebSocket can send no header before."""
    return _declared(permission)


def _declared(policy: str) -> Any:
    async def nothing() -> None:
        """Open nothing."""

    nothing.policy = policy  # type: ignore[attr-defined]  # a mark on it
    return Depends(nothing)


def policies(app: FastAPI) -> Iterator[tuple[str, str, str | None]]:
    """``(method, path, policy)`` of every route but the pages of documentation."""
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        if isinstance(dependant, Dependant) and not str(route.path).startswith(PAGES):
            found = _find_policy(dependant)
            for method in sorted(getattr(route, "methods", None) or ("WEBSOCKET",)):
                yield method, str(route.path), found


def _find_policy(dependant: Dependant) -> str | None:
    own = getattr(dependant.call, "policy", None)
    if own is not None:
        return str(own)
    return next((p for d in dependant.dependencies if (p := _find_policy(d))), None)


def require_policies(app: FastAPI, known: frozenset[str]) -> None:
    """Refuse an application with a route whose policy is missing or unknown."""
    bad = [f"{m} {p}: {policy}" for m, p, policy in policies(app) if policy not in known]
    if bad:
        raise RuntimeError("routes without a declared policy: " + "; ".join(bad))


_PHRASED = frozenset(HTTPStatus)


def problem(
    refusal: Refusal, headers: dict[str, str] | None = None, *, status: int | None = None
) -> JSONResponse:
    """``refusal`` as RFC 9457 problem+json; ``status`` overrides its kind's."""
    status = status or refusal.status
    trace = structlog.contextvars.get_contextvars().get("trace", "")
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase if status in _PHRASED else refusal.code,
        "status": status,
        "code": refusal.code,
        "detail": refusal.detail,
        "trace": trace,
        **refusal.extra,
    }
    return JSONResponse(body, status_code=status, media_type=PROBLEM, headers=headers)


def refused_with(error: Refusal) -> JSONResponse:
    """``error`` as a problem, with the headers that its kind asks for."""
    headers = {"WWW-Authenticate": "Bearer"} if error.kind == "unauthenticated" else {}
    if "retry_after" in error.extra:
        headers["Retry-After"] = str(error.extra["retry_after"])
    return problem(error, headers)


def install_problems(app: FastAPI) -> None:
    """Answer every exception that leaves a route as a problem."""

    @app.exception_handler(Refusal)
    async def refused(_: Request, error: Refusal) -> JSONResponse:
        return refused_with(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {
                "field": ".".join(str(part) for part in e["loc"][1:]),
                "code": e["type"],
                "message": e["msg"][:300],
            }
            for e in error.errors()[:50]
        ]
        detail = "; ".join(f"{e['field'] or 'body'}: {e['message']}" for e in errors[:5])
        return problem(Refusal(detail, code="invalid_request", errors=errors))

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        code = HTTP_CODES.get(error.status_code, "http_error")
        refusal = Refusal(str(error.detail), code=code)
        return problem(refusal, dict(error.headers or {}), status=error.status_code)

    @app.exception_handler(IntegrityError)
    async def conflict(_: Request, error: IntegrityError) -> JSONResponse:
        return problem(from_integrity(error))

    @app.exception_handler(DataError)
    async def unstorable(_: Request, __: DataError) -> JSONResponse:
        return problem(Refusal("A value cannot be stored: check its characters.", code="data"))

    @app.exception_handler(ProgrammingError)
    async def fenced(_: Request, error: ProgrammingError) -> JSONResponse:
        if isinstance(error.orig, pg.InsufficientPrivilege):
            logger.warning("fenced off", error=str(error.orig)[:300])
            return problem(OutOfReach())
        raise error

    for kind in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(kind, _database_down)


async def _database_down(_: Request, error: Exception) -> JSONResponse:
    logger.warning("database unavailable", error=str(error)[:500])
    return problem(Unavailable(code="database_unavailable"), {"Retry-After": "2"})


def from_integrity(error: IntegrityError) -> Refusal:
    """A broken constraint as a conflict that names the constraint, never the values."""
    cause = error.orig
    name = getattr(getattr(cause, "diag", None), "constraint_name", None) or "constraint"
    if isinstance(cause, pg.ForeignKeyViolation):
        return Refusal(
            "Something that this refers to does not exist here, or is still in use.",
            kind="conflict",
            code="reference",
            constraint=name,
        )
    return Refusal(
        "This would repeat or contradict something that exists already.",
        kind="conflict",
        code="conflict",
        constraint=name,
    )


_VERSIONED = re.compile(r"^/api/(?!v1/|v1$|docs|redoc|openapi\.json|static)")


class Paths:
    """One spelling inside: canonical ``/api/v1/…/``, however the caller wrote it.

    The founding documents' unversioned paths are aliases, and the slash at the end is optional.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrite the path and pass on."""
        if scope["type"] in {"http", "websocket"}:
            scope = {**scope, "path": canonical(scope["path"])}
        await self.app(scope, receive, send)


def canonical(path: str) -> str:
    """The canonical form of an API or WebSocket path; any other path as it is."""
    path = _VERSIONED.sub("/api/v1/", path)
    slashed = path.startswith(("/api/v1/", "/ws/", "/api/docs", "/api/redoc"))
    return path + "/" if slashed and not path.endswith("/") else path
