"""Asking for a mail: upwards only by a job, since who delivers mail stands above identity."""

from typing import Any, Final

from sync2gear_platform.jobs import app as jobs
from sync2gear_platform.kit.context import Ctx

TASK: Final = "notifications:mail"


async def send(ctx: Ctx, to: str, template: str, locale: str, **values: Any) -> None:
    """Have ``template`` mailed to ``to`` once this transaction commits."""
    await jobs.defer(ctx, TASK, to=to, template=template, locale=locale, values=values)
