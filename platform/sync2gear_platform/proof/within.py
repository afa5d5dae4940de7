"""Which zones of a client are reckoned: all, all but some that are put off, or one of those."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement


@dataclass(frozen=True, slots=True)
class Within:
    """Which zones of a client are meant: ``only`` this one, or all ``without`` some."""

    only: UUID | None = None
    without: frozenset[UUID] = frozenset()

    def holds(self, zone: UUID) -> bool:
        """Whether this zone is meant."""
        return zone not in self.without if self.only is None else zone == self.only

    def clause(self, column: Any) -> ColumnElement[bool]:
        """The same in SQL, of a column of zones."""
        found: ColumnElement[bool] = (
            column.notin_(self.without) if self.only is None else column == self.only
        )
        return found
