"""The composition root: facts go into the core, its deeds are done; the only reader of clocks."""

import logging
import os
import queue
import random
import shutil
import sqlite3
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Final, assert_never
from uuid import uuid4

from sync2gear_broker import topics
from sync2gear_broker.messages import (
    DeviceConfig,
    Heartbeat,
    Prefetch,
    TimeRequest,
    ZoneState,
)
from sync2gear_broker.units import frames_from_micros
from sync2gear_firmware import facts as f
from sync2gear_firmware import machine, plays, spool, state
from sync2gear_firmware.allowance import Allowance, window, zone_of
from sync2gear_firmware.cache import Cache
from sync2gear_firmware.clock import Clock
from sync2gear_firmware.decoder import Pool
from sync2gear_firmware.fetcher import Fetcher
from sync2gear_firmware.link import Link
from sync2gear_firmware.machine import local
from sync2gear_firmware.player import Player
from sync2gear_firmware.players import Sink
from sync2gear_firmware.players.file import FileSink
from sync2gear_firmware.players.null import null_sink
from sync2gear_firmware.saved import Evergreens, SavedLine
from sync2gear_firmware.settings import Credential, Settings
from sync2gear_firmware.supervisor import Part, Supervisor
from sync2gear_firmware.trust import Trust
from sync2gear_firmware.wall import Wall
from sync2gear_firmware.watch import Vitals

log = logging.getLogger(__name__)

VERSION: Final = version("sync2gear-firmware")
_QUEUE = 10_000
_UNWRITTEN = 10_000
_SAVES = (f.SaveZone, f.SaveConfig, f.SavePrefetch, f.SaveEvergreens, f.SaveClock)


class Agent:
    """One speaker. ``run`` returns after ``stop``, which may be called from a signal handler."""

    def __init__(self, settings: Settings, credential: Credential) -> None:
        self._folder = settings.data_dir
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = machine.own(self._folder)
        self._boot = str(uuid4())
        self._machine = machine.boot()
        self._began = local()
        self._facts: queue.Queue[f.Fact] = queue.Queue(_QUEUE)
        self._stopping = False
        self._ready = False
        self._sounds: tuple[f.Sound, ...] = ()
        self._unwritten: list[f.Record] = []
        self._levels: list[float | None] = []
        self._unsaved: dict[type[f.Deed], f.Deed] = {}
        self._spool = spool.Spool(self._folder / "spool.sqlite")
        self._cache = Cache(self._folder)
        self._line = spool.load(self._folder / "clock.json", SavedLine)
        self._wall = Wall()
        passed = self._line.passed() if self._line is not None else 0.0
        self._trust = Trust(self._folder, credential, passed, time.time, self._wall.doubted)
        if self._trust.clock_is_wrong:
            log.warning("clock.wrong action=certificates_by_the_last_known_time")
        self._credential = credential
        self._settings = settings
        self._allowance = Allowance(wall=self._wall.now)
        self._fetcher = self._new_fetcher()
        self._pool = Pool(self._find, lambda sha, why: self._tell(f.MediaBroken(sha, why)))
        self._player = Player(self._pool, self._tell)
        self._sink = _sink(settings, self._player, self._tell)
        self._link = self._new_link()
        self._supervisor = self._supervised()
        self._vitals = Vitals()
        self._state = self._first_state()
        self._allow(self._state.config)

    def run(self) -> None:
        """Play until ``stop``."""
        parts = (self._pool, self._fetcher, self._sink, self._link)
        for part in parts:
            part.start()
        if self._spool.why:
            self._tell(f.Trouble("disk", f"outbox in memory: {self._spool.why}"))
        machine.notify("READY=1")
        try:
            while not self._stopping:
                self._turn()
        finally:
            machine.notify("STOPPING=1")
            self._end()

    def stop(self) -> None:
        """End soon, saying bye."""
        self._stopping = True

    def _turn(self) -> None:
        if slept := self._wall.look():
            self._handle(f.Woke(slept))
        wait = (state.due(self._state) - local()) / 1e6
        try:
            fact = self._facts.get(timeout=max(0.005, min(wait, 0.25)))
        except queue.Empty:
            fact = f.Tick(random.random())  # noqa: S311 - jitter, not a secret
        self._handle(fact)
        if not isinstance(fact, f.Tick) and state.due(self._state) <= local():
            self._handle(f.Tick(random.random()))  # noqa: S311 - jitter
        if self._supervisor.look():
            self._measure()

    def _handle(self, fact: f.Fact) -> None:
        try:
            self._state, deeds = state.step(self._state, fact, local())
        except Exception:
            log.exception("agent.fact_dropped fact=%s", type(fact).__name__)
            deeds = []
        for deed in deeds:
            self._attempt(deed)
        self._after(fact)

    def _attempt(self, deed: f.Deed) -> None:
        """Do ``deed``; neither a disk that fails nor a bug may end the music."""
        name = type(deed).__name__
        try:
            self._do(deed)
        except (OSError, sqlite3.Error) as error:
            log.error("agent.deed_failed deed=%s error=%r", name, str(error))  # noqa: TRY400 - expected
            self._tell(f.Trouble("disk", f"{name}: {error}"))
            if isinstance(deed, _SAVES):
                self._unsaved[type(deed)] = deed
        except Exception:
            log.exception("agent.deed_bug deed=%s", name)
        else:
            self._unsaved.pop(type(deed), None)  # an older one must not come after it

    def _after(self, fact: f.Fact) -> None:
        match fact:
            case f.Heard(receipt=receipt) if receipt is not None:
                self._link.acknowledge(receipt)
            case f.Connected():
                self._fetcher.online()
            case f.MediaGone():
                self._fetcher.again()
            case f.MediaHeld(sha256):
                self._pool.retry(sha256)
            case f.Sounding(_, sounds):
                self._sounds = sounds
            case f.Woke():
                self._link.again()
            case _:
                pass
        if not self._ready and self._state.connected and self._sounding():
            self._ready = True
            log.info("ready")

    def _do(self, deed: f.Deed) -> None:  # noqa: C901 - one line per deed
        match deed:
            case f.Perform(score):
                self._player.perform(score)
            case f.Follow(line):
                self._sink.follow(line)
                self._wall.follow(line)
            case f.Publish(channel, document):
                self._link.publish(channel, document.canonical())
            case f.AskTime(n):
                self._link.publish(
                    topics.TIME_REQUEST, lambda: TimeRequest(t1=local(), n=n).canonical()
                )
            case f.Beat(clock_error):
                self._link.publish(topics.HEARTBEAT, self._heartbeat(clock_error).canonical())
            case f.Want():
                self._fetcher.want(deed)
            case f.Keep(records, opens, frame):
                self._keep(records, opens, frame)
            case f.SendPlays(after):
                self._send_plays(after)
            case f.Forget(upto):
                self._spool.forget(upto)
            case f.SaveZone(zone):
                spool.save(self._folder / "zone.json", zone, twice=True)
            case f.SaveConfig(config):
                self._allow(config)
                spool.save(self._folder / "config.json", config, twice=True)
            case f.SavePrefetch(prefetch):
                spool.save(self._folder / "prefetch.json", prefetch)
            case f.SaveEvergreens(media):
                spool.save(self._folder / "evergreens.json", Evergreens(media=media))
            case f.SaveClock(line):
                spool.save(self._folder / "clock.json", SavedLine.of(line, self._machine))
            case f.Tone(kind):
                self._player.tone(kind)
            case f.Say(level, text):
                (log.warning if level == "warning" else log.info)("%s", text)
            case _:
                assert_never(deed)

    def _allow(self, config: DeviceConfig | None) -> None:
        """What the platform says of downloads goes before the machine's own settings."""
        own, allowed = self._settings, self._allowance
        allowed.rate = (config.fetch_rate if config else 0) or own.fetch_rate
        allowed.hours = window((config.fetch_window if config else "") or own.fetch_window)
        allowed.zone = zone_of(config.timezone if config else "")
        self._fetcher.again()

    def _new_link(self) -> Link:
        return Link(self._credential, self._boot, local, self._tell, self._trust)

    def _new_fetcher(self) -> Fetcher:
        return Fetcher(self._cache, self._credential, self._tell, self._trust, self._allowance)

    def _supervised(self) -> Supervisor:
        def link() -> None:
            self._link.abandon()
            self._tell(f.Disconnected("hung"))
            self._link = self._new_link()
            self._link.start()

        def fetcher() -> None:
            self._fetcher.abandon()
            self._fetcher = self._new_fetcher()
            self._fetcher.start()
            self._fetcher.want(self._state.wanted or f.Want())

        def rendered() -> int:
            return self._sink.health().rounds

        parts = {
            "render": Part(rendered, 15, self._sink.renew),
            "decode": Part(lambda: self._pool.rounds, 20, self._pool.renew),
            "link": Part(lambda: self._link.rounds, 120, link),
            "fetch": Part(lambda: self._fetcher.rounds, 300, fetcher),
        }
        return Supervisor(parts, rendered)

    def _measure(self) -> None:
        health = self._sink.health()
        score = self._state.score
        vitals = Vitals(
            level=self._player.level(),
            playing=self._sounding() and score is not None and score.volume > 0,
            off=health.off,
            drops=health.underruns + self._player.late,
            temperature=machine.temperature(),
            disk_free=shutil.disk_usage(self._folder).free,
            wall=self._wall.off(),
            ntp=machine.disciplined(),
            ahead=self._sink.ahead,
        )
        self._levels.append(vitals.level)
        self._vitals = vitals
        self._tell(f.Measured(vitals))

    def _sounding(self) -> bool:
        return any(not sound.lacking for sound in self._sounds)

    def _keep(self, records: tuple[f.Record, ...], opens: tuple[f.Play, ...], frame: int) -> None:
        # what a failing disk refused is tried again with the next
        self._unwritten = [*self._unwritten, *records][-_UNWRITTEN:]
        last = self._spool.keep(self._unwritten, opens, frame)
        if self._unwritten:
            self._unwritten = []
            self._tell(f.Spooled(last))
        if self._spool.why:
            return
        for name, deed in list(self._unsaved.items()):
            self._do(deed)
            del self._unsaved[name]
        if "disk" in self._state.faults:
            self._tell(f.Trouble("disk", None))

    def _send_plays(self, after: int) -> None:
        batch = self._spool.batch(after, topics.PLAY_EVENTS.max_bytes)
        if batch is not None:
            payload, last = batch
            self._link.publish(topics.PLAY_EVENTS, payload)
            self._tell(f.Sent(last))

    def _heartbeat(self, clock_error: float | None) -> Heartbeat:
        vitals = self._vitals
        levels = [level for level in (*self._levels, self._player.level()) if level is not None]
        self._levels.clear()
        return Heartbeat(
            boot=self._boot,
            uptime=(local() - self._began) // 1000,
            version=VERSION,
            load=round(os.getloadavg()[0], 2),
            temperature=machine.temperature(),
            disk_free=shutil.disk_usage(self._folder).free,
            cache_bytes=self._cache.size(),
            clock_error=clock_error,
            level=max(levels, default=None),
            sync_error=None if vitals.off is None else round(abs(vitals.off), 3),
            underruns=vitals.drops,
            wall_error=vitals.wall,
            ntp=vitals.ntp,
            dead_letters=self._spool.dead(),
        )

    def _find(self, sha256: str) -> Path | None:
        path = self._cache.media(sha256)
        if path is None:
            self._tell(f.MediaGone(frozenset({sha256})))
        return path

    def _tell(self, fact: f.Fact) -> None:
        try:
            self._facts.put_nowait(fact)
        except queue.Full:
            log.error("agent.overrun dropped=%s", type(fact).__name__)  # noqa: TRY400 - load

    def _first_state(self) -> state.State:
        left = self._spool.left()
        saved = self._line
        passed = int(saved.passed() * 1e6) if saved is not None else 0
        zone = spool.load(self._folder / "zone.json", ZoneState)
        greens = spool.load(self._folder / "evergreens.json", Evergreens) or Evergreens()
        if zone is None and (greens.media or self._cache.programmes()):
            log.warning("zone.lost action=evergreens until=the_platform_tells")
        # where it is lost, too, what stands in is found in whatever programme is left
        named = {ref.sha256 for ref in zone.programmes} if zone else self._cache.programmes()
        found = {sha256: self._cache.programme(sha256) for sha256 in named}
        return state.State(
            started=self._began,
            buffer=self._sink.ahead,
            log=left.log,
            # a disk that fails may keep the one and not the other
            saved=max(left.frame or 0, frames_from_micros(passed)) or None,
            checked=left.frame,
            sounded=tuple(play.item for play in left.open),
            clock=saved.clock(self._machine) if saved is not None else Clock(),
            zone=zone,
            programmes={sha256: p for sha256, p in found.items() if p is not None},
            config=spool.load(self._folder / "config.json", DeviceConfig),
            prefetch=spool.load(self._folder / "prefetch.json", Prefetch),
            held=self._cache.held(),
            trust=self._trust.sha256,
            evergreens=greens.media,
            plays=tuple(plays.interrupted(play) for play in left.open),
            spooled=left.spooled,
            sent=left.acked,
            acked=left.acked,
        )

    def _end(self) -> None:
        self._sink.stop()
        now = local()
        while not self._facts.empty():
            self._handle(self._facts.get_nowait())
        frame = state.frame_at(self._state, now)
        if frame is not None:
            opens = tuple(plays.so_far(play, frame) for play in self._state.plays)
            self._attempt(f.Keep((), opens, frame))
        if self._state.clock.line is not None:
            self._attempt(f.SaveClock(self._state.clock.line))
        self._link.stop()
        self._fetcher.stop()
        self._pool.stop()
        self._spool.close()
        os.close(self._lock)
        log.info("stopped")


def _sink(settings: Settings, player: Player, tell: Callable[[f.Fact], None]) -> Sink:
    if settings.sink == "null":
        return null_sink(player, local)
    if settings.file is not None and settings.sink == "file":
        return FileSink(player, local, settings.file)
    # PortAudio and libpulse are system libraries: only who plays through one needs it
    if settings.sink == "pulse":
        from sync2gear_firmware.players.pulse import PulseSink

        return PulseSink(player, local, settings.card, tell)
    from sync2gear_firmware.players.card import CardSink

    return CardSink(player, local, settings.card, tell)
