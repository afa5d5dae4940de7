"""Guessing of passwords: each try is counted before the password is looked at, in every process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, update
from sqlmodel import col, select

from sync2gear_platform.identity import rules
from sync2gear_platform.identity.tables import Session, SignInAttempt, User
from sync2gear_platform.kit.db import AsyncSession, Database
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.kit.fields import folded
from sync2gear_platform.kit.limits import site_of

FAMILIAR: Final = timedelta(days=30)
"""An address is familiar to an account that signed in from there so lately."""

KEPT: Final = timedelta(days=1)


class TooManyAttempts(Refusal):
    """Too many tries to sign in failed: wait, or reset the password."""

    kind = "limited"
    code = "too_many_attempts"


@dataclass
class Try:
    """One try; ``ok`` once it turned out to be the right person's."""

    ok: bool = False


@asynccontextmanager
async def counted(
    db: Database, *, account: str, email: str, address: str, now: datetime
) -> AsyncIterator[Try]:
    """Within: one try to sign in, counted whatever becomes of it (transactions of its own).

    Raises :class:`TooManyAttempts` before it begins. Tries for one account take turns here, so
    that many at once are counted as many. All of an IPv6 /64 is one address: whoever has one has
    all of it.
    """
    address = site_of(address)
    async with db.system() as session:
        lock = func.pg_advisory_xact_lock(func.hashtextextended(account, 0))
        await session.execute(select(lock))
        failures = await _failures(session, account, email, address, now)
        if not rules.may_try(failures):
            seconds = int(rules.WINDOW.total_seconds())
            raise TooManyAttempts(retry_after=seconds)
        attempt = SignInAttempt(account=account, address=address, at=now)
        session.add(attempt)
    one = Try()
    try:
        yield one
    finally:
        if one.ok:
            async with db.system() as session:
                mine = col(SignInAttempt.id) == attempt.id
                await session.execute(update(SignInAttempt).where(mine).values(ok=True))


async def _failures(
    session: AsyncSession, account: str, email: str, address: str, now: datetime
) -> rules.Failures:
    lately = (~col(SignInAttempt.ok), col(SignInAttempt.at) > now - rules.WINDOW)
    here = col(SignInAttempt.address) == address
    mine = col(SignInAttempt.account) == account
    known = await _familiar(session, email, now)
    strangers = col(SignInAttempt.address).not_in(known)
    pair, elsewhere = (
        await session.execute(
            select(
                func.count().filter(here),
                func.count().filter(~here, strangers),
            ).where(mine, *lately)
        )
    ).one()
    all_here = select(func.count()).select_from(SignInAttempt).where(here, *lately)
    return rules.Failures(
        pair=pair,
        address=(await session.execute(all_here)).scalar_one(),
        elsewhere=elsewhere,
        familiar=address in known,
    )


async def _familiar(session: AsyncSession, email: str, now: datetime) -> set[str]:
    """From where the owner of this account signed in lately."""
    statement = (
        select(Session.address)
        .distinct()
        .join(User, col(User.id) == col(Session.user_id))
        .where(
            func.lower(col(User.email)) == folded(email),
            col(Session.created_at) > now - FAMILIAR,
        )
    )
    return {site_of(address) for address in (await session.exec(statement)).all()}


async def forget(session: AsyncSession, now: datetime) -> None:
    """Remove what is too old to count."""
    await session.execute(delete(SignInAttempt).where(col(SignInAttempt.at) < now - KEPT))
