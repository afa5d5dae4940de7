"""Use cases of templates: keeping them, and filling them for the places where they are said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sync2gear_platform.announcements import chiming, templates, words
from sync2gear_platform.announcements.service import Script
from sync2gear_platform.announcements.templates import Scene, TemplateFault, Value, Variable
from sync2gear_platform.announcements.text_tables import Template
from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.sites.tables import Location


@dataclass(frozen=True, slots=True)
class Filled:
    """A text in one language, with its variables filled and, in ``said``, its words pronounced."""

    language: str
    voice: str
    text: str
    said: str


async def create(ctx: Ctx, values: dict[str, Any]) -> Template:
    """A new template."""
    await _check(ctx, values)
    row = rows.new(ctx, Template, **values)
    await ctx.db.flush()
    audit.record(ctx, "template.create", "template", row.id, after=values)
    await events.changed(ctx, "template", row.id)
    return row


async def update(
    ctx: Ctx, template_id: UUID, values: dict[str, Any], if_match: str | None
) -> Template:
    """Change a template; what was said of it stays as it was."""
    row = await rows.find(ctx, Template, template_id, lock=True)
    rows.match(row, if_match)
    await _check(ctx, {**row.model_dump(), **values})
    before = rows.change(ctx, row, values)
    await ctx.db.flush()
    audit.record(ctx, "template.update", "template", row.id, before=before, after=values)
    await events.changed(ctx, "template", row.id)
    return row


async def remove(ctx: Ctx, template_id: UUID, if_match: str | None) -> None:
    """Remove a template; announcements that were made of it stay."""
    row = await rows.find(ctx, Template, template_id, lock=True)
    rows.match(row, if_match)
    audit.record(ctx, "template.delete", "template", row.id, before=row.model_dump())
    await ctx.db.delete(row)
    await ctx.db.flush()
    await events.changed(ctx, "template", template_id)


async def filled(
    ctx: Ctx,
    row: Template,
    values: Mapping[str, Value],
    location: Location | None,
    languages: Sequence[str] = (),
) -> list[Filled]:
    """A template as it is said at ``location``: in these languages, or in all that it has."""
    texts = {text["language"]: text for text in row.texts}
    for language in languages:
        if language not in texts:
            detail = f"This template has no {language}; it has: {', '.join(texts)}."
            raise TemplateFault(detail, code="language_missing")
    scene = scene_of(ctx, location)
    said = []
    for language in languages or texts:
        one = texts[language]
        text = templates.fill(
            one["text"], language, variables_of(row.variables), values, scene, markup=row.ssml
        )
        pronounced = await words.pronounced(ctx, text, language, markup=row.ssml)
        said.append(Filled(language, one.get("voice", ""), text, pronounced.text))
    return said


def script_of(row: Template, one: Filled) -> Script:
    """What is given to a voice; the words are pronounced by whoever gives it."""
    return Script(text=one.text, voice=one.voice, ssml=row.ssml, language=one.language)


def scene_of(ctx: Ctx, location: Location | None) -> Scene:
    """Where and when it is said; without a location here, in UTC, and nowhere."""
    if location is None:
        return Scene("", ctx.now)
    return Scene(location.name, ctx.now.astimezone(ZoneInfo(location.timezone)))


def variables_of(declared: Sequence[Mapping[str, Any]]) -> list[Variable]:
    """Variables as they are stored."""
    return [Variable(**{**one, "choices": tuple(one["choices"])}) for one in declared]


async def _check(ctx: Ctx, values: Mapping[str, Any]) -> None:
    texts = {one["language"]: one["text"] for one in values["texts"]}
    if len(texts) != len(values["texts"]):
        raise TemplateFault("A language stands there twice.", code="language_twice")
    templates.check(texts, variables_of(values["variables"]))
    for name in ("chime_before", "chime_after"):
        await chiming.check(ctx, values.get(name))
