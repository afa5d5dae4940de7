"""The durable queue: jobs deferred in the transaction that causes them, run by any worker."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from procrastinate import App, Blueprint, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from sync2gear_platform.kit import log
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import SYSTEM_ROLE, AsyncSession
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.kit.vault import Locked, Vault

logger = log.get(__name__)

ATTEMPTS = 6
RETRY = RetryStrategy(max_attempts=ATTEMPTS, exponential_wait=3)
"""For every task: again after 3, 9, 27, 81 and 243 seconds."""

MAX_RESCUES = 10
"""A job that so many workers died with is the likely cause of their death."""

CONCURRENCY = 4
RESCUE_SECONDS = 20.0
STALLED_SECONDS = 30.0
GRACE_SECONDS = 5.0

_deferrer = App(connector=PsycopgConnector())
"""Never opened: it only spells the insertion, which runs on the caller's own connection."""


async def defer(
    ctx: Ctx,
    task: str,
    *,
    lock: str | None = None,
    priority: int = 0,
    values: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> int:
    """Leave ``task`` (``domain:name``) to a worker once this transaction commits; its job's id.

    The task is called with ``client_id`` (``None`` for what belongs to no client) and
    ``arguments``, which are JSON values that anybody with the database may read. ``values`` may
    hold secrets, such as the link of a mail: the task gets them as ``sealed``, for
    :func:`opened`. Of jobs with the same ``lock`` one runs at a time, in order.
    """
    connection = await ctx.db.connection()
    raw = (await connection.get_raw_connection()).driver_connection
    job = _deferrer.configure_task(task, lock=lock, priority=priority, connection=raw)
    client_id = None if ctx.actor.client_id is None else str(ctx.actor.client_id)
    if values is not None:
        arguments["sealed"] = ctx.vault.seal(json.dumps(values))
    return await job.defer_async(client_id=client_id, **arguments)


def opened(vault: Vault, sealed: str) -> dict[str, Any]:
    """The ``values`` that a job was deferred with."""
    values: dict[str, Any] = json.loads(vault.open(sealed))
    return values


async def reseal_values(session: AsyncSession, vault: Vault) -> int:
    """Put the ``values`` of every job under the vault's first key; returns how many were not.

    ``session`` is the system's. A job whose key is missing stays as it is: it cannot run either.
    """
    old = text(
        "SELECT id, args->>'sealed' FROM procrastinate_jobs"
        " WHERE args ? 'sealed' AND NOT starts_with(args->>'sealed', :prefix)"
        " FOR UPDATE SKIP LOCKED"
    )
    changed = 0
    for job, sealed in (await session.execute(old, {"prefix": vault.prefix})).all():
        try:
            resealed = vault.reseal(sealed)
        except Locked:
            logger.warning("vault.unreadable", table="procrastinate_jobs", rows=[job])
            continue
        await session.execute(
            text(
                "UPDATE procrastinate_jobs"
                " SET args = jsonb_set(args, '{sealed}', to_jsonb(CAST(:sealed AS text)))"
                " WHERE id = :job"
            ),
            {"sealed": resealed, "job": job},
        )
        changed += 1
    return changed


@asynccontextmanager
async def open_app(url: str, domains: Mapping[str, Blueprint] | None = None) -> AsyncIterator[App]:
    """The queue in the database at ``url`` with the tasks of ``domains``, as the system.

    Needs no database yet: connections are made when used. A blueprint belongs to one app.
    """
    connector = PsycopgConnector(
        conninfo=url,
        min_size=0,
        max_size=CONCURRENCY + 4,
        timeout=10.0,
        kwargs={
            "options": f"-c role={SYSTEM_ROLE} -c statement_timeout=15000 -c timezone=UTC",
            "application_name": "sync2gear jobs",
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20000,
        },
    )
    app = App(connector=connector)
    for namespace, blueprint in (domains or {}).items():
        app.add_tasks_from(blueprint, namespace=namespace)
    async with app.open_async():
        yield app


async def see_through(
    context: JobContext, work: Awaitable[None], give_up: Callable[[], Awaitable[None]]
) -> None:
    """Await a job's ``work``; if it fails for reasons of ours at the last attempt, ``give_up``.

    What fails before that is left to the task's ``RETRY``; a subject that was removed meanwhile
    (``NotFound``) leaves nothing to do.
    """
    subject = context.job.task_kwargs
    try:
        await work
    except NotFound as error:
        logger.info("job dropped", task=context.job.task_name, **subject, reason=error.detail)
    except (OSError, SQLAlchemyError) as error:
        if context.job.attempts < ATTEMPTS:
            raise
        logger.warning(
            "job given up", task=context.job.task_name, **subject, error=str(error)[:500]
        )
        await give_up()


async def run_worker(
    app: App,
    stop: asyncio.Event,
    *,
    concurrency: int = CONCURRENCY,
    grace: float = GRACE_SECONDS,
) -> None:
    """Run jobs until ``stop`` is set, whatever becomes of the database meanwhile.

    Jobs that run then have ``grace`` seconds; what is not done is left for another worker.

    Procrastinate's worker returns when its connections break; it is started again, with growing
    pauses while nothing answers. Jobs whose worker died are put back.
    """
    rescue = asyncio.create_task(_rescue(app, stop), name="jobs rescue")
    pause = 0.1
    try:
        while not stop.is_set():
            began = asyncio.get_running_loop().time()
            await _run_until(app, stop, concurrency, grace)
            if stop.is_set():
                return
            lived = asyncio.get_running_loop().time() - began
            pause = 0.1 if lived > 30 else min(pause * 2, 5.0)
            logger.warning("jobs.worker_returned", again_in=pause)
            await _sleep(stop, pause)
    finally:
        rescue.cancel()
        with suppress(asyncio.CancelledError):
            await rescue


async def _run_until(app: App, stop: asyncio.Event, concurrency: int, grace: float) -> None:
    worker = asyncio.create_task(
        app.run_worker_async(
            concurrency=concurrency,
            install_signal_handlers=False,
            listen_notify=True,
            delete_jobs="successful",
            shutdown_graceful_timeout=grace,
            update_heartbeat_interval=10,
            stalled_worker_timeout=STALLED_SECONDS,
        ),
        name="jobs worker",
    )
    stopped = asyncio.create_task(stop.wait(), name="jobs stop")
    try:
        await asyncio.wait({worker, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        worker.cancel()
        try:
            await worker
        except asyncio.CancelledError:
            logger.info("jobs.worker_stopped")
        except Exception as error:  # noqa: BLE001 - the loop around must outlive any failure of it
            logger.warning("jobs.worker_failed", error=repr(error)[:500])


async def _rescue(app: App, stop: asyncio.Event) -> None:
    """Put back the jobs of workers that died, and say now and then that this one lives."""
    while not stop.is_set():
        await _sleep(stop, RESCUE_SECONDS)
        try:
            await rescue(app)
            logger.debug("jobs.alive")
        except (ConnectorException, OSError) as error:
            logger.warning("jobs.rescue_failed", error=repr(error)[:500])


async def rescue(app: App, *, stalled_seconds: float = STALLED_SECONDS) -> int:
    """Put back jobs whose worker has given no sign for so long; returns how many."""
    manager = app.job_manager
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=stalled_seconds))
    for job in stalled:
        if job.attempts >= MAX_RESCUES:
            logger.error("jobs.given_up", task=job.task_name, job=job.id)
            await manager.finish_job(job, status=Status.FAILED, delete_job=False)
        else:
            logger.warning("jobs.put_back", task=job.task_name, job=job.id)
            await manager.retry_job(job)
    return len(stalled)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
