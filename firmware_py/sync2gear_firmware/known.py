"""All that a speaker knows, as one frozen value. Times are local microseconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sync2gear_broker.messages import (
    Anchor,
    DeviceConfig,
    DeviceState,
    Media,
    Prefetch,
    Programme,
    ProgrammeRef,
    Receipt,
    Reply,
    ZoneState,
)
from sync2gear_broker.timeline import Settled
from sync2gear_firmware import facts as f
from sync2gear_firmware.clock import Clock, Line
from sync2gear_firmware.watch import Watched

SECOND: Final = 1_000_000
EVERGREEN: Final = "evergreen"
"""The block and the source of what plays where a zone's own programmes are not here."""
_DEFAULTS = DeviceConfig(epoch=1, rev=1)
_UNKNOWN = ZoneState(
    zone=str(UUID(int=0)),
    epoch=1,
    rev=1,
    programmes=(ProgrammeRef.model_validate({"sha256": "0" * 64, "from": 0}),),
    anchor=Anchor(at=0, block=EVERGREEN, pos=0),
)
"""A zone that should have music, of a programme that nobody holds, as loud as a new one."""


@dataclass(frozen=True, slots=True)
class Timers:
    """When each regular deed is next due, in local microseconds."""

    ask: int = 0
    beat: int = 0
    report: int | None = None
    keep: int = 0
    clock: int = 0
    needs: int = 0
    resend: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """All that a speaker knows. ``started`` is the local time of its start, ``buffer`` how many
    microseconds its sink renders ahead, and ``buffer_told`` of how many the last report knew.
    ``zoned`` is when it was told its zone, if it had none.

    ``saved`` is the zone frame that it last put on its disk; ``evergreens`` are some tracks that
    it can play whatever the documents come to name; ``spooled``, ``sent`` and ``acked`` count the
    events of the outbox ``log``. ``joined`` is the frame at which it first followed a
    trusted clock; up to ``checked`` it knows what it missed of the events ``judged``, and
    ``sounded`` names the last that it did sound; ``receipts`` are of the latest live events.
    ``unproven`` is the zone as it was told with an emergency under no key that is known here.
    ``following``, ``score``, ``wanted`` and ``reported`` are what was last told, so that only
    changes are.
    """

    started: int
    log: str
    buffer: int = 0
    buffer_told: int = 0
    zoned: int | None = None
    saved: int | None = None
    clock: Clock = field(default_factory=Clock)
    zone: ZoneState | None = None
    unproven: ZoneState | None = None
    config: DeviceConfig | None = None
    prefetch: Prefetch | None = None
    programmes: Mapping[str, Programme] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    evergreens: tuple[Media, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    watched: Watched = field(default_factory=Watched)
    trust: str | None = None
    connected: bool = False
    asked: int = 0
    answered: int = 0
    plays: tuple[f.Play, ...] = ()
    joined: int | None = None
    checked: int | None = None
    judged: frozenset[str] | None = None
    sounded: tuple[str, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    spooled: int = 0
    sent: int = 0
    acked: int = 0
    replies: tuple[Reply, ...] = ()
    needs: tuple[tuple[int, Media], ...] = ()
    settled: Settled | None = None
    settled_from: tuple[object, ...] = ()
    score_from: tuple[object, ...] = ()
    greens_from: tuple[object, ...] = ()
    following: Line | None = None
    score: f.Score | None = None
    wanted: f.Want | None = None
    reported: DeviceState | None = None
    timers: Timers = field(default_factory=Timers)

    @property
    def trusted(self) -> bool:
        """Whether the zone clock is known, so that timed events may sound."""
        return self.clock.line is not None


Step = tuple[State, list[f.Deed]]


def in_force(state: State) -> ZoneState | None:
    """The zone that rules what sounds: the one told last, or where that is lost one with music.

    Who once had a zone knows tracks of it. Whether somebody had stopped it is lost, too: music is
    the smaller mistake.
    """
    if state.zone is None and (state.evergreens or state.programmes):
        return _UNKNOWN
    return state.zone


def frame_at(state: State, now: int) -> int | None:
    """The zone frame that the speaker takes ``now`` for, or None while it waits for a clock."""
    return None if state.following is None else state.following.frame_at(now)


def settings(state: State) -> DeviceConfig:
    """The configuration in force: the platform's last, or the defaults."""
    return state.config or _DEFAULTS


def volume(config: DeviceConfig, zone: ZoneState) -> int:
    """The volume in force in percent: the zone's within the device's bounds, 0 when muted."""
    if zone.mute or zone.volume == 0:
        return 0
    return max(config.volume_min, min(config.volume_max, zone.volume))


def amplitude(percent: int) -> float:
    """The amplitude of a volume: its square, which is near to how loudness is perceived."""
    return (percent / 100) ** 2
