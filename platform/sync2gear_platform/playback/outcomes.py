"""What became of an announcement on one speaker, of what is known now: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sync2gear_broker.units import FRAME_RATE

GRACE: Final = 15 * FRAME_RATE
"""So long after its end a speaker may still say what became of it: a batch that was lost is sent
again after ten seconds."""

SLACK: Final = FRAME_RATE // 2
"""What ended no more than so long before its end was heard as a whole."""

Stage = Literal["pending", "received", "cached", "started", "finished", "missed"]

REASONS: Final = {
    "not_held": "no_media",
    "undecodable": "decode_error",
    "not_delivered": "late",
    "off": "offline",
}
"""What a speaker calls it -> what people are told; other reasons are told as they are."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one speaker said, in zone frames, and what is known of it."""

    received: int | None = None
    cached: int | None = None
    started: int | None = None
    planned: int | None = None
    finished: int | None = None
    audible: bool = True
    missed: str | None = None
    online: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The stage that it has reached, and why it was missed, or not heard to its end."""

    stage: Stage
    reason: str = ""


def over(start: int, frames: int) -> int:
    """The frame from which silence says that it was missed."""
    return start + frames + GRACE


def outcome(facts: Facts, *, start: int, frames: int, now: int, cancelled: bool) -> Outcome:
    """What is so at frame ``now``. Nothing ticks: who is silent has missed it once it is over."""
    if facts.finished is not None:
        if not facts.audible:
            return Outcome("missed", "muted")
        if facts.planned is not None and facts.finished < facts.planned + frames - SLACK:
            return Outcome("finished", "cancelled" if cancelled else "cut")
        return Outcome("finished")
    if facts.started is not None:
        return Outcome("started")
    if cancelled:
        return Outcome("missed", "cancelled")
    if facts.missed is not None:
        return Outcome("missed", REASONS.get(facts.missed, facts.missed) or "not_played")
    if now >= over(start, frames):
        silent = facts.received is not None and facts.online
        return Outcome("missed", "no_report" if silent else "offline")
    if facts.cached is not None:
        return Outcome("cached")
    return Outcome("pending" if facts.received is None else "received")


def lateness(facts: Facts) -> int | None:
    """Milliseconds by which it began later than planned."""
    if facts.started is None or facts.planned is None:
        return None
    return (facts.started - facts.planned) * 1000 // FRAME_RATE


_ORDER: Final[tuple[Stage, ...]] = (
    "started", "finished", "cached", "received", "pending", "missed",
)  # fmt: skip


def of_zone(stages: Sequence[Stage]) -> Stage:
    """What a zone has come to: what the furthest of its speakers has; missed if all have."""
    return next((stage for stage in _ORDER if stage in stages), "missed")
