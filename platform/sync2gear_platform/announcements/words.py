"""Use cases of pronunciations: a client's dictionary, and what a text becomes by it."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform.announcements.pronunciation import Entry, Worded, worded
from sync2gear_platform.announcements.text_tables import Pronunciation
from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal

MAX_WORDS: Final = 1000
"""Words of one dictionary: all of them are looked for in every text."""


class WordTaken(Refusal):
    """This word has a pronunciation in this language already: change that one."""

    kind = "conflict"
    code = "word_taken"


class TooManyWords(Refusal):
    """A dictionary has at most 1000 words."""

    kind = "conflict"
    code = "too_many_words"


async def pronounced(ctx: Ctx, text: str, language: str, *, markup: bool) -> Worded:
    """``text`` with the client's words as they are said in ``language``.

    It is SSML afterwards where it was (``markup``), and where a word of it has phonemes.
    """
    found = await ctx.db.exec(
        select(Pronunciation).where(col(Pronunciation.client_id) == ctx.client_id)
    )
    entries = [Entry(p.word, p.replacement, p.language, p.match_case, p.ipa) for p in found]
    return worded(text, entries, language, markup=markup)


async def create(ctx: Ctx, values: dict[str, Any]) -> Pronunciation:
    """A new word."""
    count = select(func.count()).where(col(Pronunciation.client_id) == ctx.client_id)
    if (await ctx.db.execute(count)).scalar_one() >= MAX_WORDS:
        raise TooManyWords
    await _free(ctx, values["word"], values["language"], None)
    row = rows.new(ctx, Pronunciation, **values)
    await ctx.db.flush()
    audit.record(ctx, "pronunciation.create", "pronunciation", row.id, after=values)
    await events.changed(ctx, "pronunciation", row.id)
    return row


async def update(
    ctx: Ctx, word_id: UUID, values: dict[str, Any], if_match: str | None
) -> Pronunciation:
    """Change a word or how it is said; what was spoken before stays as it is."""
    row = await rows.find(ctx, Pronunciation, word_id, lock=True)
    rows.match(row, if_match)
    await _free(ctx, values.get("word", row.word), values.get("language", row.language), row.id)
    before = rows.change(ctx, row, values)
    await ctx.db.flush()
    audit.record(ctx, "pronunciation.update", "pronunciation", row.id, before=before, after=values)
    await events.changed(ctx, "pronunciation", row.id)
    return row


async def remove(ctx: Ctx, word_id: UUID, if_match: str | None) -> None:
    """Remove a word."""
    row = await rows.find(ctx, Pronunciation, word_id, lock=True)
    rows.match(row, if_match)
    audit.record(ctx, "pronunciation.delete", "pronunciation", row.id, before=row.model_dump())
    await ctx.db.delete(row)
    await ctx.db.flush()
    await events.changed(ctx, "pronunciation", word_id)


async def _free(ctx: Ctx, word: str, language: str, own: UUID | None) -> None:
    taken = select(Pronunciation.id).where(
        col(Pronunciation.client_id) == ctx.client_id,
        col(Pronunciation.word) == word,
        col(Pronunciation.language) == language,
        col(Pronunciation.id) != own if own else col(Pronunciation.id).is_not(None),
    )
    if (await ctx.db.exec(taken)).first() is not None:
        raise WordTaken
