"""Health for probes: alive, and ready to serve."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import func, select, text
from sqlmodel import col

from sync2gear_platform.jobs.leader import LOCK
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.outbox import OutboxMark
from sync2gear_platform.kit.web import public, unguarded
from sync2gear_platform.settings import Settings

router = APIRouter(prefix="/api/v1/health", tags=["health"])

STUCK_SECONDS = 60
"""A topic that waits this long has nobody to publish it: no leader, or no broker."""

_LED = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (classid::bigint << 32) + objid::bigint = :key)"
)

_FAILING = text(
    "SELECT (SELECT count(*) FROM zone_compiles WHERE failures > 0),"
    " (SELECT count(*) FROM setbacks)"
)


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """What the product needs: its database, a leader, and a broker that takes what is published.

    ``zones_failing``: those whose programme cannot be worked out; the others do not wait for them.
    ``work_failing``: what else the worker cannot do for one client, zone or upload, and tries again
    ever later; ``work.put_off`` in its log says for whom and why.
    """

    status: Literal["ok", "degraded"]
    leader: bool
    outbox_waiting: int
    outbox_oldest_seconds: float
    zones_failing: int
    work_failing: int
    mail: Literal["ok", "inbox", "not_configured"]


def mail_of(settings: Settings) -> Literal["ok", "inbox", "not_configured"]:
    """What becomes of mail: it is sent, kept for the development inbox, or waits in vain."""
    if settings.mail_server is not None:
        return "ok"
    return "inbox" if settings.env == "dev" else "not_configured"


@router.get("/", dependencies=[unguarded()])
async def alive() -> Alive:
    """Whether this process answers."""
    return Alive()


@router.get("/ready/")
async def ready(ctx: Annotated[Ctx, public()], request: Request) -> Ready:
    """Whether this installation works as a whole; 503 without a database."""
    waiting, oldest = (
        await ctx.db.execute(select(func.count(), func.min(col(OutboxMark.created_at))))
    ).one()
    age = (ctx.now - oldest).total_seconds() if oldest else 0.0
    zones, work = (await ctx.db.execute(_FAILING)).one()
    leader = bool((await ctx.db.execute(_LED, {"key": LOCK})).scalar_one())
    return Ready(
        status="ok" if leader and age < STUCK_SECONDS else "degraded",
        leader=leader,
        outbox_waiting=waiting,
        outbox_oldest_seconds=round(age, 3),
        zones_failing=zones,
        work_failing=work,
        mail=mail_of(request.app.state.settings),
    )
