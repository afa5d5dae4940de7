"""Doing once what is asked twice: a request with a known Idempotency-Key gets the first answer.

The key is claimed, the work is done and its answer is kept in one transaction. A twin that comes
meanwhile waits for the claim; a process that dies in between leaves neither claim nor effect.
"""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from psycopg import errors as pg
from sqlalchemy import UniqueConstraint, delete, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlmodel import Field, SQLModel, col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import moment, sealed
from sync2gear_platform.kit.errors import Kind, Refusal
from sync2gear_platform.kit.ids import uuid7
from sync2gear_platform.kit.web import touch

KEPT: Final = timedelta(hours=24)
WAIT_SECONDS: Final = 10
"""How long a twin waits for the first request before it is told to come again."""

REPLAYED: Final = "Idempotency-Replayed"
_TOLD_AGAIN: Final = ("content-type", "etag", "location")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="A value of your own, new for each thing that you want done. Repeated within "
        "24 hours with the same body, it is answered as the first time and nothing is done.",
    ),
]


class IdempotencyMismatch(Refusal):
    """This Idempotency-Key was used for another request: take a new one for each thing."""

    code = "idempotency_mismatch"


class IdempotencyInProgress(Refusal):
    """The first request with this Idempotency-Key is still being worked on: repeat it shortly."""

    kind: Kind = "conflict"
    code = "idempotency_in_progress"


class KeptAnswer(SQLModel, table=True):
    """What a request with a key was answered; ``answer`` holds secrets that are shown once."""

    __tablename__ = "kept_answers"
    __table_args__ = (
        UniqueConstraint("client_id", "actor", "route", "key", postgresql_nulls_not_distinct=True),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    client_id: UUID | None = Field(default=None, foreign_key="clients.id", ondelete="CASCADE")
    actor: str = Field(max_length=64)
    route: str = Field(max_length=200)
    key: str = Field(max_length=255)
    fingerprint: str = Field(max_length=64)
    answer: str | None = sealed(default=None, nullable=True)
    created_at: datetime = moment(index=True)


class Replay(Exception):  # noqa: N818 - an answer, not an error
    """Ends the request with the answer of its first time; what it began is rolled back."""

    def __init__(self, answer: str) -> None:
        super().__init__("replay")
        kept = json.loads(answer)
        self.status: int = kept["status"]
        self.headers: dict[str, str] = kept["headers"]
        self.body = base64.b64decode(kept["body"])


@dataclass(frozen=True, slots=True)
class Claim:
    """This request is the first with its key; its answer is to be kept."""

    ctx: Ctx
    row_id: UUID

    async def keep(self, response: Response) -> None:
        """Keep ``response`` in the transaction of what it tells."""
        kept = {
            "status": response.status_code,
            "headers": {n: v for n, v in response.headers.items() if n in _TOLD_AGAIN},
            "body": base64.b64encode(response.body).decode(),
        }
        await self.ctx.db.execute(
            update(KeptAnswer)
            .where(col(KeptAnswer.id) == self.row_id)
            .values(answer=self.ctx.vault.seal(json.dumps(kept)))
        )


def once(permission: str) -> Any:
    """A route's policy as by ``kit.web.allow``, for a POST that creates or costs something.

    With an Idempotency-Key it is done once, however often it is asked. Its router needs
    ``route_class=Remembering``.
    """

    async def context(
        request: Request, idempotency_key: IdempotencyKey = None
    ) -> AsyncIterator[Ctx]:
        async with touch(request, permission) as ctx:
            if idempotency_key is not None:
                await _claim(request, ctx, idempotency_key)
            yield ctx

    context.policy = permission  # type: ignore[attr-defined]  # a mark on it
    context.once = True  # type: ignore[attr-defined]  # likewise
    return Depends(context, scope="function")


def is_once(route: Any) -> bool:
    """Whether a route takes an Idempotency-Key."""
    dependencies = route.dependant.dependencies
    return any(getattr(d.call, "once", False) for d in dependencies)


async def _claim(request: Request, ctx: Ctx, given: str) -> None:
    """Claim the key ``given`` for this request, or raise :class:`Replay` with what was answered.

    Waits for a twin that is being worked on. Raises :class:`IdempotencyMismatch` when the key
    belongs to another request, and :class:`IdempotencyInProgress` when the twin takes too long.
    """
    key = given[1:-1] if len(given) > 2 and given[0] == given[-1] == '"' else given
    scope: dict[str, Any] = {
        "client_id": ctx.actor.client_id,
        "actor": f"{ctx.actor.kind} {ctx.actor.id}",
        "route": f"{request.method} {request.scope['route'].path}",
        "key": key,
    }
    fingerprint = await _fingerprint(request)
    new = KeptAnswer(**scope, fingerprint=fingerprint, created_at=ctx.now)
    statement = insert(KeptAnswer).values(new.model_dump()).on_conflict_do_nothing()
    try:
        await ctx.db.execute(text(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'"))
        made = await ctx.db.execute(statement.returning(col(KeptAnswer.id)))
        await ctx.db.execute(text("SET LOCAL lock_timeout = DEFAULT"))
    except OperationalError as error:
        if isinstance(error.orig, pg.LockNotAvailable):
            raise IdempotencyInProgress(retry_after=2) from error
        raise
    if made.one_or_none() is not None:
        request.scope["state"]["claim"] = Claim(ctx, new.id)
        return
    found = select(KeptAnswer).where(
        *(col(getattr(KeptAnswer, name)).is_not_distinct_from(v) for name, v in scope.items())
    )
    first = (await ctx.db.exec(found)).one_or_none()
    if first is None or first.answer is None:  # collected this very moment
        raise IdempotencyInProgress(retry_after=1)
    if first.fingerprint != fingerprint:
        raise IdempotencyMismatch
    raise Replay(ctx.vault.open(first.answer))


async def _fingerprint(request: Request) -> str:
    """What makes two requests the same: the address and the bytes of the body."""
    address = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(address.encode() + await request.body()).hexdigest()


class Remembering(APIRoute):
    """A route that can keep its answer, before the transaction of its context is committed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own handler, and what follows it."""
        answer = super().get_route_handler()

        async def answer_and_keep(request: Request) -> Response:
            response = await answer(request)
            claimed = request.scope.get("state", {}).get("claim")
            if isinstance(claimed, Claim):
                await claimed.keep(response)
            return response

        return answer_and_keep


def install_replays(app: FastAPI) -> None:
    """Answer :class:`Replay`; raises ``RuntimeError`` where an answer would not be kept."""
    for route in iter_route_contexts(app.routes):
        if hasattr(route, "dependant") and is_once(route):
            original = getattr(route, "original_route", route)
            if not isinstance(original, Remembering):
                raise RuntimeError(f"{route.path} needs a router with route_class=Remembering")

    @app.exception_handler(Replay)
    async def replay(_: Request, first: Replay) -> Response:
        return Response(first.body, first.status, {**first.headers, REPLAYED: "true"})


async def collect(ctx: Ctx) -> int:
    """Forget answers older than a day; how many. ``ctx`` is the system's."""
    old = delete(KeptAnswer).where(col(KeptAnswer.created_at) < ctx.now - KEPT)
    return len((await ctx.db.execute(old.returning(col(KeptAnswer.id)))).all())
