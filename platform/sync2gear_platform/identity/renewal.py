"""Use cases of staying signed in: the next secret of a session, and what an old one means."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import sessions
from sync2gear_platform.identity.tables import Session
from sync2gear_platform.identity.tokens import (
    SessionEnded,
    Signer,
    digest,
    named,
    new_secret,
    read_named,
    same,
)
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal

GRACE: Final = timedelta(seconds=10)
"""So long the refresh token before the newest gives the same answer again: calls in parallel."""


class RefreshReused(Refusal):
    """This refresh token was used before: somebody else may hold it. Sign in again."""

    kind = "unauthenticated"
    code = "refresh_reused"


async def refresh(ctx: Ctx, signer: Signer, token: str) -> sessions.Opened | None:
    """The next refresh token of a family; ``None`` for an older one, which ends the family.

    That end must be committed before the caller hears of it. Raises :class:`SessionEnded`.
    Calls in parallel with the newest token get the same answer, so that they leave one family.
    """
    parts = read_named(sessions.REFRESH, token)
    if parts is None:
        raise SessionEnded
    session_id, secret = parts
    await ctx.db.exec(select(Session.id).where(col(Session.id) == session_id).with_for_update())
    seat = await sessions.find(ctx, col(Session.id) == session_id)
    if seat is None or seat.session.kind != "token":
        raise SessionEnded
    session, given = seat.session, digest(secret)
    if same(given, session.secret_hash):
        fresh = signer.successor(session_id, given)
        session.previous_hash, session.secret_hash = given, digest(fresh)
        session.rotated_at = session.last_used_at = ctx.now
        await ctx.db.flush()
        return sessions.Opened(seat, named(sessions.REFRESH, session_id, fresh))
    if same(given, session.previous_hash) and ctx.now - session.rotated_at <= GRACE:
        return sessions.Opened(
            seat, named(sessions.REFRESH, session_id, signer.successor(session_id, given))
        )
    sessions.close(ctx, session, "refresh_reused")
    audit.record(
        sessions.acting(ctx, seat), "session.reuse", "session", session_id, operation="warning"
    )
    return None


async def renewed(ctx: Ctx, session_id: UUID) -> sessions.Opened:
    """The same session with a new secret, as after a change of the password."""
    seat = await sessions.seat_of(ctx, session_id)
    secret = new_secret()
    session = seat.session
    session.secret_hash, session.previous_hash = digest(secret), ""
    session.rotated_at = session.last_used_at = ctx.now
    await ctx.db.flush()
    return sessions.Opened(
        seat,
        named(
            sessions.COOKIE if session.kind == "browser" else sessions.REFRESH, session_id, secret
        ),
    )
