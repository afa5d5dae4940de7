"""Use cases of integration accounts: made, and revoked; what they may do is `access.py`'s."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.fleet import rules
from sync2gear_platform.fleet.service import SALT_BYTES, SECRET_BYTES
from sync2gear_platform.fleet.tables import MqttAccount
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal

MAX_ACCOUNTS: Final = 20
"""Of one client. The broker looks through the accounts of all whenever a device connects."""


class AccountLimit(Refusal):
    """This client has as many integration accounts as fit: revoke one that is not used."""

    kind = "conflict"
    code = "account_limit"


class AlreadyExpired(Refusal):
    """An account that has expired when it is made is of no use: give a later moment, or none."""

    code = "already_expired"


@dataclass(frozen=True, slots=True)
class Made:
    """An account that was just made; the secret is not kept anywhere."""

    account: MqttAccount
    secret: str


async def make(ctx: Ctx, *, name: str, expires_at: datetime | None = None) -> Made:
    """A new account, in force within seconds."""
    if expires_at is not None and expires_at <= ctx.now:
        raise AlreadyExpired
    # one at a time: two that count at once would both find room for the last one
    await rows.take_turns(ctx, "mqtt accounts")
    mine = select(MqttAccount).where(col(MqttAccount.client_id) == ctx.client_id).subquery()
    if (await ctx.db.exec(select(func.count()).select_from(mine))).one() >= MAX_ACCOUNTS:
        raise AccountLimit(limit=MAX_ACCOUNTS)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    hashed = rules.hash_secret(secret, secrets.token_bytes(SALT_BYTES))
    row = rows.new(ctx, MqttAccount, name=name, secret_hash=hashed, expires_at=expires_at)
    await ctx.db.flush()
    audit.record(ctx, "integration.make", "mqtt_account", row.id, after=_told(row))
    await events.changed(ctx, "accounts", row.id)
    return Made(row, secret)


async def revoke(ctx: Ctx, account_id: UUID) -> None:
    """Take an account away: it is off the broker within seconds."""
    row = await rows.find(ctx, MqttAccount, account_id, lock=True)
    audit.record(ctx, "integration.revoke", "mqtt_account", row.id, before=_told(row))
    await ctx.db.delete(row)
    await ctx.db.flush()
    await events.changed(ctx, "accounts", account_id)


def _told(row: MqttAccount) -> dict[str, object]:
    return {"name": row.name, "expires_at": row.expires_at}
