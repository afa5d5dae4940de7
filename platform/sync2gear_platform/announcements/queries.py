"""Reads of announcements for screens."""

from typing import Literal
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import cast, col, select

from sync2gear_platform.announcements.schemas import AnnouncementOut
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.announcements.text_schemas import PronunciationOut, TemplateOut
from sync2gear_platform.announcements.text_tables import Pronunciation, Template
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.paging import Page, Window, page
from sync2gear_platform.library.tables import Folder

Kind = Literal["tts", "recording", "upload"]
State = Literal["rendering", "ready", "failed"]


async def announcements(
    ctx: Ctx,
    window: Window,
    *,
    folder_id: UUID | None = None,
    kind: Kind | None = None,
    language: str | None = None,
    state: State | None = None,
    tag: str | None = None,
) -> Page[AnnouncementOut]:
    """The client's announcements, the newest first."""
    statement = select(Announcement).where(col(Announcement.client_id) == ctx.client_id)
    if folder_id is not None:
        await rows.find(ctx, Folder, folder_id)
        statement = statement.where(col(Announcement.folder_id) == folder_id)
    if kind is not None:
        statement = statement.where(
            col(Announcement.is_tts).is_(kind == "tts"),
            col(Announcement.is_recording).is_(kind == "recording"),
        )
    if language is not None:
        statement = statement.where(col(Announcement.language) == language)
    if state is not None:
        statement = statement.where(col(Announcement.state) == state)
    if tag is not None:
        statement = statement.where(col(Announcement.tags).op("@>")(cast([tag], JSONB)))
    return await page(
        ctx,
        window,
        statement,
        keys={
            "created_at": col(Announcement.created_at),
            "title": col(Announcement.title),
            "duration_millis": col(Announcement.duration_millis),
        },
        default="-created_at",
        tiebreak=col(Announcement.id),
        search=(Announcement.title, Announcement.text),
        shape=lambda row: AnnouncementOut.model_validate(row[0]),
    )


async def templates(ctx: Ctx, window: Window) -> Page[TemplateOut]:
    """The client's templates, by name."""
    return await page(
        ctx,
        window,
        select(Template).where(col(Template.client_id) == ctx.client_id),
        keys={"name": col(Template.name), "created_at": col(Template.created_at)},
        default="name",
        tiebreak=col(Template.id),
        search=(Template.name,),
        shape=lambda row: TemplateOut.model_validate(row[0], from_attributes=True),
    )


async def pronunciations(ctx: Ctx, window: Window) -> Page[PronunciationOut]:
    """The client's words, by word."""
    return await page(
        ctx,
        window,
        select(Pronunciation).where(col(Pronunciation.client_id) == ctx.client_id),
        keys={"word": col(Pronunciation.word), "created_at": col(Pronunciation.created_at)},
        default="word",
        tiebreak=col(Pronunciation.id),
        search=(Pronunciation.word, Pronunciation.replacement),
        shape=lambda row: PronunciationOut.model_validate(row[0]),
    )
