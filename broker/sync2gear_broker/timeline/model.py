"""The values of a settled timeline: what the walk writes and the reader reads."""

from dataclasses import dataclass
from typing import Final, Literal

from sync2gear_broker.messages import Block, Media
from sync2gear_broker.timeline.music import Cycle

FOREVER: Final = 1 << 62
"""An instant that never comes: the open end of a window or of the last run of music."""

Role = Literal["music", "event", "emergency"]
State = Literal["waiting", "played", "cut", "dropped", "cancelled", "missed"]


@dataclass(frozen=True, slots=True)
class Voice:
    """One piece of media inside a piece: from ``offset`` on, gain linear from ``gain_a`` on.

    ``gain_b`` is reached at the piece's exclusive end. ``item`` is the block id for music and the
    event id otherwise; ``begins`` is the zone frame at which this media item's own slot began and
    ``ends`` where it ends as far as is known. ``slot`` names this one play of the item for ever,
    whatever is rebased: the music clock's reading at its beginning, or ``begins`` for the others.
    Gains are linear amplitude factors and do not contain the zone's volume.
    """

    media: Media
    offset: int
    gain_a: float
    gain_b: float
    item: str
    role: Role
    begins: int
    ends: int
    slot: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames [start, end) of the zone clock in which the same voices run one to one."""

    start: int
    end: int
    voices: tuple[Voice, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A gain that runs straight from ``g0`` at ``t0`` to ``g1`` at ``t1``; holds in [since, t1)."""

    t0: int
    t1: int
    g0: float
    g1: float
    since: int

    def at(self, t: int) -> float:
        """The gain at frame ``t``."""
        return self.g0 + (self.g1 - self.g0) * (t - self.t0) / (self.t1 - self.t0)


@dataclass(frozen=True, slots=True)
class Context:
    """What the music clock is read against: nothing begun before ``fresh`` sounds after it."""

    cycle: Cycle
    fresh: int

    @property
    def block(self) -> Block:
        """The block whose items these are."""
        return self.cycle.block


@dataclass(frozen=True, slots=True)
class Run:
    """Frames [start, end) in which the music clock runs from ``pos``; empty where it stands."""

    start: int
    end: int
    pos: int
    context: Context

    @property
    def sounds(self) -> bool:
        """Whether it is music, and not silence that is planned."""
        return not self.context.block.silent


@dataclass(frozen=True, slots=True)
class Play:
    """An event's voice: frames [began, end) of ``media`` from its beginning."""

    began: int
    end: int
    id: str
    media: Media
    gain: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """The emergency's window: ``media`` looped from ``start``."""

    start: int
    end: int
    gen: int
    media: Media


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one event: the answer to "why was it missed".

    ``began`` and ``end`` are those of its last voice, null if it never sounds. ``waiting`` means
    that nothing known will ever let it begin. ``reason`` is a stable word: ``late``, ``stopped``,
    ``emergency``, ``priority``, ``cancelled``, ``skipped`` or empty.
    """

    id: str
    media: Media
    start: int
    began: int | None
    end: int | None
    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MusicPosition:
    """Where the music stands: ``offset`` frames in item ``index`` of the block, in cycle ``cycle``.

    ``pos`` is the music clock's reading, ``slot`` its reading at the item's beginning and
    ``length`` how long the item has the music to itself (its frames less the crossfade). Of
    ``silent`` music nothing is heard.
    """

    block: str
    source: str
    index: int
    cycle: int
    pos: int
    slot: int
    offset: int
    length: int
    media: Media
    running: bool
    silent: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """An uninterrupted stretch [start, end) of one voice, ``offset`` frames into its media."""

    role: Role
    item: str
    media: Media
    start: int
    end: int
    offset: int
    slot: int


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of ``settle``. Opaque: read it with the functions of this package."""

    start: int
    runs: tuple[Run, ...]
    run_starts: tuple[int, ...]
    plays: tuple[Play, ...]
    play_starts: tuple[int, ...]
    lines: tuple[Line | None, ...]
    line_starts: tuple[int, ...]
    alarm: Alarm | None
    outcomes: tuple[Outcome, ...]
