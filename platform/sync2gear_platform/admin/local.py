"""What is done on the machine of the platform: the first administrator, and the report."""

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal

from sqlmodel import col, select

from sync2gear_platform.admin import queries
from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import service as identity
from sync2gear_platform.identity import staff
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.tables import Client
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.kit.sheets import sheet
from sync2gear_platform.kit.vault import Vault
from sync2gear_platform.settings import Settings

COLUMNS: Final = (
    "client", "standing", "members", "devices", "online", "storage_bytes", "music",
    "announcements", "missed", "requests", "errors", "bytes_sent", "client_id",
)  # fmt: skip


@asynccontextmanager
async def _touch(settings: Settings, label: str) -> AsyncIterator[Ctx]:
    """One touch of the system, for a command of this machine."""
    vault = Vault(settings.vault_key_list)
    db = Database(settings.database_url.get_secret_value(), pool_size=1, vault=vault)
    actor = Actor(kind="system", id=None, client_id=None, label=label)
    try:
        async with db.system() as session:
            yield Ctx(db=session, actor=actor, now=Clock().now(), trace=label)
    finally:
        await db.close()


async def create_admin(settings: Settings, email: str, name: str) -> staff.Link:
    """Make ``email`` an administrator; returns the link by which it chooses a password.

    Somebody who has an account keeps it, and its password until the link is used: whoever may
    run this may read the database anyway. Repeated, it gives a new link.
    """
    async with _touch(settings, "create-admin") as ctx:
        user = await identity.find_user(ctx, email)
        if user is None:
            hashed = await staff.no_password(Passwords(settings.argon2_memory_kib))
            user = await identity.create_person(
                ctx, email=email, name=name, password_hash=hashed, staff_role="admin"
            )
            after = {"email": email, "role": "admin"}
            audit.record(ctx, "user.create", "user", user.id, after=after)
        elif not user.is_active:
            raise Refusal("This account is disabled: enable it first.", code="disabled")
        else:
            after = {"staff_role": "admin"}
            before = rows.change(ctx, user, dict(after))
            audit.record(ctx, "user.update", "user", user.id, before=before, after=after)
        return await staff.first_password(ctx, user, settings.public_url)


async def report(
    settings: Settings, since: date | None, until: date | None, form: Literal["text", "csv"]
) -> str:
    """What each client used from ``since`` to ``until`` (UTC days, both included), by name.

    By default the thirty days that end today. Devices and storage are as they are now.
    """
    async with _touch(settings, "report") as ctx:
        last = until or ctx.now.date()
        first = since or last - timedelta(days=29)
        if first > last:
            raise Refusal("The first day is after the last.", code="bad_dates")
        table = await _table(ctx, first, last)
    if form == "csv":
        return sheet([COLUMNS, *table]).decode()
    return f"{first} to {last} (UTC)\n\n{_aligned([COLUMNS, *table])}"


async def _table(ctx: Ctx, first: date, last: date) -> list[tuple[Any, ...]]:
    """The rows of the report: a fixed number of queries for all clients."""
    begin, end = (datetime.combine(d, time(), UTC) for d in (first, last + timedelta(days=1)))
    statement = select(Client).where(col(Client.deleted_at).is_(None)).order_by(col(Client.name))
    clients = (await ctx.db.exec(statement)).all()
    used = await queries.uses(ctx, [one.id for one in clients])
    heard = await queries.heard(ctx, begin, end)
    asked = await queries.api_use(ctx, begin, end - timedelta(days=1))
    table = []
    for one in clients:
        has, sounded, api = used[one.id], heard[one.id], asked.get(one.id)
        table.append((
            one.name, queries.standing(ctx, one), has.members, has.devices, has.devices_online,
            has.storage_bytes, sounded.music, sounded.announcements, sounded.missed,
            *((api.requests, api.errors, api.bytes_sent) if api else (0, 0, 0)), one.id,
        ))  # fmt: skip
    return table


def _aligned(table: Sequence[Sequence[Any]]) -> str:
    """``table`` in columns, texts to the left and numbers to the right."""
    cells = [[" ".join(str(value).split()) for value in row] for row in table]
    widths = [max(len(row[n]) for row in cells) for n in range(len(COLUMNS))]
    text = io.StringIO()
    for row, values in zip(cells, table, strict=True):
        padded = [
            cell.rjust(width) if isinstance(value, int) else cell.ljust(width)
            for cell, value, width in zip(row, values, widths, strict=True)
        ]
        text.write("  ".join(padded).rstrip() + "\n")
    return text.getvalue()
