"""Use cases of providers: the installation's, which are offered to all, and a client's own."""

import asyncio
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import ColumnElement, or_, update
from sqlmodel import col, select

from sync2gear_platform.announcements.ports import Kind, Opener
from sync2gear_platform.announcements.provider_schemas import SETTINGS
from sync2gear_platform.announcements.speech_tables import AiProvider
from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound, Refusal

TRIAL_SECONDS = 10.0
MAX_PROVIDERS = 20


class BadSettings(Refusal):
    """These settings are not those of a provider of this kind."""

    code = "provider_settings"


class TooManyProviders(Refusal):
    """There are as many providers as there may be: remove one."""

    kind = "conflict"
    code = "too_many_providers"


class Offered(Refusal):
    """This provider is the installation's: only its own people change it."""

    kind = "forbidden"
    code = "provider_offered"


@dataclass(frozen=True, slots=True)
class Trial:
    """How asking a provider for its voices went."""

    ok: bool
    voices: int = 0
    code: str = ""
    detail: str = ""


def owner_of(ctx: Ctx) -> UUID | None:
    """Whose providers this touch is over: its client's, or the installation's."""
    return ctx.actor.client_id


def seen(ctx: Ctx) -> ColumnElement[bool]:
    """Which rows this touch sees: its own, and what is offered."""
    offered = col(AiProvider.client_id).is_(None)
    owner = owner_of(ctx)
    return offered if owner is None else or_(col(AiProvider.client_id) == owner, offered)


async def find(ctx: Ctx, provider_id: UUID, *, change: bool = False) -> AiProvider:
    """A provider; one that is only offered here cannot be changed (:class:`Offered`)."""
    statement = select(AiProvider).where(col(AiProvider.id) == provider_id, seen(ctx))
    row = (await ctx.db.exec(statement)).one_or_none()
    if row is None:
        raise NotFound("There is no such provider here.")
    if not change:
        return row
    if row.client_id != owner_of(ctx):
        raise Offered
    locked = statement.with_for_update().execution_options(populate_existing=True)
    return (await ctx.db.exec(locked)).one()


async def create(ctx: Ctx, values: dict[str, Any]) -> AiProvider:
    """A new provider of this client, or of the installation."""
    own = select(AiProvider.id).where(col(AiProvider.client_id).is_not_distinct_from(owner_of(ctx)))
    if len((await ctx.db.exec(own)).all()) >= MAX_PROVIDERS:
        raise TooManyProviders
    row = AiProvider(
        client_id=owner_of(ctx), created_at=ctx.now, updated_at=ctx.now, kind=values["kind"],
        name=values["name"], settings={},
    )  # fmt: skip
    changed = _stored(ctx, row, {"settings": {}, **values})
    if changed.get("is_default"):
        await _only_default(ctx)
    for name, value in changed.items():
        setattr(row, name, value)
    ctx.db.add(row)
    await ctx.db.flush()
    audit.record(ctx, "ai_provider.create", "ai_provider", row.id, after=changed)
    return row


async def update_provider(
    ctx: Ctx, provider_id: UUID, values: dict[str, Any], if_match: str | None
) -> AiProvider:
    """Change a provider; who speaks now finishes by the old settings."""
    row = await find(ctx, provider_id, change=True)
    rows.match(row, if_match)
    values = _stored(ctx, row, values)
    if values.get("is_default") and not row.is_default:
        await _only_default(ctx)
    before = rows.change(ctx, row, values)
    await ctx.db.flush()
    audit.record(ctx, "ai_provider.update", "ai_provider", row.id, before=before, after=values)
    return row


async def remove(ctx: Ctx, provider_id: UUID, if_match: str | None) -> None:
    """Remove a provider; what it spoke and what it cost stay."""
    row = await find(ctx, provider_id, change=True)
    rows.match(row, if_match)
    audit.record(ctx, "ai_provider.delete", "ai_provider", row.id, before=row.model_dump())
    await ctx.db.delete(row)
    await ctx.db.flush()


async def try_out(ctx: Ctx, opened: Opener, provider_id: UUID) -> Trial:
    """Ask a provider for its voices with the settings and the key that are stored; it is free."""
    row = await find(ctx, provider_id)
    if row.client_id != owner_of(ctx):
        raise Offered
    key = ctx.vault.open(row.api_key) if row.api_key else ""
    engine = opened(cast("Kind", row.kind), row.settings, key)
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            return Trial(True, len(await engine.voices()))
    except Refusal as refusal:
        return Trial(False, 0, refusal.code, refusal.detail)
    except TimeoutError:
        return Trial(False, 0, "tts_unavailable", "It does not answer in time.")
    finally:
        await engine.close()


def _stored(ctx: Ctx, row: AiProvider, values: dict[str, Any]) -> dict[str, Any]:
    """``values`` as columns: settings checked, the key sealed with its end beside it."""
    stored = dict(values)
    if "settings" in values:
        try:
            checked = SETTINGS[row.kind].model_validate(values["settings"]).model_dump()
        except ValidationError as error:
            named = "; ".join(".".join(map(str, e["loc"])) for e in error.errors()[:5])
            raise BadSettings(f"Settings that a provider {row.kind} does not take: {named}.") from (
                None
            )
        if checked.get("endpoint") and owner_of(ctx) is not None:
            # A client must not make us ask addresses of its choice.
            raise BadSettings("Only the installation's own people set an endpoint.")
        stored["settings"] = checked
    if "api_key" in values:
        key = values["api_key"]
        stored["api_key"] = ctx.vault.seal(key) if key else None
        # Four of a short key would be most of it.
        stored["api_key_end"] = key[-4:] if len(key) >= 12 else ""
    return stored


async def _only_default(ctx: Ctx) -> None:
    """The one that was the default is it no more."""
    await ctx.db.execute(
        update(AiProvider)
        .where(
            col(AiProvider.client_id).is_not_distinct_from(owner_of(ctx)),
            col(AiProvider.is_default),
        )
        .values(is_default=False, version=AiProvider.version + 1, updated_at=ctx.now)
    )
