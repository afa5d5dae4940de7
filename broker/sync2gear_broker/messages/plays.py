"""Play events: what a speaker did, at least once, acknowledged only after the commit."""

from typing import Annotated, Literal

from pydantic import Field

from sync2gear_broker.messages.base import Document, Value
from sync2gear_broker.units import Frames, Key, Sha256, Uuid

MAX_EVENTS = 50


class PlayEvent(Value):
    """One thing that happened to one piece of media in a zone.

    ``seq`` is gapless in the log for ever. ``at`` is the zone frame at which it happened and
    ``planned`` the one at which it should have; ``item`` is the block or event id.
    ``finished`` carries in ``frames`` how much of the media was played.
    """

    id: Uuid
    seq: Annotated[int, Field(strict=True, ge=1)]
    kind: Literal["started", "finished", "missed"]
    zone: Uuid
    item: Key
    media: Sha256
    media_kind: Literal["music", "announcement"]
    at: Frames
    planned: Frames
    frames: Frames = 0
    audible: bool = True
    reason: Annotated[str, Field(max_length=64)] = ""


class PlayEvents(Document):
    """A batch from one outbox: ``log`` is a UUID made together with the outbox file."""

    log: Uuid
    events: Annotated[tuple[PlayEvent, ...], Field(min_length=1, max_length=MAX_EVENTS)]


class EventsAck(Document):
    """Events 1..``n`` of ``log`` are committed: the device may delete them, and only them."""

    log: Uuid
    n: Annotated[int, Field(strict=True, ge=0)]
