"""What all processes count together: tries to sign in from one address, in PostgreSQL.

Only where a request may be a guess, or makes us send mail. Each costs a password's hash or a row
anyway, and comes here only once this process's own count has let it through.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

from limits import RateLimitItem
from sqlalchemy import DateTime, delete, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Field, SQLModel, col

from sync2gear_platform.kit import log
from sync2gear_platform.kit.db import AsyncSession, Database, moment
from sync2gear_platform.kit.limits import refused, site_of

logger = log.get(__name__)

KEPT: Final = timedelta(hours=25)
"""Longer than any window that a rate may have."""


class RecentTries(SQLModel, table=True):
    """When an address tried lately; ``site`` is its digest. Not logged: a crash forgets them."""

    __tablename__ = "recent_tries"
    __table_args__ = {"prefixes": ["UNLOGGED"]}

    site: str = Field(primary_key=True, max_length=64)
    tries: list[datetime] = Field(sa_type=ARRAY(DateTime(timezone=True)))
    at: datetime = moment(index=True)


_WITHIN: Final = "unnest(r.tries) t WHERE t > clock_timestamp() - make_interval(secs => :window)"

_TRY: Final = text(
    f"""
    INSERT INTO recent_tries AS r (site, tries, at)
    VALUES (:site, ARRAY[clock_timestamp()], clock_timestamp())
    ON CONFLICT (site) DO UPDATE
    SET tries = ARRAY(SELECT t FROM {_WITHIN} ORDER BY t) || clock_timestamp(),
        at = clock_timestamp()
    WHERE (SELECT count(*) FROM {_WITHIN}) < :most
    RETURNING 1
    """  # noqa: S608 - our own words
)
"""One statement, whose row lock makes those who try at once take turns. By the clock of the
database: those of our machines may differ."""

_WAIT: Final = text(
    f"""
    SELECT ceil(extract(epoch FROM min(t) - clock_timestamp()) + :window)
    FROM recent_tries r, {_WITHIN} AND site = :site
    """  # noqa: S608 - likewise
)


class Joint:
    """One limit for all processes that share a database."""

    def __init__(self, db: Database, item: RateLimitItem | None, name: str) -> None:
        self._db = db
        self._item = item
        self._name = name

    async def admit(self, state: dict[str, Any], address: str) -> None:
        """Count a try of an address; raises :class:`~sync2gear_platform.kit.limits.TooMany`.

        Without a database it counts nothing: whoever signs in needs it more than this does.
        """
        if self._item is None:
            return
        site = hashlib.sha256(site_of(address).encode()).hexdigest()
        values = {"site": site, "window": self._item.get_expiry(), "most": self._item.amount}
        try:
            async with self._db.system() as session:
                if (await session.execute(_TRY, values)).first() is not None:
                    return
                wait = (await session.execute(_WAIT, values)).scalar_one_or_none()
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            logger.warning("joint.uncounted", error=str(error)[:300])
            return
        raise refused(state, self._name, self._item, left=0, wait=max(1, int(wait or 1)))


async def forget(session: AsyncSession, now: datetime) -> None:
    """Remove what is too old to count."""
    await session.execute(delete(RecentTries).where(col(RecentTries.at) < now - KEPT))
