"""A room of speakers in virtual time: their clocks, their network, their cards. Reads no clock."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import numpy as np
from numpy.typing import NDArray

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware import clock as clocks
from sync2gear_firmware.clock import Clock
from sync2gear_firmware.control import Pace
from sync2gear_firmware.players.virtual import Ask, Kind, VirtualCard
from sync2gear_firmware.renderer import Renderer, Source

EPOCH = 1_790_000_000_000_000
"""Platform microseconds at true time 0."""
SECOND = 1_000_000

Way = Callable[[Random], float]
"""How many microseconds a message takes."""


def calm(chance: Random) -> float:
    """A quiet local network, a busy machine at its end."""
    return 1000 + chance.expovariate(1 / 200)


def jittery(chance: Random) -> float:
    """0 to 30 ms."""
    return 1000 + chance.uniform(0, 30_000)


def wireless(chance: Random) -> float:
    """Mostly some milliseconds, one in twenty up to 200."""
    extra = chance.uniform(50_000, 200_000) if chance.random() < 0.05 else 0
    return 1000 + chance.expovariate(1 / 4000) + extra


@dataclass(frozen=True)
class Device:
    """What a speaker's machine is like: its clock is fast by ``ppm`` and ``offset`` µs ahead."""

    ppm: float = 0.0
    offset: float = 0.0
    card: Kind = field(default_factory=Kind)
    up: Way = calm
    down: Way = calm
    loss: float = 0.0


class Seat:
    """One speaker: exchanges, a clock, a card, a position; what it was off at which true time.

    ``outage`` are true microseconds [from, to) without a network.
    """

    def __init__(
        self, device: Device, seed: int, source: Source | None = None, *, opened: float = 0.0
    ) -> None:
        self.device = device
        self.chance = Random(seed)
        self.clock = Clock()
        self.outage = (0.0, 0.0)
        self.source = source
        self.played: list[NDArray[np.float32]] = []
        self.at: list[float] = []
        self.off: list[float] = []
        self.ratio: list[float] = []
        self._ways = (0.0, 0.0)
        self._asked, self._answered, self._next_ask = 0, 0, opened
        self._answers: list[tuple[float, tuple[int, int, int, int], int]] = []
        self.restart(opened)

    def restart(self, opened: float) -> None:
        """The card is opened anew; its first frame is heard some time after ``opened``."""
        self.card = VirtualCard(self.device.card, self.chance, opened + 80_000)
        self.renderer = Renderer(self.source, self.device.card.rate) if self.source else None
        self.pace = self.renderer.pace if self.renderer else Pace(self.device.card.rate)

    def local(self, true: float) -> float:
        """The device's monotonic clock."""
        return true * (1 + self.device.ppm * 1e-6) + self.device.offset + 10**9

    def run(self, until: float) -> None:
        """Play until true microsecond ``until``."""
        while True:
            ask = self.card.ask()
            self._hear_time(ask.at)
            self._block(ask)
            if ask.heard >= until:
                return

    def _block(self, ask: Ask) -> None:
        heard = self.local(ask.at) + ask.delay
        line = self.clock.line
        if self.renderer is not None:
            self.played.append(self.renderer.block(ask.n, heard, line))
            stretch = self.renderer.last
        else:
            self.pace.report(self.pace.written, heard)
            stretch = self.pace.step(ask.n, line, 0, lambda _: True)
        if stretch is None:
            return
        ahead = stretch.frame - EPOCH * FRAME_RATE // SECOND + stretch.part
        heard = ask.heard + (self.renderer.later if self.renderer else 0.0)
        self.at.append(heard)
        self.off.append(ahead / FRAME_RATE * 1000 - heard / 1000)
        self.ratio.append(stretch.ratio)

    def _hear_time(self, now: float) -> None:
        while self._next_ask <= now:
            self._exchange(self._next_ask)
            self._next_ask += clocks.next_ask(self.clock, self._asked, self._answered)
            self._asked += 1
        while self._answers and self._answers[0][0] <= now:
            _, exchange, number = heapq.heappop(self._answers)
            self._answered = max(self._answered, number + 1)
            self.clock = clocks.observe(self.clock, "a", *exchange)

    def _exchange(self, sent: float) -> None:
        # nothing overtakes on a connection
        got = max(sent + self.device.up(self.chance), self._ways[0])
        came = max(got + 100 + self.device.down(self.chance), self._ways[1])
        self._ways = (got, came)
        away = self.outage[0] <= sent < self.outage[1]
        if away or self.chance.random() < self.device.loss:
            return
        stamps = (self.local(sent), EPOCH + got, EPOCH + got + 100, self.local(came))
        t1, t2, t3, t4 = (round(t) for t in stamps)
        heapq.heappush(self._answers, (came, (t1, t2, t3, t4), self._asked))

    def heard(self, every: float, until: float) -> NDArray[np.float64]:
        """By how many milliseconds it was off on a grid of true time; NaN where it was silent."""
        grid = np.arange(0, until, every)
        return np.interp(grid, self.at, self.off, left=np.nan, right=np.nan)


def skew(seats: list[Seat], since: float, until: float, q: float = 99) -> float:
    """The percentile of |skew| over all pairs of seats, in milliseconds, from true µs ``since``."""
    every = SECOND / 10
    off = np.array([seat.heard(every, until) for seat in seats])[:, int(since / every) :]
    pairs = [off[a] - off[b] for a in range(len(off)) for b in range(a)]
    return float(np.percentile(np.abs(np.concatenate(pairs)), q))
