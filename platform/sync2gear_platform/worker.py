"""The worker: jobs on every one of them, and on the leader everything that speaks MQTT."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import uuid4

import psycopg
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from pydantic import ValidationError
from sqlalchemy import func
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlmodel import col, select

from sync2gear_broker import topics
from sync2gear_broker.messages import TimeReply, TimeRequest
from sync2gear_platform import tables
from sync2gear_platform.fleet import mqtt as fleet
from sync2gear_platform.fleet.accounts import Accounts
from sync2gear_platform.fleet.presence import FILTERS, PresenceIngest
from sync2gear_platform.jobs import leader
from sync2gear_platform.jobs.app import open_app, run_worker
from sync2gear_platform.kit import events, listen, log, mqtt, outbox
from sync2gear_platform.kit.blobs import open_blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.mqtt import BrokerLost, Message, Session
from sync2gear_platform.kit.outbox import OutboxMark
from sync2gear_platform.kit.relay import Relay
from sync2gear_platform.kit.seldom import Seldom
from sync2gear_platform.kit.web import NOBODY
from sync2gear_platform.library import jobs as library
from sync2gear_platform.playback import mqtt as playback
from sync2gear_platform.playback import service
from sync2gear_platform.playback.ingest import Ingest
from sync2gear_platform.settings import Settings

__all__ = ["run", "tables"]

logger = log.get(__name__)
strangers = Seldom(logger)

CLIENT_ID: Final = "sync2gear-leader"
"""Fixed, so that a new leader takes the connection from one that does not know yet that it lost."""

FIRST_RETRY, LAST_RETRY = 0.2, 5.0
LAG_SECONDS: Final = 30
"""A topic that has been dirty for so long is worth a line in the log."""

_SUBSCRIPTIONS: Final = (
    *FILTERS,
    (topics.everyone(topics.PLAY_EVENTS), 1),
    (topics.everyone(topics.TIME_REQUEST), 0),
)


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    db = Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool)
    try:
        blobs = open_blobs(settings.blobs_url)
        domains = {"library": library.blueprint(db, blobs, settings.import_dir)}
        async with open_app(db.url, domains) as jobs:
            leading = asyncio.create_task(lead(settings, db), name="leader")
            working = asyncio.create_task(run_worker(jobs, stop), name="jobs")
            stopping = asyncio.create_task(stop.wait(), name="stop")
            tasks = {leading, working, stopping}
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            leading.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for task in done:
                task.result()
    finally:
        await db.close()


async def lead(settings: Settings, db: Database) -> None:
    """Lead whenever nobody else does, for ever."""
    while True:
        async with leader.lease(db.url) as connection:
            one = Leader(settings, db)
            try:
                await one.run(connection)
            except* psycopg.OperationalError as lost:
                logger.warning("leader.lost_lease", error=str(_first(lost)).strip()[:300])
            except* (DBAPIError, InterfaceError, OSError, TimeoutError) as failed:
                logger.warning("leader.failed", error=repr(_first(failed))[:300])
        await asyncio.sleep(FIRST_RETRY)


class Leader:
    """What one term of leadership consists of."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings = settings
        self._db = db
        self._clock = Clock()
        self._source = str(uuid4())
        projections = (*playback.PROJECTIONS, *fleet.projections(settings.public_url))
        self._relay = Relay(db, self._clock, projections)
        self._plays = Ingest(db, self._clock)
        self._presence = PresenceIngest(db, self._clock)
        self._session: Session | None = None
        self._answers: asyncio.Queue[tuple[str, TimeReply]] = asyncio.Queue(1000)
        self._accounts = (
            Accounts(db, settings.mqtt_password_file, settings.mqtt_pid_file)
            if settings.mqtt_password_file
            else None
        )

    async def run(self, connection: listen.Connection) -> None:
        """Lead until the lease is lost, which raises, or until cancelled."""
        await listen.listen(connection, outbox.CHANNEL, events.CHANNEL)
        timers = self._timers()
        timers.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(connection), name="lease")
                group.create_task(self._speak(), name="broker")
                if self._accounts is not None:
                    group.create_task(self._keep(self._accounts.run), name="accounts")
        finally:
            timers.shutdown(wait=False)

    async def _listen(self, connection: listen.Connection) -> None:
        async for channel, payload in listen.signals(connection):
            if channel == outbox.CHANNEL:
                self._relay.wake()
            elif " accounts " in payload and self._accounts is not None:
                self._accounts.wake()

    async def _speak(self) -> None:
        """Keep one connection to the broker, and everything that needs it, for ever."""
        pause = FIRST_RETRY
        while True:
            loop = asyncio.get_running_loop()
            began = loop.time()
            try:
                await self._converse()
            except* BrokerLost as lost:
                logger.warning("broker.lost", error=str(_first(lost))[:300])
            except* (DBAPIError, InterfaceError, OSError, TimeoutError) as failed:
                logger.warning("broker.interrupted", error=repr(_first(failed))[:300])
            pause = FIRST_RETRY if loop.time() - began > LAST_RETRY else min(2 * pause, LAST_RETRY)
            await asyncio.sleep(pause)

    async def _converse(self) -> None:
        url = self._settings.mqtt_url.get_secret_value()
        self._presence = PresenceIngest(self._db, self._clock)
        try:
            async with mqtt.session(url, client_id=CLIENT_ID, heard=self._heard) as session:
                logger.info("broker.connected")
                self._session = session
                await session.subscribe(_SUBSCRIPTIONS)
                async with asyncio.TaskGroup() as group:
                    group.create_task(session.until_lost())
                    group.create_task(self._relay.run(session))
                    group.create_task(self._plays.run(session.publish))
                    group.create_task(self._presence.run())
                    group.create_task(self._answer(session))
        finally:
            self._session = None

    def _heard(self, message: Message) -> None:
        """Hand each message to whom it concerns, at once."""
        received = self._clock.micros()
        address = topics.parse(message.topic)
        if address is None or len(message.payload) > address.channel.max_bytes:
            strangers.warning("mqtt.ignored", topic=message.topic[:200], bytes=len(message.payload))
        elif address.channel is topics.TIME_REQUEST:
            self._heard_time(address, message.payload, received)
        elif address.channel is topics.PLAY_EVENTS:
            self._plays.heard(address, message.payload)
        elif address.channel.sender == "platform":
            self._relay.heard(message)
        else:
            self._presence.heard(address, message.payload, retained=message.retained)

    def _heard_time(self, address: topics.Address, payload: bytes, received: int) -> None:
        """Queue the answer; ``t3`` is set when it is sent."""
        try:
            request = TimeRequest.parse(payload)
            topic = topics.build(
                topics.TIME_REPLY, client=str(address.client), device=str(address.device)
            )
            reply = TimeReply(
                t1=request.t1, t2=received, t3=received, src=self._source, n=request.n
            )
            self._answers.put_nowait((topic, reply))
        except (ValidationError, asyncio.QueueFull) as error:
            strangers.warning("time.ignored", device=address.device, error=str(error)[:200])

    async def _answer(self, session: Session) -> None:
        while True:
            topic, reply = await self._answers.get()
            reply = reply.model_copy(update={"t3": self._clock.micros()})
            await session.publish(topic, reply.canonical())

    def _timers(self) -> AsyncIOScheduler:
        """What is due by the clock: none of it matters to the second."""
        timers = AsyncIOScheduler(timezone="UTC")
        timers.add_job(self._sweep, "interval", seconds=15)
        timers.add_job(self._lag, "interval", seconds=LAG_SECONDS)
        timers.add_job(self._collect, "interval", hours=6)

        def failed(event: Any) -> None:
            logger.warning("timer.failed", job=event.job_id, error=repr(event.exception)[:300])

        timers.add_listener(failed, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
        return timers

    async def _sweep(self) -> None:
        await self._presence.sweep()

    async def _collect(self) -> None:
        async with self._db.system() as session:
            ctx = Ctx(db=session, actor=NOBODY, now=self._clock.now(), trace="housekeeping")
            logger.info("programmes.collected", rows=await service.collect_programmes(ctx))

    async def _lag(self) -> None:
        """Say when topics wait for long: the broker is away, or the relay is stuck."""
        async with self._db.system() as session:
            statement = select(func.count(), func.min(col(OutboxMark.created_at)))
            waiting, oldest = (await session.exec(statement)).one()
        age = (self._clock.now() - oldest).total_seconds() if oldest else 0.0
        if age > LAG_SECONDS:
            logger.warning("outbox.lag", waiting=waiting, oldest_seconds=round(age, 1))

    async def _keep(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do ``work`` again whenever the database or the disk interrupts it."""
        while True:
            try:
                await work()
            except (DBAPIError, InterfaceError, OSError, TimeoutError) as error:
                logger.warning("leader.interrupted", error=repr(error)[:300])
            await asyncio.sleep(LAST_RETRY)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    one: BaseException = group
    while isinstance(one, BaseExceptionGroup):
        one = one.exceptions[0]
    return one
