"""A card that exists only in numbers: a crystal that is off, a delay report that errs. Pure.

For tests: it keeps true time, in microseconds, and asks for its frames when a card of its kind
would.
"""

from dataclasses import dataclass, replace
from math import exp
from random import Random

import numpy as np

from sync2gear_broker.units import FRAME_RATE


@dataclass(frozen=True, slots=True)
class Kind:
    """What a card is like.

    ``ppm`` its crystal is fast by; ``block`` frames it asks for at a time, ``buffered`` blocks
    before they are heard. It asks up to ``late`` microseconds late now and then; its delay report
    errs by ``noise`` (standard deviation, microseconds) and comes in whole ``step``s (0: any).
    As a sound server's it errs also by ``wander``, alike for a second and a half, and by up to
    ``early`` just after the opening, which then fades away.
    """

    ppm: float = 0.0
    rate: int = FRAME_RATE
    block: int = 480
    buffered: int = 3
    late: float = 4000.0
    noise: float = 300.0
    step: float = 0.0
    wander: float = 0.0
    early: float = 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """``n`` frames are asked for at ``at`` with a delay report; in truth ``heard`` from then on."""

    n: int
    at: float
    heard: float
    delay: float


class VirtualCard:
    """An open card whose first frame is heard at ``opened``."""

    def __init__(self, kind: Kind, chance: Random, opened: float) -> None:
        self.kind = kind
        self._chance = chance
        self._opened = opened
        self._each = 1e6 / (kind.rate * (1 + kind.ppm * 1e-6))
        self._frames = 0
        self._asked = opened - 1e9
        self._turn = self._wander = 0.0

    def lose(self, frames: int) -> None:
        """An underrun: what comes next is heard so many frames later."""
        self._frames += frames

    def hold(self, blocks: int) -> None:
        """From now on ask so many blocks before they are heard."""
        self.kind = replace(self.kind, buffered=blocks)

    def ask(self) -> Ask:
        """The card's next wish."""
        kind, chance = self.kind, self._chance
        heard = self._opened + self._frames * self._each
        self._frames += kind.block
        at = heard - kind.buffered * kind.block * self._each
        if chance.random() < 0.3:  # as often as a busy machine wakes up late
            at += chance.uniform(0, kind.late)
        self._asked = at = max(at, self._asked)
        delay = heard - at + chance.gauss(0, kind.noise) + self._server(heard)
        if kind.step:
            delay = (np.floor(delay / kind.step) + 0.5) * kind.step
        return Ask(kind.block, at, heard, float(delay))

    def _server(self, now: float) -> float:
        """The error of a sound server that looks at its card only now and then."""
        age = (now - self._opened) / 1e6
        early = self.kind.early * min(age / 4, exp((4 - age) / 3.7))
        if self._turn <= age:
            self._turn = age + 1.5
            self._wander = self._chance.gauss(0, self.kind.wander) if self.kind.wander else 0.0
        return early + self._wander
