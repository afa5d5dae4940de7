"""The worker: jobs on every one of them, and on the leader everything that speaks MQTT."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import psycopg
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from pydantic import ValidationError
from sqlalchemy import func
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlmodel import col, select

from sync2gear_broker import access, topics
from sync2gear_broker.messages import TimeReply, TimeRequest
from sync2gear_platform import tables
from sync2gear_platform.announcements import changes as at_hand
from sync2gear_platform.announcements import jobs as announcements
from sync2gear_platform.announcements import receiving
from sync2gear_platform.announcements.adapters.opening import opener
from sync2gear_platform.announcements.ahead import Kit
from sync2gear_platform.announcements.rendering import Desk
from sync2gear_platform.announcements.speech import open_booth
from sync2gear_platform.announcements.studio import Splicer
from sync2gear_platform.audit.anchoring import Anchoring
from sync2gear_platform.emergencies import joining
from sync2gear_platform.emergencies import uses as alarming
from sync2gear_platform.fleet import moving
from sync2gear_platform.fleet import mqtt as fleet
from sync2gear_platform.fleet import service as devices
from sync2gear_platform.fleet.accounts import Accounts, Files
from sync2gear_platform.fleet.presence import CHANNELS, SAID_BY_DEVICES, PresenceIngest
from sync2gear_platform.identity import jobs as identity
from sync2gear_platform.jobs import leader
from sync2gear_platform.jobs.app import open_app, run_worker
from sync2gear_platform.kit import events, idempotency, listen, log, mqtt, outbox, setbacks
from sync2gear_platform.kit.blobs import open_blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.mqtt import BrokerLost, Message, Session
from sync2gear_platform.kit.outbox import OutboxMark
from sync2gear_platform.kit.partials import Partials
from sync2gear_platform.kit.relay import Relay
from sync2gear_platform.kit.seldom import Seldom
from sync2gear_platform.kit.vault import Vault
from sync2gear_platform.kit.web import NOBODY
from sync2gear_platform.library import jobs as library
from sync2gear_platform.notifications import jobs as notifications
from sync2gear_platform.playback import history, plays
from sync2gear_platform.playback import mqtt as playback
from sync2gear_platform.playback.ingest import Ingest
from sync2gear_platform.playback.receipts import Receipts
from sync2gear_platform.privacy import exporting
from sync2gear_platform.privacy import jobs as privacy
from sync2gear_platform.proof import housekeeping, rounds
from sync2gear_platform.schedules import following, publishing
from sync2gear_platform.schedules import jobs as schedules
from sync2gear_platform.settings import Settings
from sync2gear_platform.vaulting import jobs as vaulting

__all__ = ["run", "tables"]

logger = log.get(__name__)
strangers = Seldom(logger)

CLIENT_ID: Final = "sync2gear-leader"
"""Fixed, so that a new leader takes the connection from one that does not know yet that it lost."""

FIRST_RETRY, LAST_RETRY = 0.2, 5.0
ANCHOR_SECONDS: Final = 5
"""How often new heads of the audit trail are remembered outside the database."""

LAG_SECONDS: Final = 30
"""A topic that has been dirty for so long is worth a line in the log."""

_HEARD: Final = (*CHANNELS, topics.PLAY_EVENTS, topics.TIME_REQUEST)


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    db = Database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool,
        vault=Vault(settings.vault_key_list),
    )
    booth = open_booth(settings, opener(settings.piper_voices))
    events.follow("schedules", following.NOUNS, following.follow)
    events.follow("fleet", {"location"}, devices.moved_in_time)
    events.follow("emergencies", joining.NOUNS, joining.follow)
    at_hand.register("emergencies", alarming.at_hand)
    try:
        blobs = open_blobs(settings.blobs_url)
        place = exporting.open_place(settings, db, blobs)
        domains = {
            "announcements": announcements.blueprint(
                Desk(db, booth, blobs, Clock()), Kit(db, blobs, Splicer(), Clock())
            ),
            "identity": identity.blueprint(db, settings.public_url),
            "library": library.blueprint(
                db,
                blobs,
                settings.import_dir,
                Partials(settings.uploads_path),
                receiving.finishers(blobs),
            ),
            "notifications": notifications.blueprint(notifications.open_office(settings, db)),
            "privacy": privacy.blueprint(place, settings.public_url, settings.grace_days),
            "vaulting": vaulting.blueprint(db, Vault(settings.vault_key_list)),
        }
        async with open_app(db.url, domains) as jobs:
            leading = asyncio.create_task(lead(settings, db), name="leader")
            working = asyncio.create_task(run_worker(jobs, stop), name="jobs")
            stopping = asyncio.create_task(stop.wait(), name="stop")
            compiling = asyncio.create_task(schedules.compile_for_ever(db), name="compile")
            tasks = {leading, working, compiling, stopping}
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            leading.cancel()
            compiling.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for task in done:
                task.result()
    finally:
        await booth.close()
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
        projections = (*playback.PROJECTIONS, fleet.PROJECTION)
        self._relay = Relay(db, self._clock, projections, cleared=SAID_BY_DEVICES)
        self._plays = Ingest(db, self._clock)
        self._receipts = Receipts(db)
        self._presence = PresenceIngest(db, self._clock)
        self._anchoring = Anchoring(db, self._clock, settings.anchors_path)
        self._session: Session | None = None
        self._answers: asyncio.Queue[tuple[str, TimeReply]] = asyncio.Queue(1000)
        self._poison: asyncio.Queue[str] = asyncio.Queue(1000)
        self._accounts = _accounts(settings, db, self._clock)

    async def run(self, connection: listen.Connection) -> None:
        """Lead until the lease is lost, which raises, or until cancelled."""
        await listen.listen(connection, outbox.CHANNEL, events.CHANNEL)
        await announcements.look_again(self._db, self._clock)
        await self._tell_address()
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
            self._anchoring.close()

    async def _tell_address(self) -> None:
        """Devices fetch where we are: before anything is published, what they are told is that."""
        url = self._settings.public_url
        async with self._db.system() as session:
            ctx = Ctx(db=session, actor=NOBODY, now=self._clock.now(), trace="address")
            told = await moving.moved_to(ctx, url)
        if told:
            logger.info("fleet.moved", url=url, devices=told)

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
            async with mqtt.session(
                url, client_id=CLIENT_ID, heard=self._heard, ca=self._settings.tls_ca
            ) as session:
                logger.info("broker.connected")
                self._session = session
                for kept in (True, False):
                    channels = [c for c in _HEARD if c.retained == kept]
                    filters = [(topics.everyone(c), int(c.qos)) for c in channels]
                    await session.subscribe(filters, show_retain=not kept)
                async with asyncio.TaskGroup() as group:
                    group.create_task(session.until_lost())
                    group.create_task(self._relay.run(session))
                    group.create_task(self._plays.run(session.publish))
                    group.create_task(self._presence.run())
                    group.create_task(self._receipts.run())
                    group.create_task(self._answer(session))
                    group.create_task(self._clear(session))
        finally:
            self._session = None

    def _heard(self, message: Message) -> None:
        """Hand each message to whom it concerns, at once."""
        received = self._clock.micros()
        address = topics.parse(message.topic)
        if address is None or len(message.payload) > address.channel.max_bytes:
            strangers.warning("mqtt.ignored", topic=message.topic[:200], bytes=len(message.payload))
        elif message.retained and not address.channel.retained:
            self._heard_poison(message)
        elif address.channel is topics.TIME_REQUEST:
            self._heard_time(address, message.payload, received)
        elif address.channel is topics.PLAY_EVENTS:
            self._plays.heard(address, message.payload)
        elif address.channel.sender == "platform":
            self._relay.heard(message)
        else:
            if address.channel is topics.DEVICE_STATE:
                self._receipts.heard(address, message.payload)
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

    def _heard_poison(self, message: Message) -> None:
        """What a device retains where nothing may be is not listened to, and is cleared."""
        if not message.payload:
            return  # cleared already: our own word comes back to us
        strangers.warning("mqtt.retained_elsewhere", topic=message.topic)
        try:
            self._poison.put_nowait(message.topic)
        except asyncio.QueueFull:
            strangers.warning("mqtt.poison_overflow", topic=message.topic)

    async def _clear(self, session: Session) -> None:
        while True:
            await session.publish(await self._poison.get(), b"", qos=1, retain=True)

    def _timers(self) -> AsyncIOScheduler:
        """What is due by the clock: none of it matters to the second."""
        timers = AsyncIOScheduler(timezone="UTC")
        timers.add_job(self._sweep, "interval", seconds=15)
        timers.add_job(self._anchor, "interval", seconds=ANCHOR_SECONDS)
        timers.add_job(self._lag, "interval", seconds=LAG_SECONDS)
        timers.add_job(self._hurry, "interval", seconds=1)
        # at once too: leaders that never last ten minutes would let every programme run out
        timers.add_job(
            self._renew,
            "interval",
            minutes=10,
            next_run_time=self._clock.now(),
            misfire_grace_time=None,
        )
        timers.add_job(self._reckon, "interval", minutes=1)
        timers.add_job(self._collect, "interval", hours=6)
        timers.add_job(self._purge, "interval", hours=6)
        timers.add_job(self._forget, "interval", hours=1)
        timers.add_job(self._clean_up, "cron", hour=3)

        def failed(event: Any) -> None:
            logger.warning("timer.failed", job=event.job_id, error=repr(event.exception)[:300])

        timers.add_listener(failed, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
        return timers

    async def _sweep(self) -> None:
        await self._presence.sweep()

    async def _anchor(self) -> None:
        await self._anchoring.tick()

    async def _hurry(self) -> None:
        await publishing.hurry(self._db, self._clock)

    async def _renew(self) -> None:
        await publishing.renew(self._db, self._clock)

    async def _reckon(self) -> None:
        await rounds.reckon_all(self._db, self._clock)

    async def _collect(self) -> None:
        async with self._db.system() as session:
            ctx = Ctx(db=session, actor=NOBODY, now=self._clock.now(), trace="housekeeping")
            logger.info("programmes.collected", rows=await history.collect_programmes(ctx))
            logger.info("plays.collected", rows=await plays.collect(ctx))

    async def _purge(self) -> None:
        logger.info("proof.purged", rows=await housekeeping.purge(self._db, self._clock))

    async def _forget(self) -> None:
        async with self._db.system() as session:
            ctx = Ctx(db=session, actor=NOBODY, now=self._clock.now(), trace="housekeeping")
            await idempotency.collect(ctx)
        await setbacks.forget(self._db, self._clock)

    async def _clean_up(self) -> None:
        """Founding document 001's clean-up of sessions: every night at three."""
        async with self._db.system() as session:
            await identity.clean_up(
                Ctx(db=session, actor=NOBODY, now=self._clock.now(), trace="clean-up")
            )

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


def _accounts(settings: Settings, db: Database, clock: Clock) -> Accounts | None:
    """The keeper of the broker's accounts, where its files are ours to write."""
    if settings.mqtt_password_file is None:
        return None
    user = urlsplit(settings.mqtt_url.get_secret_value()).username or access.PLATFORM_USER
    files = Files(settings.mqtt_password_file, settings.mqtt_pid_file)
    return Accounts(db, clock, files, unquote(user))


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    one: BaseException = group
    while isinstance(one, BaseExceptionGroup):
        one = one.exceptions[0]
    return one
