"""What lines add up to: counts by day and by month, kept in step with each change of a line."""

from collections import Counter
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.proof.tables import ProofDay, ProofLine, ProofMonth

COUNTED: Final = ("planned", "played", "late", "missed", "unknown", "pending", "heard")

Key = tuple[UUID, date, str, str]


class Sums:
    """Differences that are yet to be written: by zone, day, kind and subject."""

    def __init__(self) -> None:
        self._days: Counter[tuple[Key, str]] = Counter()

    def add(self, line: ProofLine, sign: int = 1) -> None:
        """Count a line, or (``sign`` -1) no longer."""
        key = line.zone_id, line.day, line.kind, line.subject
        if line.manner == "planned":
            self._days[key, "planned"] += sign
        self._days[key, line.outcome] += sign
        self._days[key, "heard"] += sign * line.heard

    async def write(self, ctx: Ctx) -> None:
        """Add them to the rows, in one order for everybody."""
        days: dict[tuple[Any, ...], Counter[str]] = {}
        months: dict[tuple[Any, ...], Counter[str]] = {}
        for ((zone, day, kind, subject), name), count in self._days.items():
            if count:
                days.setdefault((zone, day, kind), Counter())[name] += count
                month = day.replace(day=1)
                months.setdefault((zone, month, kind, subject), Counter())[name] += count
        await _add(ctx, ProofDay, ("zone_id", "day", "kind"), days)
        await _add(ctx, ProofMonth, ("zone_id", "month", "kind", "subject"), months)


async def _add(
    ctx: Ctx, table: Any, names: tuple[str, ...], sums: dict[tuple[Any, ...], Counter[str]]
) -> None:
    rows = [
        {
            "client_id": ctx.client_id,
            **dict(zip(names, key, strict=True)),
            **{name: counted[name] for name in COUNTED},
        }
        for key, counted in sorted(sums.items())
    ]
    if not rows:
        return
    fresh = insert(table)
    made: Table = table.__table__
    await ctx.db.execute(
        fresh.on_conflict_do_update(
            index_elements=["client_id", *names],
            set_={name: made.c[name] + fresh.excluded[name] for name in COUNTED},
        ),
        rows,
    )
