"""Use cases of the proof of play: for how long lines are kept, and a client's own reports."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.proof import reckoning, reports
from sync2gear_platform.proof.reports import Template
from sync2gear_platform.proof.tables import ProofAccount, ProofTemplate

MOST: Final = 50


class TooManyTemplates(Refusal):
    """A client has at most 50 reports of its own."""

    kind = "conflict"
    code = "too_many_templates"


class WrongColumn(Refusal):
    """Rows of this kind cannot fill that column."""

    code = "wrong_column"


async def settings(ctx: Ctx) -> ProofAccount:
    """For how long lines are kept."""
    return await reckoning.account_of(ctx)


async def keep(ctx: Ctx, days: int) -> ProofAccount:
    """Keep lines for so many days; what is older goes with the next purge."""
    account = await reckoning.account_of(ctx)
    before, account.keep_days = account.keep_days, days
    ctx.db.add(account)
    audit.record(
        ctx, "proof.settings", "client", ctx.client_id,
        before={"keep_days": before}, after={"keep_days": days},
    )  # fmt: skip
    await ctx.db.flush()
    return account


async def create(ctx: Ctx, values: dict[str, Any]) -> ProofTemplate:
    """A report of the client's own."""
    _check(values)
    counted = select(func.count()).where(col(ProofTemplate.client_id) == ctx.client_id)
    if (await ctx.db.exec(counted)).one() >= MOST:
        raise TooManyTemplates
    row = rows.new(ctx, ProofTemplate, **values)
    await ctx.db.flush()
    audit.record(ctx, "proof_template.create", "proof_template", row.id, after=values)
    return row


async def update(
    ctx: Ctx, template_id: UUID, values: dict[str, Any], if_match: str | None
) -> ProofTemplate:
    """Change a report."""
    row = await rows.find(ctx, ProofTemplate, template_id, lock=True)
    rows.match(row, if_match)
    _check({"grain": row.grain, "columns": row.columns, **values})
    before = rows.change(ctx, row, values)
    audit.record(
        ctx, "proof_template.update", "proof_template", row.id, before=before, after=values
    )
    await ctx.db.flush()
    return row


async def remove(ctx: Ctx, template_id: UUID, if_match: str | None) -> None:
    """Remove a report."""
    row = await rows.find(ctx, ProofTemplate, template_id, lock=True)
    rows.match(row, if_match)
    audit.record(ctx, "proof_template.delete", "proof_template", row.id, before={"name": row.name})
    await ctx.db.delete(row)
    await ctx.db.flush()


def _check(values: dict[str, Any]) -> None:
    fitting = reports.FITTING[values["grain"]]
    for column in values["columns"]:
        if column["key"] not in fitting:
            fits = ", ".join(sorted(fitting))
            raise WrongColumn(f"{column['key']} is no column of such a row. These are: {fits}.")


async def own(ctx: Ctx, template_id: UUID) -> Template:
    """A report of the client's own, as it is filled."""
    row = await rows.find(ctx, ProofTemplate, template_id)
    grain = next(one for one in reports.FITTING if one == row.grain)
    return reports.of_own(row.name, row.id, grain, row.columns)
