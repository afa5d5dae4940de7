"""Recording: one call in every use case that changes something."""

from typing import Any
from uuid import UUID

from fastapi.encoders import jsonable_encoder

from sync2gear_platform.audit.tables import AuditEntry
from sync2gear_platform.kit.context import Ctx

SECRET_FIELDS = frozenset({"password", "password_hash", "secret", "secret_hash", "token"})


def redacted(values: dict[str, Any] | None) -> dict[str, Any] | None:
    """``values`` as JSON values, with every secret replaced by ``"***"``."""
    if values is None:
        return None
    plain = jsonable_encoder(values)
    return {k: "***" if k in SECRET_FIELDS else v for k, v in plain.items()}


def record(
    ctx: Ctx,
    action: str,
    subject_type: str,
    subject_id: UUID | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write down a change in its own transaction; ``action`` is ``noun.verb``."""
    ctx.db.add(
        AuditEntry(
            client_id=ctx.client_id,
            at=ctx.now,
            actor_kind=ctx.actor.kind,
            actor_id=ctx.actor.id,
            actor_label=ctx.actor.label,
            action=action,
            subject_type=subject_type,
            subject_id=subject_id,
            before=redacted(before),
            after=redacted(after),
            trace=ctx.trace,
        )
    )
