"""Use cases of signing in with a provider: who it is here, and that a return counts once.

``ctx`` is in the system's door: nobody is signed in yet.
"""

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import oidc, service, sessions
from sync2gear_platform.identity.oidc import ATTEMPT_LIFETIME, Identity, OidcRefused
from sync2gear_platform.identity.tables import ProviderLink, ProviderReturn, User
from sync2gear_platform.identity.tokens import digest
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal


class NoAccount(Refusal):
    """Nobody here has this e-mail address: ask a manager of your business to invite you."""

    kind = "forbidden"
    code = "oidc_no_account"


async def take(ctx: Ctx, state: str) -> None:
    """Take a return from the provider; :class:`OidcRefused` for one that was taken before."""
    await ctx.db.execute(delete(ProviderReturn).where(col(ProviderReturn.expires_at) < ctx.now))
    taken = (
        insert(ProviderReturn)
        .values(state_hash=digest(state), expires_at=ctx.now + 2 * ATTEMPT_LIFETIME)
        .on_conflict_do_nothing()
        .returning(col(ProviderReturn.state_hash))
    )
    if (await ctx.db.execute(taken)).first() is None:
        raise OidcRefused


async def person(ctx: Ctx, who: Identity, domains: Sequence[str]) -> User:
    """Whom ``who`` is here: by an earlier link, else by a verified address of a trusted domain.

    Nobody is made by signing in: people come by invitation. Raises :class:`NoAccount`.
    """
    link = await _link(ctx, who)
    if link is not None:
        user = await ctx.db.get(User, link.user_id)
    elif who.email and oidc.speaks_for(domains, who.email):
        user = await service.find_user(ctx, who.email)
        # somebody else at the provider holds this account already: an address was given anew
        if user is not None and await _other(ctx, who, user):
            user = None
    else:
        user = None
    if user is None or not user.is_active or user.deleted_at is not None:
        raise NoAccount
    return user


async def begin(ctx: Ctx, user: User, who: Identity) -> sessions.Opened:
    """A browser's session for ``user``, who is ``who`` at the provider from now on."""
    try:
        opened = await sessions.begin(ctx, user, kind="browser")
    except sessions.NoSuchClient as nowhere:
        raise NoAccount from nowhere
    if await _link(ctx, who) is None:
        ctx.db.add(
            ProviderLink(
                issuer=who.issuer, subject=who.subject, user_id=user.id, created_at=ctx.now
            )
        )
        await ctx.db.flush()
        mine = sessions.acting(ctx, opened.seat)
        after = {"issuer": who.issuer, "subject": who.subject}
        audit.record(mine, "provider_link.create", "user", user.id, after=after)
    return opened


async def _link(ctx: Ctx, who: Identity) -> ProviderLink | None:
    statement = select(ProviderLink).where(
        col(ProviderLink.issuer) == who.issuer, col(ProviderLink.subject) == who.subject
    )
    return (await ctx.db.exec(statement)).one_or_none()


async def _other(ctx: Ctx, who: Identity, user: User) -> bool:
    statement = select(ProviderLink.id).where(
        col(ProviderLink.issuer) == who.issuer, col(ProviderLink.user_id) == user.id
    )
    return (await ctx.db.exec(statement)).first() is not None
