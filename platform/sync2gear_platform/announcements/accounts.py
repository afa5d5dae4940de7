"""What speech costs: every text given to a provider, budgets before it is given, and the sums."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, func, or_, update
from sqlmodel import col, select

from sync2gear_platform.announcements import rules
from sync2gear_platform.announcements.speech_tables import AiProvider, Rendered, SpeechCall
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal

PREVIEWS_A_MINUTE: Final = 10
KEPT_MONTHS: Final = 14


class BudgetExceeded(Refusal):
    """This month's budget for speech is used up: raise it, or choose another provider."""

    kind = "conflict"
    code = "tts_budget_exceeded"


class TooManyPreviews(Refusal):
    """So many voices cannot be tried in a minute: wait a little."""

    kind = "limited"
    code = "too_many_previews"


@dataclass(frozen=True, slots=True)
class Spent:
    """What counts of a month at one provider."""

    characters: int
    cost: int


async def reserve(
    ctx: Ctx, provider: AiProvider, key: str, *, characters: int, purpose: str
) -> SpeechCall:
    """Write down, in a transaction of its own, that ``provider`` is about to be asked.

    The caller holds the turn of ``key``: what is open of it was left by a process that died.
    Raises :class:`BudgetExceeded` and :class:`TooManyPreviews`.
    """
    await rows.take_turns(ctx, "speech budget")
    await ctx.db.execute(
        update(SpeechCall)
        .where(
            col(SpeechCall.client_id) == ctx.client_id,
            col(SpeechCall.key) == key,
            col(SpeechCall.state) == "open",
        )
        .values(state="lost", updated_at=ctx.now)
    )
    month, cost = rules.month_of(ctx.now), characters * provider.unit_price
    used = await spent(ctx, provider, month)
    limits = (
        (provider.monthly_characters, used.characters + characters),
        (provider.monthly_cost, used.cost + cost),
    )
    if any(limit is not None and wanted > limit for limit, wanted in limits):
        raise BudgetExceeded
    if purpose == "preview" and await _previews(ctx) >= PREVIEWS_A_MINUTE:
        raise TooManyPreviews(retry_after=60)
    return rows.new(
        ctx,
        SpeechCall,
        provider_id=provider.id,
        provider=provider.name,
        kind=provider.kind,
        key=key,
        purpose=purpose,
        month=month,
        characters=characters,
        cost=cost,
    )


async def settle(ctx: Ctx, call: SpeechCall, state: str) -> None:
    """Write down what became of a call."""
    await ctx.db.execute(
        update(SpeechCall)
        .where(col(SpeechCall.client_id) == ctx.client_id, col(SpeechCall.id) == call.id)
        .values(state=state, updated_at=ctx.now)
    )


async def spent(ctx: Ctx, provider: AiProvider, month: date) -> Spent:
    """What this client spent at a provider: all that was not surely free.

    What was spent at removed ones of its kind counts too: removing one and adding it again is no
    new budget.
    """
    sums = select(
        func.coalesce(func.sum(SpeechCall.characters), 0),
        func.coalesce(func.sum(SpeechCall.cost), 0),
    ).where(
        col(SpeechCall.client_id) == ctx.client_id,
        col(SpeechCall.month) == month,
        or_(
            col(SpeechCall.provider_id) == provider.id,
            and_(col(SpeechCall.provider_id).is_(None), col(SpeechCall.kind) == provider.kind),
        ),
        col(SpeechCall.state) != "failed",
    )
    characters, cost = (await ctx.db.execute(sums)).one()
    return Spent(int(characters), int(cost))


async def _previews(ctx: Ctx) -> int:
    counted = select(func.count()).where(
        col(SpeechCall.client_id) == ctx.client_id,
        col(SpeechCall.month) == rules.month_of(ctx.now),
        col(SpeechCall.purpose) == "preview",
        col(SpeechCall.created_at) > ctx.now - timedelta(minutes=1),
    )
    return int((await ctx.db.execute(counted)).scalar_one())


@dataclass(frozen=True, slots=True)
class Line:
    """One provider in one month, as a client used it."""

    month: date
    provider_id: UUID | None
    provider: str
    kind: str
    calls: int
    failed: int
    lost: int
    characters: int
    cost: int


async def usage(ctx: Ctx, *, months: int = 1, provider_id: UUID | None = None) -> list[Line]:
    """The sums of the last months, the newest first."""
    first = rules.month_of(ctx.now)
    for _ in range(months - 1):
        first = rules.month_of_day(first - timedelta(days=1))
    counts: Any = col(SpeechCall.state) != "failed"
    groups = (
        col(SpeechCall.month),
        col(SpeechCall.provider_id),
        col(SpeechCall.provider),
        col(SpeechCall.kind),
    )
    statement = (
        select(  # type: ignore[call-overload]  # it knows four columns
            *groups,
            func.count(),
            func.count().filter(~counts),
            func.count().filter(col(SpeechCall.state) == "lost"),
            func.coalesce(func.sum(SpeechCall.characters).filter(counts), 0),
            func.coalesce(func.sum(SpeechCall.cost).filter(counts), 0),
        )
        .where(col(SpeechCall.client_id) == ctx.client_id, col(SpeechCall.month) >= first)
        .group_by(*groups)
        .order_by(groups[0].desc(), groups[2])
    )
    if provider_id is not None:
        statement = statement.where(col(SpeechCall.provider_id) == provider_id)
    return [
        Line(month, provider, name, kind, *map(int, numbers))
        for month, provider, name, kind, *numbers in (await ctx.db.execute(statement)).all()
    ]


async def saved(ctx: Ctx) -> int:
    """How often something was taken from what is kept, of what is kept still."""
    hits = select(func.coalesce(func.sum(Rendered.hits), 0)).where(
        col(Rendered.client_id) == ctx.client_id
    )
    return int((await ctx.db.execute(hits)).scalar_one())
