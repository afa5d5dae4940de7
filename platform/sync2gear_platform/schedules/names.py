"""What channels, folders, tracks and announcements are called, many at once."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.channels.tables import Channel
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.tables import Folder, Track

_CALLED: Final[Mapping[str, Any]] = {
    "channel_id": Channel.name,
    "inner_channel_id": Channel.name,
    "folder_id": Folder.name,
    "track_id": Track.title,
    "announcement_id": Announcement.title,
}
"""The columns by which lines and schedules name something, and what that is called."""


async def of(ctx: Ctx, rows: Sequence[Any], columns: Collection[str]) -> dict[UUID, str]:
    """What the things are called that these rows name in ``columns``: a query for each at most."""
    found: dict[UUID, str] = {}
    for column in columns:
        wanted = {getattr(row, column) for row in rows} - {None}
        called = _CALLED[column]
        table = called.class_
        statement = select(table.id, called).where(
            col(table.client_id) == ctx.client_id, col(table.id).in_(wanted)
        )
        if wanted:
            found.update((id_, name) for id_, name in (await ctx.db.execute(statement)).all())
    return found


def called(row: Any, names: Mapping[UUID, str], columns: Collection[str]) -> str:
    """What a row names, in words; empty where it names nothing that is still here."""
    ids = (getattr(row, column) for column in columns)
    return next((names[id_] for id_ in ids if id_ in names), "")
