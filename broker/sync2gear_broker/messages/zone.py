"""The zone state: what people and the plan want of a zone now, retained and versioned."""

from typing import Annotated, Literal

from pydantic import Field

from sync2gear_broker.messages.base import Document, Value
from sync2gear_broker.messages.programme import Cue, Media
from sync2gear_broker.units import Frames, Key, Percent, Sha256, Uuid

MAX_LIVE_EVENTS = 12
MAX_PROGRAMMES = 3
MAX_OPEN = 64


class ProgrammeRef(Value):
    """A programme and the frame from which it rules."""

    sha256: Sha256
    from_: Annotated[Frames, Field(alias="from")]


class Window(Value):
    """A pause or a stop: from one frame to another, or until somebody ends it (null)."""

    from_: Annotated[Frames, Field(alias="from")]
    until: Frames | None = None


class LiveEvent(Cue):
    """An announcement that a person sent, with its media inline; ``end`` once cancelled."""

    media: Media
    end: Frames | None = None


class OpenEvent(Value):
    """An event begun or waiting at the anchor, or ended while its fade is still under way.

    ``began`` is the frame at which its voice began (null: still waiting). ``end`` is set when
    it was cancelled or is over: nothing of it sounds from that frame on, and the music resumes
    there. ``wait`` says what an event that has not begun waits for: a ``boundary`` of the music,
    the ``voice`` of another event to end, or to sound ``again`` after it was cut (which no
    ``late_by`` forbids). ``cue`` is the event itself where no document of the state still has it.
    """

    id: Key
    began: Frames | None = None
    end: Frames | None = None
    wait: Literal["boundary", "voice", "again"] = "boundary"
    cue: LiveEvent | None = None


class Anchor(Value):
    """Where the music stands: at frame ``at`` the music clock of ``block`` reads ``pos``.

    ``until`` ends a hand-made position (null: the next block does). ``paused`` counts the frames
    for which the block in force stood still between its own ``at`` and this anchor's, so that it
    can be picked up again as if never overridden: all of them for a block that waits for the music
    before it. An event nominally before ``at`` that ``open``
    does not list is over. ``fresh`` is the reading at which the music was put by hand or by its
    block (next, previous, seek): no item that ended before it is faded out over what begins there.
    """

    at: Frames
    block: Key
    pos: Frames
    until: Frames | None = None
    paused: Frames = 0
    fresh: Frames = 0
    open: Annotated[tuple[OpenEvent, ...], Field(max_length=MAX_OPEN)] = ()


Generation = Annotated[int, Field(strict=True, ge=1)]


class EmergencyOrder(Document):
    """What is signed of an emergency: for which zone, and all that is heard or ended by it."""

    zone: Uuid
    gen: Generation
    active: bool
    start: Frames
    end: Frames | None = None
    volume: Percent = 100
    sha256: Sha256 | None = None
    drill: bool = False


class Emergency(Value):
    """The emergency latch: the highest ``gen`` wins for ever; all-clear is a higher ``gen``.

    ``document`` is the exact signed string (an :class:`EmergencyOrder`) and ``signature`` its
    Ed25519 signature (RFC 8032, base64) under one of the device's ``emergency_keys``. A ``drill``
    is heard like an emergency, and told apart by whoever shows or records it.
    """

    gen: Generation
    active: bool
    start: Frames
    end: Frames | None = None
    volume: Percent = 100
    media: Media | None = None
    drill: bool = False
    document: Annotated[str, Field(max_length=2048)] = ""
    signature: Annotated[str, Field(max_length=128)] = ""

    def order(self, zone: str) -> EmergencyOrder:
        """What has to be signed for this latch to hold in ``zone``."""
        return EmergencyOrder(
            zone=zone,
            gen=self.gen,
            active=self.active,
            start=self.start,
            end=self.end,
            volume=self.volume,
            sha256=None if self.media is None else self.media.sha256,
            drill=self.drill,
        )


class ZoneState(Document):
    """The canonical state of one zone, ordered by ``(epoch, rev)``; at most 8 KB as JSON.

    Without a programme and an anchor the zone has never been given music: only live events sound.
    """

    zone: Uuid
    epoch: Annotated[int, Field(strict=True, ge=1)]
    rev: Annotated[int, Field(strict=True, ge=1)]
    volume: Percent = 70
    mute: bool = False
    programmes: Annotated[tuple[ProgrammeRef, ...], Field(max_length=MAX_PROGRAMMES)] = ()
    anchor: Anchor | None = None
    hold: Window | None = None
    stopped: Window | None = None
    live: Annotated[tuple[LiveEvent, ...], Field(max_length=MAX_LIVE_EVENTS)] = ()
    skip: Annotated[tuple[Key, ...], Field(max_length=64)] = ()
    emergency: Emergency | None = None

    @property
    def version(self) -> tuple[int, int]:
        """The order of documents: a device applies only a newer one."""
        return (self.epoch, self.rev)
