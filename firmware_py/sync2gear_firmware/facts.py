"""What the world tells the speaker's core (facts) and what the core wants done (deeds)."""

from dataclasses import dataclass
from typing import Literal

from sync2gear_broker.messages import (
    Channels,
    DeviceConfig,
    Document,
    Media,
    Prefetch,
    Programme,
    ZoneState,
)
from sync2gear_broker.timeline import Settled
from sync2gear_broker.topics import Channel
from sync2gear_firmware.clock import Line
from sync2gear_firmware.watch import Vitals

Role = Literal["music", "event", "emergency"]
Key = tuple[Role, str, str]
"""What one sounding thing is: its role, its block or event, its media."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What acknowledges one message: valid only for the connection that delivered it."""

    session: int
    mid: int
    qos: int


# -- facts ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; ``chance`` in [0, 1) is the randomness that timers may use."""

    chance: float


@dataclass(frozen=True, slots=True)
class Woke:
    """The machine was suspended for so many microseconds; how well it counted them is unknown."""

    slept: int


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker granted our filter."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection that was up is gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A message on ``topic``, received at ``at`` (local microseconds)."""

    topic: str
    payload: bytes
    at: int
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class ProgrammeHeld:
    """A programme is on the disk and was read."""

    sha256: str
    programme: Programme


@dataclass(frozen=True, slots=True)
class MediaHeld:
    """A file is whole on the disk."""

    sha256: str


@dataclass(frozen=True, slots=True)
class MediaGone:
    """Files are no longer on the disk: evicted, or found corrupt and deleted."""

    sha256: frozenset[str]


@dataclass(frozen=True, slots=True)
class MediaBroken:
    """A file is what its hash says and still cannot be decoded from ``frame`` on."""

    sha256: str
    detail: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault (``detail`` given) or its end (None), by a stable code."""

    code: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class Trusted:
    """These roots are trusted from now on; None: the system's."""

    sha256: str | None


@dataclass(frozen=True, slots=True)
class Measured:
    """How the speaker itself is."""

    vitals: Vitals


@dataclass(frozen=True, slots=True)
class Sound:
    """One voice as the speaker renders it from ``offset`` on; ``slot`` as in ``timeline.Voice``.

    ``lacking`` says why the media itself does not sound; the stand-in is a Sound of its own.
    """

    role: Role
    item: str
    media: Media
    begins: int
    slot: int
    offset: int
    lacking: str = ""
    stand_in: bool = False

    @property
    def key(self) -> Key:
        """What this is the sound of."""
        return (self.role, self.item, self.media.sha256)


@dataclass(frozen=True, slots=True)
class Sounding:
    """From zone frame ``at`` on exactly these sound, and until ``at`` those of the fact before."""

    at: int
    sounds: tuple[Sound, ...]


@dataclass(frozen=True, slots=True)
class Spooled:
    """The outbox holds events up to ``upto``."""

    upto: int


@dataclass(frozen=True, slots=True)
class Sent:
    """Events up to ``upto`` were handed to the link."""

    upto: int


Fact = (
    Tick
    | Woke
    | Connected
    | Disconnected
    | Heard
    | ProgrammeHeld
    | MediaHeld
    | MediaGone
    | MediaBroken
    | Trouble
    | Trusted
    | Measured
    | Sounding
    | Spooled
    | Sent
)


# -- deeds ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Play:
    """One thing that has its turn and has not been told as finished or missed.

    ``planned`` is the frame at which its slot began and ``slot`` names that slot for ever.
    ``since`` is the frame from which it now runs without a break (None: paused), ``offset`` its
    place in the media at ``since``, or where it stopped; ``played`` frames sounded before
    ``since``. While it is ``lacking`` it runs in silence; ``told`` is whether its start was told.
    """

    role: Role
    item: str
    media: Media
    zone: str
    planned: int
    slot: int
    began: int
    since: int | None
    offset: int
    played: int = 0
    audible: bool = True
    lacking: str = ""
    stand_in: bool = False
    told: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """One play event before the outbox gives it its number."""

    kind: Literal["started", "finished", "missed"]
    zone: str
    item: str
    media: Media
    at: int
    planned: int
    frames: int = 0
    audible: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """Everything that the player needs to render any frame; swapped as a whole.

    ``volume`` and ``emergency`` are linear amplitudes; ``held`` names the playable media and
    ``evergreens`` the music among it, in a stable order.
    """

    settled: Settled | None = None
    volume: float = 0.0
    emergency: float = 1.0
    held: frozenset[str] = frozenset()
    evergreens: tuple[Media, ...] = ()
    trim: int = 0
    channels: Channels = "stereo"


@dataclass(frozen=True, slots=True)
class Perform:
    """Play from this score."""

    score: Score


@dataclass(frozen=True, slots=True)
class Follow:
    """Keep the heard position on this line."""

    line: Line


@dataclass(frozen=True, slots=True)
class Publish:
    """Say a document on one of our channels."""

    channel: Channel
    document: Document


@dataclass(frozen=True, slots=True)
class AskTime:
    """Send a clock request, stamped as it leaves."""

    n: int


@dataclass(frozen=True, slots=True)
class Beat:
    """Send a heartbeat with this clock error (milliseconds)."""

    clock_error: float | None


@dataclass(frozen=True, slots=True)
class SaveZone:
    """Put the applied zone state on the disk."""

    zone: ZoneState


@dataclass(frozen=True, slots=True)
class SaveConfig:
    """Put the applied configuration on the disk."""

    config: DeviceConfig


@dataclass(frozen=True, slots=True)
class SavePrefetch:
    """Put on the disk what may be announced at once."""

    prefetch: Prefetch


@dataclass(frozen=True, slots=True)
class SaveEvergreens:
    """Put on the disk what is known of the tracks that fill in for what is lacking."""

    media: tuple[Media, ...]


@dataclass(frozen=True, slots=True)
class SaveClock:
    """Put the trusted line on the disk, for holdover within this boot."""

    line: Line


@dataclass(frozen=True, slots=True)
class Want:
    """What should be on the disk, most urgent first; ``limit`` bytes of media at most.

    ``soon`` names what is needed within the hour, and ``at_once`` what of that a person sent.
    """

    programmes: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    limit: int = 0
    base_url: str = ""
    at_once: frozenset[str] = frozenset()
    soon: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Keep:
    """In one transaction: append the records, and put what still sounds and the position."""

    records: tuple[Record, ...]
    open: tuple[Play, ...]
    frame: int


@dataclass(frozen=True, slots=True)
class SendPlays:
    """Send the next batch of the outbox, after event ``after``."""

    after: int


@dataclass(frozen=True, slots=True)
class Forget:
    """Events up to ``upto`` are committed: delete them."""

    upto: int


@dataclass(frozen=True, slots=True)
class Tone:
    """Mix a tone into the output: three short ones to identify, or one of two seconds."""

    kind: Literal["identify", "test_tone"]


@dataclass(frozen=True, slots=True)
class Say:
    """A line for the log."""

    level: Literal["info", "warning"]
    text: str


Deed = (
    Perform
    | Follow
    | Publish
    | AskTime
    | Beat
    | SaveZone
    | SaveConfig
    | SaveClock
    | SaveEvergreens
    | SavePrefetch
    | Want
    | Keep
    | SendPlays
    | Forget
    | Tone
    | Say
)
