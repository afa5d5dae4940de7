"""Writing what zones are to sound: their documents, and the programmes that these name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_broker import topics
from sync2gear_broker.messages import Programme
from sync2gear_broker.messages.base import sha256_hex
from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, outbox, revisions
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.playback import engine, history
from sync2gear_platform.playback.queries import Score
from sync2gear_platform.playback.tables import ProgrammeMedia, ProgrammeRow, ZonePlayback
from sync2gear_platform.sites.tables import Device


async def write(
    ctx: Ctx,
    wanted: Sequence[Score],
    verb: str,
    after: Mapping[str, Any],
    *,
    origin: Mapping[str, Any] | None = None,
    digests: Mapping[UUID, str] | None = None,
) -> list[Score]:
    """Write the new documents of zones whose locks are held, and tell everybody.

    ``verb`` and ``after`` are for the audit trail, ``origin`` sets what people chose, ``digests``
    (by zone) what that is like.
    """
    written = []
    for score in wanted:
        state = engine.closed(score.state, await revisions.next_version(ctx))
        row = score.row or ZonePlayback(
            zone_id=score.zone.id,
            client_id=ctx.client_id,
            epoch=state.epoch,
            rev=state.rev,
            document={},
            updated_at=ctx.now,
        )
        row.epoch, row.rev = state.version
        row.document = state.model_dump(mode="json", by_alias=True)
        row.updated_at = ctx.now
        for name, value in (origin or {}).items():
            setattr(row, name, value)
        if digests is not None and score.zone.id in digests:
            row.chosen_digest = digests[score.zone.id]
        ctx.db.add(row)
        history.remember(ctx, score.zone.id, state)
        audit.record(
            ctx, f"playback.{verb}", "zone", score.zone.id, after={**after, "rev": state.rev}
        )
        await events.changed(ctx, "zone", score.zone.id)
        if origin is not None:
            await events.tell(ctx, "zone chosen", score.zone.id)
        written.append(replace(score, row=row, state=state))
    await ctx.db.flush()
    outbox.dirty(ctx, *await _topics(ctx, [s.zone.id for s in written]))
    return written


async def _topics(ctx: Ctx, zone_ids: Sequence[UUID]) -> list[str]:
    """Every retained topic with the state of one of these zones."""
    client = str(ctx.client_id)
    devices = await ctx.db.exec(
        select(Device.id).where(
            col(Device.client_id) == ctx.client_id,
            col(Device.zone_id).in_(zone_ids),
            col(Device.revoked_at).is_(None),
        )
    )
    return [
        *(topics.build(topics.ZONE_DESIRED, client=client, zone=str(z)) for z in zone_ids),
        *(topics.build(topics.DEVICE_ZONE, client=client, device=str(d)) for d in devices),
    ]


async def store(ctx: Ctx, programme: Programme, body: bytes | None = None) -> str:
    """Write a programme and what it refers to; returns its hash. One that is here stays.

    ``body`` is the programme's one spelling, where that is known: it takes a while to make.
    """
    body = body or programme.canonical()
    sha256 = sha256_hex(body)
    row = {"client_id": ctx.client_id, "sha256": sha256, "body": body, "created_at": ctx.now}
    made = insert(ProgrammeRow).values(row).on_conflict_do_nothing()
    if not getattr(await ctx.db.execute(made), "rowcount", 0):
        return sha256
    refs = [
        {"client_id": ctx.client_id, "programme": sha256, "sha256": m.sha256}
        for m in programme.media
    ]
    await ctx.db.execute(insert(ProgrammeMedia).on_conflict_do_nothing(), refs)
    return sha256
