"""Use cases of voices: hearing one, and what a client prefers."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_platform.announcements import rules
from sync2gear_platform.announcements.ports import Prosody, Voice
from sync2gear_platform.announcements.preferences import active
from sync2gear_platform.announcements.speech import Booth, Rendering, Wanted
from sync2gear_platform.announcements.speech_tables import SpeechDefaults
from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound

SENTENCES: Final = {
    "en": "Dear customers, we close in ten minutes.",
    "de": "Liebe Kundinnen und Kunden, wir schließen in zehn Minuten.",
    "fr": "Chers clients, nous fermons dans dix minutes.",
    "es": "Estimados clientes, cerramos en diez minutos.",
    "it": "Gentili clienti, chiudiamo tra dieci minuti.",
    "nl": "Beste klanten, we sluiten over tien minuten.",
}
"""What a preview says; for another language, its voice's name."""


def speaks(voice: Voice, language: str) -> bool:
    """Whether a voice is of ``language``, or of one of its regions."""
    own, wanted = voice.language.casefold(), language.casefold()
    return own == wanted or own.startswith(f"{wanted}-")


async def preview(
    ctx: Ctx,
    booth: Booth,
    blobs: Blobs,
    *,
    voice: str,
    provider_id: UUID | None = None,
    text: str = "",
    prosody: Prosody | None = None,
) -> Rendering:
    """``voice`` saying ``text``, or a sentence of ours in its language."""
    language = rules.language_of(voice).partition("-")[0]
    said = rules.spoken(text) or SENTENCES.get(language, voice)
    wanted = Wanted(said, voice, "", prosody, provider_id, purpose="preview")
    return await booth.render(ctx, blobs, wanted)


async def defaults(ctx: Ctx, *, lock: bool = False) -> SpeechDefaults:
    """The client's row, or what it would begin with."""
    statement = select(SpeechDefaults).where(col(SpeechDefaults.client_id) == ctx.client_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = (await ctx.db.exec(statement)).one_or_none()
    if row is None:
        row = SpeechDefaults(client_id=ctx.client_id, created_at=ctx.now, updated_at=ctx.now)
    return row


async def update_defaults(ctx: Ctx, values: dict[str, Any], if_match: str | None) -> SpeechDefaults:
    """Change what a client prefers."""
    first = await defaults(ctx)
    await ctx.db.execute(insert(SpeechDefaults).values(first.model_dump()).on_conflict_do_nothing())
    row = await defaults(ctx, lock=True)
    rows.match(row, if_match)
    provider = values.get("provider_id")
    if provider is not None and provider not in {one.id for one in await active(ctx)}:
        raise NotFound("There is no such provider here.")
    before = rows.change(ctx, row, values)
    await ctx.db.flush()
    audit.record(
        ctx, "speech_settings.update", "speech_settings", row.id, before=before, after=values
    )
    await events.changed(ctx, "speech", row.id)
    return row
