"""Use cases of announcements: rendering a text, at once or later, and keeping what was sent."""

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_broker.units import millis_from_frames
from sync2gear_platform.announcements import changes, chiming, rules, ssml, words
from sync2gear_platform.announcements.ports import Prosody
from sync2gear_platform.announcements.preferences import preferred
from sync2gear_platform.announcements.speech import Booth, Rendering, Wanted
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.audit import service as audit
from sync2gear_platform.jobs.app import defer
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.library import folders
from sync2gear_platform.library import service as library
from sync2gear_platform.library import uses as used
from sync2gear_platform.library.tables import Media

RENDER: Final = "announcements:render"
"""The task that has a long text spoken (``rendering.py``)."""

SPOKEN: Final = frozenset({"text", "ssml", "voice", "language", "prosody", "provider_id"})
"""What another sound follows from."""


class TextEmpty(Refusal):
    """There is nothing to say: write at least one word."""

    code = "text_empty"


class TextTooLong(Refusal):
    """An announcement has at most 5000 characters: say it in parts."""

    code = "text_too_long"


class NotSpoken(Refusal):
    """This announcement is a file or a recording: no voice speaks it."""

    kind = "conflict"
    code = "not_spoken"


class NotReady(Refusal):
    """This announcement has no sound yet, or its rendering failed: its state says which."""

    kind = "conflict"
    code = "not_ready"


class NotFailed(Refusal):
    """Only an announcement whose rendering failed can be rendered again."""

    kind = "conflict"
    code = "not_failed"


@dataclass(frozen=True, slots=True)
class Script:
    """A text and how it is spoken; what is empty, the client's defaults say.

    ``text`` is words, or SSML where ``ssml`` says so.
    """

    text: str
    voice: str = ""
    ssml: bool = False
    language: str = ""
    prosody: Prosody | None = None
    provider_id: UUID | None = None

    def wanted(self) -> Wanted:
        """As the booth takes it; :class:`TextEmpty`, :class:`TextTooLong`, ``ssml.BadMarkup``."""
        said = ssml.parse(self.text) if self.ssml else rules.spoken(self.text)
        if not said:
            raise TextEmpty
        return Wanted(said, self.voice, self.language, self.prosody, self.provider_id)

    def columns(self) -> dict[str, Any]:
        """As it is stored with an announcement."""
        return {
            "text": self.text,
            "voice": self.voice,
            "ssml": self.ssml,
            "language": self.language,
            "provider_id": self.provider_id,
            "prosody": self.prosody.document() if self.prosody else None,
        }


async def create(
    ctx: Ctx, booth: Booth, blobs: Blobs, script: Script, values: dict[str, Any] | None = None
) -> Announcement:
    """A new announcement of a text; what this client had spoken before is not spoken again.

    A long text that is new is ``rendering`` until a worker has had it spoken.
    """
    values = values or {}
    await _check(ctx, values)
    script, wanted = await _wanted(ctx, script)
    return await _write(ctx, await _soon(ctx, booth, blobs, script, wanted), script, values)


async def voiced(ctx: Ctx, booth: Booth, blobs: Blobs, script: Script) -> tuple[Script, Rendering]:
    """A text, cleaned, and how it sounds with the client's words pronounced."""
    script, wanted = await _wanted(ctx, script)
    return script, await booth.render(ctx, blobs, wanted)


async def _wanted(ctx: Ctx, script: Script) -> tuple[Script, Wanted]:
    """A text, cleaned, and as a voice is given it: the one way there."""
    script = _checked(script)
    language = script.language or rules.language_of(script.voice)
    language = language or (await preferred(ctx)).language
    said = await words.pronounced(ctx, script.text, language, markup=script.ssml)
    if len(said.text) > ssml.MAX_CHARACTERS:
        raise TextTooLong
    return script, replace(script, text=said.text, ssml=said.markup).wanted()


async def _soon(
    ctx: Ctx, booth: Booth, blobs: Blobs, script: Script, wanted: Wanted
) -> Rendering | None:
    """The sound of a text that is short or known; ``None`` for what a worker has to do."""
    if len(script.text) <= rules.AT_ONCE:
        return await booth.render(ctx, blobs, wanted)
    return await booth.known(ctx, blobs, wanted)


async def retry(ctx: Ctx, announcement_id: UUID) -> Announcement:
    """Let a worker have a text spoken again that failed."""
    row = await rows.find(ctx, Announcement, announcement_id, lock=True)
    if row.state != "failed":
        raise NotFailed
    rows.change(ctx, row, _sound(None))
    audit.record(ctx, "announcement.retry", "announcement", row.id)
    await _told(ctx, row)
    return row


async def _told(ctx: Ctx, row: Announcement, *, render: bool = True, ahead: bool = True) -> None:
    """Tell who looks, and a worker where one is to ``render``; both happen with the commit.

    ``ahead``: what speakers hold ahead may follow from it.
    """
    await ctx.db.flush()
    if render and row.state == "rendering":
        await defer(ctx, RENDER, lock=f"announcement {row.id}", announcement_id=str(row.id))
    await changes.changed(ctx, "announcement", row.id, ahead=ahead)


async def kept(ctx: Ctx, script: Script, spoken: Rendering, title: str) -> Announcement:
    """The announcement of these words and this sound under this title: once, however often said."""
    title = title or _title(script)
    found = (
        select(Announcement)
        .where(
            col(Announcement.client_id) == ctx.client_id,
            func.md5(Announcement.text) == func.md5(script.text),
            col(Announcement.text) == script.text,
            col(Announcement.voice) == script.voice,
            col(Announcement.sha256) == spoken.media.sha256,
            col(Announcement.title) == title,
        )
        .order_by(col(Announcement.id))
        .limit(1)
    )
    twin = (await ctx.db.exec(found)).first()
    return twin or await _write(ctx, spoken, script, {"title": title, "prefetch": False})


async def received(ctx: Ctx, media: Media, values: dict[str, Any]) -> Announcement:
    """A new announcement of audio that was sent."""
    row = rows.new(
        ctx, Announcement, **values, is_tts=False, state="ready", sha256=media.sha256,
        duration_millis=millis_from_frames(media.frames),
    )  # fmt: skip
    await ctx.db.flush()
    after = {**values, "sha256": media.sha256}
    audit.record(ctx, "announcement.create", "announcement", row.id, after=after)
    await changes.changed(ctx, "announcement", row.id)
    return row


async def media_of(ctx: Ctx, announcement_id: UUID) -> Media:
    """The audio of an announcement; :class:`NotReady` where it has none."""
    row = await rows.find(ctx, Announcement, announcement_id)
    if row.sha256 is None:
        raise NotReady
    return await library.media(ctx, row.sha256)


async def update(
    ctx: Ctx,
    booth: Booth,
    blobs: Blobs,
    announcement_id: UUID,
    values: dict[str, Any],
    if_match: str | None,
) -> Announcement:
    """Change what it is called, says or sounds like; what sounds already goes on as it was."""
    row = await rows.find(ctx, Announcement, announcement_id, lock=True)
    rows.match(row, if_match)
    await _check(ctx, values)
    told = {name: value for name, value in values.items() if name in SPOKEN}
    if told:
        if not row.is_tts:
            raise NotSpoken
        script, wanted = await _wanted(ctx, script_of(row, told))
        spoken = await _soon(ctx, booth, blobs, script, wanted)
        kept = {name: value for name, value in values.items() if name not in told}
        values = {**kept, **script.columns(), **_sound(spoken)}
    before = rows.change(ctx, row, values)
    audit.record(ctx, "announcement.update", "announcement", row.id, before=before, after=values)
    await _told(ctx, row, render=bool(told))
    return row


async def rendered(ctx: Ctx, row: Announcement, outcome: Rendering | Refusal) -> None:
    """Write down what became of a text that was rendering: its sound, or why there is none."""
    if isinstance(outcome, Refusal):
        failed = {"state": "failed", "failure_code": outcome.code, "failure": outcome.detail[:1000]}
        rows.change(ctx, row, failed)
    else:
        rows.change(ctx, row, _sound(outcome))
    await _told(ctx, row)


async def remove(
    ctx: Ctx, announcement_id: UUID, if_match: str | None, *, force: bool = False
) -> None:
    """Remove an announcement; where it sounds now it is heard to its end.

    Without ``force``, refused while another has it for a chime or a variant.
    """
    row = await rows.find(ctx, Announcement, announcement_id, lock=True)
    rows.match(row, if_match)
    if not force:
        await used.refuse(ctx, "announcement", announcement_id)
    before = row.model_dump()
    audit.record(ctx, "announcement.delete", "announcement", row.id, before=before)
    await ctx.db.delete(row)
    await ctx.db.flush()
    await changes.changed(ctx, "announcement", announcement_id)


def _checked(script: Script) -> Script:
    # The length first: cleaning a text of any size would be work for nothing.
    if len(script.text) > rules.MAX_TEXT:
        raise TextTooLong(f"An announcement has at most {rules.MAX_TEXT} characters.")
    return script if script.ssml else replace(script, text=rules.spoken(script.text))


def script_of(row: Announcement, values: dict[str, Any]) -> Script:
    """What a row is spoken from, with ``values`` instead of its own."""
    own: dict[str, Any] = {
        "text": row.text,
        "voice": row.voice,
        "ssml": row.ssml,
        "language": row.language,
    }
    own["provider_id"] = row.provider_id
    prosody = Prosody(**row.prosody) if row.prosody else None
    return Script(**{**own, "prosody": prosody, **values})


def _title(script: Script) -> str:
    return rules.title_of(ssml.plain(ssml.parse(script.text)) if script.ssml else script.text)


async def _check(ctx: Ctx, values: dict[str, Any]) -> None:
    """Refuse a folder that is not here or not for announcements, and chimes that are not."""
    if values.get("folder_id") is not None:
        await folders.of_type(ctx, values["folder_id"], "announcement")
    for name in ("chime_before", "chime_after"):
        await chiming.check(ctx, values.get(name))


def _sound(spoken: Rendering | None) -> dict[str, Any]:
    """The columns of a sound; of one that is still to be made."""
    nothing = {"failure": "", "failure_code": ""}
    if spoken is None:
        return {
            **nothing, "state": "rendering", "sha256": None, "duration_millis": 0,
            "spoken_provider": "", "spoken_voice": "",
        }  # fmt: skip
    return {
        **nothing,
        "state": "ready",
        "sha256": spoken.media.sha256,
        "duration_millis": millis_from_frames(spoken.media.frames),
        "spoken_provider": spoken.provider,
        "spoken_voice": spoken.voice,
    }


async def _write(
    ctx: Ctx, spoken: Rendering | None, script: Script, values: dict[str, Any]
) -> Announcement:
    values = {**values, "title": values.get("title") or _title(script), **script.columns()}
    row = rows.new(
        ctx,
        Announcement,
        created_by=ctx.actor.id if ctx.actor.kind == "user" else None,
        **values,
        **_sound(spoken),
    )
    after = {**values, "sha256": row.sha256}
    audit.record(ctx, "announcement.create", "announcement", row.id, after=after)
    await _told(ctx, row, ahead=row.prefetch)
    return row
