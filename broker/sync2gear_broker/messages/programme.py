"""The programme: what is planned to sound, immutable and named by its hash."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from sync2gear_broker.messages.base import Document, Value, sha256_hex
from sync2gear_broker.units import FRAME_RATE, Frames, Key, Label, Millibels, Sha256

MAX_CROSSFADE = 15 * FRAME_RATE


def _named(usual: object) -> Any:
    """A word added later: a document that does not need it is spelled as before, hash and all."""
    return Field(exclude_if=lambda value: value == usual)


class Media(Value):
    """One piece of audio by content. ``frames`` is authoritative: players pad or trim to it."""

    sha256: Sha256
    bytes: Annotated[int, Field(strict=True, ge=1)]
    frames: Annotated[Frames, Field(ge=1)]
    gain: Millibels = 0
    kind: Literal["music", "announcement"] = "music"
    title: Label = ""
    artist: Label = ""


class Block(Value):
    """Music from frame ``at`` on: at that frame the music clock reads ``pos``.

    ``items`` are indexes into the programme's ``media``, played in this order and looped.
    ``when``: at ``at`` it takes over (``cut``), or at the next boundary of the music before it
    (``next``), for which it waits at most ``max_wait`` frames (``wait``); it reads ``pos`` then.
    Of a ``silent`` block nothing is heard, its items only measure time, and all of it is a
    boundary: a reader who does not know the word hears them at a ``gain`` that is none.
    The items of a block that is heard ``once`` are not looped: the music clock stands still behind
    the last one, and until something else has the music that is a silence, all of it a boundary.
    A block that waits (``when``) for the ``whole`` of such music does so until that is over,
    whatever pauses it, and where it is over sooner takes over sooner, at its ``pos`` too.
    """

    id: Key
    source: Key
    at: Frames
    pos: Frames = 0
    begin: Literal["restart", "continue", "next"] = "restart"
    items: Annotated[tuple[Annotated[int, Field(strict=True, ge=0)], ...], Field(min_length=1)]
    crossfade: Annotated[Frames, Field(le=MAX_CROSSFADE)] = 0
    gain: Millibels = 0
    when: Annotated[Literal["cut", "next", "wait"], _named("cut")] = "cut"
    max_wait: Annotated[Frames, _named(0)] = 0
    silent: Annotated[bool, Field(strict=True), _named(False)] = False
    once: Annotated[bool, Field(strict=True), _named(False)] = False
    whole: Annotated[bool, Field(strict=True), _named(False)] = False

    @property
    def follows(self) -> bool:
        """Whether it begins where the music before it is over, be that sooner or later."""
        return self.whole and self.when != "cut"


class Cue(Value):
    """How one announcement takes the zone; what a programme event and a live event share.

    ``when``: ``cut`` begins at ``start`` whatever sounds; ``next`` waits for the next boundary
    of a music item; ``wait`` does so for at most ``max_wait`` frames, then cuts.
    ``late_by``: an event that could not begin within this many frames after ``start`` is dropped
    (recorded as missed); null waits for ever.
    ``duck`` is the music's gain under ``mode="duck"``; the fades are those of the music.
    """

    id: Key
    start: Frames
    when: Literal["cut", "next", "wait"] = "cut"
    max_wait: Frames = 0
    late_by: Frames | None = None
    mode: Literal["pause", "duck", "mix"] = "pause"
    duck: Annotated[Millibels, Field(le=0)] = -1500
    fade_in: Annotated[Frames, Field(le=MAX_CROSSFADE)] = 0
    fade_out: Annotated[Frames, Field(le=MAX_CROSSFADE)] = 0
    gain: Millibels = 0
    priority: Annotated[int, Field(strict=True, ge=0, le=100)] = 50
    on_cut: Literal["drop", "restart"] = "drop"


class Event(Cue):
    """A planned announcement; ``media`` is an index into the programme's ``media``."""

    media: Annotated[int, Field(strict=True, ge=0)]


class Programme(Document):
    """The plan of a zone: music blocks in order of ``at`` and events; the last block loops."""

    media: Annotated[tuple[Media, ...], Field(min_length=1, max_length=50_000)]
    blocks: Annotated[tuple[Block, ...], Field(min_length=1, max_length=5_000)]
    events: Annotated[tuple[Event, ...], Field(max_length=50_000)] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        count = len(self.media)
        if any(index >= count for block in self.blocks for index in block.items):
            raise ValueError("a block refers to media that the programme does not list")
        if any(event.media >= count for event in self.events):
            raise ValueError("an event refers to media that the programme does not list")
        if any(a.at >= b.at for a, b in zip(self.blocks, self.blocks[1:], strict=False)):
            raise ValueError("blocks must be in strictly rising order of `at`")
        if len({block.id for block in self.blocks}) != len(self.blocks):
            raise ValueError("block ids must be unique")
        if len({event.id for event in self.events}) != len(self.events):
            raise ValueError("event ids must be unique")
        return self

    def sha256(self) -> str:
        """The programme's name: the SHA-256 of its canonical JSON."""
        return sha256_hex(self.canonical())
