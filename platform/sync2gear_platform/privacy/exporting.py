"""Filling an archive: every row of a client or a person in one snapshot, then the audio."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Table, and_, select, text

from sync2gear_platform.identity.tables import User
from sync2gear_platform.identity.tokens import Signer
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.db import AsyncSession, Database, enter_system
from sync2gear_platform.privacy import archive, inventory
from sync2gear_platform.privacy.archive import Archive
from sync2gear_platform.privacy.inventory import Person
from sync2gear_platform.settings import Settings

ROWS: Final = 500
"""Rows that are in memory at once."""


@dataclass(frozen=True, slots=True)
class Place:
    """What exporting and erasing need besides the database."""

    db: Database
    blobs: Blobs
    clock: Clock
    signer: Signer
    exports: Path
    tombstones: Path


def open_place(settings: Settings, db: Database, blobs: Blobs) -> Place:
    """What these settings say of it."""
    signer = Signer(settings.secret_key.get_secret_value())
    return Place(db, blobs, Clock(), signer, settings.exports_path, settings.tombstones_path)


async def find_person(place: Place, session: AsyncSession, user_id: UUID) -> Person | None:
    """By what a person is found; ``None`` for nobody."""
    user = await session.get(User, user_id)
    if user is None:
        return None
    return Person(user.id, user.email, place.signer.account(user.email))


def client_query(table: Table, client_id: UUID) -> Select[Any]:
    """The rows of ``table`` that an archive of the client holds."""
    query = select(*inventory.shown(table)).where(inventory.owner_of(table) == client_id)
    return query.order_by(*table.primary_key.columns)


def members_query(client_id: UUID) -> Select[Any]:
    """The client's people, as far as it sees them itself."""
    users, members = inventory.named("users"), inventory.named("memberships")
    columns = [users.c[n] for n in ("id", "email", "name", "phone", "locale", "timezone")]
    joined = select(*columns).join(members, and_(members.c.user_id == users.c.id))
    return joined.where(members.c.client_id == client_id).order_by(users.c.id)


def person_query(table: Table, person: Person) -> Select[Any]:
    """The rows of ``table`` that an archive of the person holds."""
    query = select(*inventory.shown(table)).where(inventory.of_person(table, person))
    return query.order_by(*table.primary_key.columns)


async def write_client(session: AsyncSession, into: Archive, client: UUID) -> None:
    """Every row of the client, from one snapshot."""
    for table in inventory.of_clients():
        await _table(session, into, table.name, client_query(table, client))
    await _table(session, into, "members", members_query(client))


async def write_media(place: Place, into: Archive, hashes: list[str]) -> None:
    """The audio of the client, as it came."""
    for sha256 in hashes:
        if await place.blobs.size(sha256) is not None:
            await into.add(f"media/{sha256}", place.blobs.read(sha256), packed=False)


async def write_person(session: AsyncSession, into: Archive, person: Person) -> None:
    """Every row of the person, from one snapshot."""
    for table in inventory.tables():
        if inventory.is_personal(table):
            await _table(session, into, table.name, person_query(table, person))


async def _table(session: AsyncSession, into: Archive, name: str, query: Select[Any]) -> None:
    await into.add(f"data/{name}.jsonl", _lines(session, query), rows=True)


async def _lines(session: AsyncSession, query: Select[Any]) -> AsyncIterator[bytes]:
    connection = await session.connection()
    rows = await connection.stream(query, execution_options={"yield_per": ROWS})
    async for part in rows.mappings().partitions(ROWS):
        yield b"".join(
            json.dumps(dict(row), default=_plain, ensure_ascii=False).encode() + b"\n"
            for row in part
        )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


async def snapshot(session: AsyncSession) -> None:
    """Begin a transaction of the system that sees one moment, and may take its time."""
    await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    await enter_system(session)
    await session.execute(text("SET LOCAL statement_timeout = 0"))


class SubjectGoneError(Exception):
    """There is nothing left to pack."""


async def fill(
    place: Place, export_id: UUID, client_id: UUID | None, user_id: UUID | None
) -> archive.Written:
    """Write the archive of a client or a person; :class:`SubjectGoneError` where it is gone."""
    async with archive.writing(place.exports, export_id) as (into, written):
        hashes: list[str] = []
        async with place.db.session() as session, session.begin():
            await snapshot(session)
            if client_id is not None:
                await write_client(session, into, client_id)
                media = inventory.named("media")
                found = select(media.c.sha256).where(media.c.client_id == client_id)
                hashes = sorted((await session.execute(found)).scalars().all())
            else:
                person = await find_person(place, session, user_id) if user_id else None
                if person is None:
                    raise SubjectGoneError
                await write_person(session, into, person)
        await write_media(place, into, hashes)
        await into.finish(
            readme(is_client=client_id is not None),
            format=1,
            subject={"kind": "client" if client_id else "user", "id": str(client_id or user_id)},
            made_at=place.clock.now().isoformat(),
        )
    return written


def readme(*, is_client: bool) -> str:
    """What the archive is, in words."""
    whose = "this client (business)" if is_client else "you"
    words = (
        f"Everything that sync2gear holds about {whose}, as it was when this archive was made.\n\n"
        "data/      one file for each kind of thing, one JSON object in each line; moments are\n"
        "           UTC, bytes are base64, ids refer to lines of other files\n"
    )
    if is_client:
        words += "media/     the audio as it came, each file named by the SHA-256 of its content;\n"
        words += "           data/tracks.jsonl and data/announcements.jsonl say what it is\n"
    return words + (
        "manifest.json  every file with its size, its SHA-256 and the number of its lines\n\n"
        "Left out are secrets: passwords, tokens and keys, even as hashes.\n"
        "Letters that were sent are listed, their text is forgotten once they are sent.\n"
    )
