"""The keys under which a client's emergencies hold, and telling its devices which they are.

Two are current, so that what was signed under the older one holds while devices learn the newer.
"""

import base64
from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from sync2gear_broker.messages import Emergency
from sync2gear_platform.fleet.tables import EmergencyKey
from sync2gear_platform.fleet.telling import tell_anew
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import widened
from sync2gear_platform.sites.tables import Device

CURRENT: Final = 2


async def ready(ctx: Ctx) -> Ed25519PrivateKey:
    """The client's newest key, made and told its devices where it has none yet."""
    await rows.take_turns(ctx, "emergency keys")
    found = await _held(ctx)
    row = found[0] if found else await _made(ctx)
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(ctx.vault.open(row.private_key)))


async def renew(ctx: Ctx) -> EmergencyKey:
    """Another key; the one before holds still, and older ones no longer."""
    await rows.take_turns(ctx, "emergency keys")
    for old in (await _held(ctx))[CURRENT - 1 :]:
        await ctx.db.delete(old)
    return await _made(ctx)


async def public_keys(
    db: AsyncSession, clients: Collection[UUID]
) -> Mapping[UUID, tuple[str, ...]]:
    """Each client's current public keys, the newest first."""
    statement = (
        select(EmergencyKey.client_id, EmergencyKey.public_key)
        .where(col(EmergencyKey.client_id).in_(clients))
        .order_by(col(EmergencyKey.created_at).desc(), col(EmergencyKey.id).desc())
    )
    found: dict[UUID, tuple[str, ...]] = {}
    for client_id, key in await db.exec(statement):
        found[client_id] = (*found.get(client_id, ()), key)[:CURRENT]
    return found


def signed(key: Ed25519PrivateKey, zone_id: UUID, latch: Emergency) -> Emergency:
    """``latch`` as devices of that zone obey it (Ed25519, RFC 8032, over the order's bytes)."""
    document = latch.order(str(zone_id)).canonical()
    signature = base64.b64encode(key.sign(document)).decode()
    return latch.model_copy(update={"document": document.decode(), "signature": signature})


async def _held(ctx: Ctx) -> list[EmergencyKey]:
    statement = (
        select(EmergencyKey)
        .where(col(EmergencyKey.client_id) == ctx.client_id)
        .order_by(col(EmergencyKey.created_at).desc(), col(EmergencyKey.id).desc())
    )
    return list(await ctx.db.exec(statement))


async def _made(ctx: Ctx) -> EmergencyKey:
    key = Ed25519PrivateKey.generate()
    row = rows.new(
        ctx,
        EmergencyKey,
        public_key=base64.b64encode(key.public_key().public_bytes_raw()).decode(),
        private_key=ctx.vault.seal(base64.b64encode(key.private_bytes_raw()).decode()),
    )
    await ctx.db.flush()
    async with widened(ctx.db):
        await tell_anew(ctx, col(Device.client_id) == ctx.client_id)
    return row
