"""The durable queue: jobs deferred in the transaction that causes them, run by any worker."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from procrastinate import App, Blueprint, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status

from sync2gear_platform.kit import log
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import SYSTEM_ROLE

logger = log.get(__name__)

RETRY = RetryStrategy(max_attempts=6, exponential_wait=3)
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
    ctx: Ctx, task: str, *, lock: str | None = None, priority: int = 0, **arguments: Any
) -> int:
    """Leave ``task`` (``domain:name``) to a worker once this transaction commits; its job's id.

    The task is called with ``client_id`` and ``arguments``, which are JSON values. Of jobs with
    the same ``lock`` one runs at a time, in order.
    """
    connection = await ctx.db.connection()
    raw = (await connection.get_raw_connection()).driver_connection
    job = _deferrer.configure_task(task, lock=lock, priority=priority, connection=raw)
    return await job.defer_async(client_id=str(ctx.client_id), **arguments)


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
        await asyncio.wait_for(stop.wait(), seconds)
