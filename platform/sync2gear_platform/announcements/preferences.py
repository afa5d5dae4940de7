"""Whom to ask for a voice: a client's preferences, and its providers in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import col, select

from sync2gear_platform.announcements import rules
from sync2gear_platform.announcements.ports import PLAIN, Prosody
from sync2gear_platform.announcements.speech_tables import AiProvider, SpeechDefaults
from sync2gear_platform.kit.context import Ctx


async def active(ctx: Ctx, *, first: UUID | None = None) -> Sequence[AiProvider]:
    """The providers that this client may use, in the order in which they are asked.

    ``first``; then the client's default, the installation's, and the others by priority.
    """
    found = await ctx.db.exec(
        select(AiProvider).where(
            or_(col(AiProvider.client_id) == ctx.client_id, col(AiProvider.client_id).is_(None)),
            col(AiProvider.is_active),
        )
    )

    def order(one: AiProvider) -> tuple[Any, ...]:
        offered = one.client_id is None
        return one.id != first, not one.is_default, offered, one.priority, one.id

    return sorted(found, key=order)


@dataclass(frozen=True, slots=True)
class Preferred:
    """How a client wants to be spoken for."""

    provider_id: UUID | None = None
    voice: str = ""
    language: str = rules.DEFAULT_LANGUAGE
    prosody: Prosody = PLAIN
    fall_back: bool = True


async def preferred(ctx: Ctx) -> Preferred:
    """The client's defaults, or ours."""
    found = await ctx.db.exec(
        select(SpeechDefaults).where(col(SpeechDefaults.client_id) == ctx.client_id)
    )
    row = found.one_or_none()
    if row is None:
        return Preferred()
    prosody = Prosody(row.rate, row.pitch, row.volume)
    return Preferred(row.provider_id, row.voice, row.language, prosody, row.fall_back)
