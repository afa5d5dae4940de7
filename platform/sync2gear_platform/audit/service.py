"""Recording: one call in every use case that changes something. And erasing, which is recorded."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi.encoders import jsonable_encoder
from sqlalchemy import func, or_
from sqlmodel import col, select

from sync2gear_platform.audit import rules
from sync2gear_platform.audit.redaction import redacted
from sync2gear_platform.audit.tables import AuditDetails, AuditEntry, AuditHead
from sync2gear_platform.kit.context import NOWHERE, Ctx


def record(
    ctx: Ctx,
    action: str,
    subject_type: str,
    subject_id: UUID | None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    activity: rules.Activity | None = None,
    operation: rules.Operation | None = None,
) -> AuditEntry:
    """Write down a change in its own transaction; ``action`` is ``noun.verb``.

    The entry goes into the chain of the actor's client, or into the installation's where the actor
    has none; the database seals it at the commit. ``activity`` and ``operation`` override what
    ``rules.classify`` makes of the action. Secrets are left out of ``before`` and ``after``.
    """
    kind, verb = rules.classify(action)
    body = rules.body_of(
        label=ctx.actor.label,
        address=ctx.origin.address,
        agent=ctx.origin.agent,
        before=redacted(jsonable_encoder(before)),
        after=redacted(jsonable_encoder(after)),
    )
    salt = secrets.token_hex(16)
    entry = AuditEntry(
        client_id=ctx.actor.client_id,
        at=ctx.now,
        actor_kind=ctx.actor.kind,
        actor_id=ctx.actor.id,
        session_id=ctx.actor.session_id,
        action=action,
        activity=activity or kind,
        operation=operation or verb,
        subject_type=subject_type,
        subject_id=subject_id,
        trace=ctx.trace,
        digest=rules.digest(salt, body),
    )
    ctx.db.add(entry)
    ctx.db.add(AuditDetails(entry_id=entry.id, client_id=entry.client_id, salt=salt, body=body))
    return entry


async def erase_person(ctx: Ctx, user_id: UUID, *, mentions: Sequence[str] = ()) -> int:
    """Erase a person from every chain's details; returns how many details went.

    That is the details of all that the person did or that was done to the person, and of each
    entry whose details mention one of ``mentions`` (the e-mail address). The entries stay, each
    chain says in an entry of its own what was erased, and still verifies. ``ctx`` is the system's.
    """
    await ctx.db.flush()
    await _at_leisure(ctx)
    if ctx.actor.id == user_id:  # the erasure itself must not name its author again
        ctx = replace(ctx, actor=replace(ctx.actor, label=""), origin=NOWHERE)
    concerned = or_(col(AuditEntry.actor_id) == user_id, col(AuditEntry.subject_id) == user_id)
    joined = select(AuditEntry.client_id, AuditEntry.id).join(
        AuditDetails, col(AuditDetails.entry_id) == col(AuditEntry.id)
    )
    chains = (await ctx.db.exec(joined.where(concerned))).all()
    gone = 0
    for chain in sorted({chain for chain, _ in chains}, key=lambda c: c or rules.INSTALLATION):
        gone += await _erase(ctx, chain, "user", user_id)
    for word in filter(None, mentions):
        needle = func.strpos(func.lower(col(AuditDetails.body)), word.lower()) > 0
        for chain, entry_id in (await ctx.db.exec(joined.where(needle))).all():
            gone += await _erase(ctx, chain, "audit_entry", entry_id)
    return gone


async def _erase(ctx: Ctx, chain: UUID | None, subject_type: str, subject_id: UUID) -> int:
    """Write the erasure into ``chain`` and let the database do what it says."""
    inside = replace(ctx, actor=replace(ctx.actor, client_id=chain))
    entry = record(inside, rules.ERASE, subject_type, subject_id)
    await ctx.db.flush()
    return int((await ctx.db.execute(func.audit_erase(entry.id).select())).scalar_one())


async def remove_chain(ctx: Ctx, client_id: UUID) -> None:
    """Remove all that was written down about a client, right before the client itself.

    The installation's chain keeps that it was done, how long the chain was and its last hash.
    ``ctx`` is the system's.
    """
    outside = replace(ctx, actor=replace(ctx.actor, client_id=None))
    await ctx.db.flush()
    await _at_leisure(ctx)
    head = await ctx.db.get(AuditHead, client_id)
    before = {"entries": head.seq, "hash": head.hash} if head else None
    entry = record(outside, rules.REMOVE, "client", client_id, before=before)
    await ctx.db.flush()
    await ctx.db.execute(func.audit_remove(entry.id).select())


async def _at_leisure(ctx: Ctx) -> None:
    """Let this transaction's statements take their time: a long trail is read to its end."""
    await ctx.db.execute(func.set_config("statement_timeout", "0", True).select())
