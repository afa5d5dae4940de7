"""How a timeline is read: what sounds at instant t, as a pure function of the documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sync2gear_broker.messages import Media, Programme, ZoneState


@dataclass(frozen=True, slots=True)
class Voice:
    """One piece of media inside a piece: from ``offset`` on, gain linear from ``gain_a`` to ``gain_b``.

    ``item`` is the block id for music and the event id otherwise; ``begins`` is the zone frame at
    which this media item's own slot began and ``ends`` where it ends as far as is known.
    Gains are linear amplitude factors and do not contain the zone's volume.
    """

    media: Media
    offset: int
    gain_a: float
    gain_b: float
    item: str
    role: Literal["music", "event", "emergency"]
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames [start, end) of the zone clock in which the same voices run one to one."""

    start: int
    end: int
    voices: tuple[Voice, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of :func:`settle`. Opaque: read it with the functions of this module."""


def settle(programmes: Mapping[str, Programme], state: ZoneState) -> Settled:
    """Resolve boundaries, queues, cuts and lateness of ``state``, walking from its anchor.

    ``programmes`` holds those of the state's programmes that the caller has, by hash; one that
    is missing leaves the one before it in force.
    """
    raise NotImplementedError


def plan(settled: Settled, a: int, b: int) -> tuple[Piece, ...]:
    """The pieces that cover exactly the frames [a, b)."""
    raise NotImplementedError


def sounding_at(settled: Settled, t: int) -> Piece:
    """The piece of one frame at ``t``."""
    raise NotImplementedError


def next_change_after(settled: Settled, t: int) -> int | None:
    """The first frame after ``t`` at which a voice begins, ends or changes its gain's slope."""
    raise NotImplementedError


def rebase(programmes: Mapping[str, Programme], state: ZoneState, now: int) -> ZoneState:
    """The same future from ``now`` on with everything that is over folded into the anchor."""
    raise NotImplementedError
