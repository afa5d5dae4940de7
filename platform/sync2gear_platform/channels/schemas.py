"""REST bodies of channels and their lines."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from sync2gear_platform.channels.rules import MAX_ITEMS, MAX_PATTERN
from sync2gear_platform.channels.tables import Channel
from sync2gear_platform.kit.fields import In, Name, Out, Text

Flag = Annotated[bool, Field(strict=True)]
Mode = Literal["ordered", "rotated"]
Crossfade = Annotated[int, Field(strict=True, ge=0, le=15_000)]
Apart = Annotated[int, Field(strict=True, ge=0, le=200)]
Hours = Annotated[int, Field(strict=True, ge=0, le=168)]
Weight = Annotated[int, Field(strict=True, ge=0, le=1000)]
After = Annotated[int, Field(strict=True, ge=0, le=10_000)]
Order = Literal["given", "shuffled"]


class ChannelIn(In):
    """A new channel. ``artist_apart`` and ``title_apart`` count pieces of music; wishes, not laws.

    ``again_hours``: how long one piece is not to come again. ``crossfade_millis`` 0 is gapless.
    """

    name: Name
    description: Text = ""
    mode: Mode = "rotated"
    hourly: Flag = False
    loop: Flag = True
    crossfade_millis: Crossfade = 0
    artist_apart: Apart = 1
    title_apart: Apart = 5
    again_hours: Hours = 0


class ChannelPatch(In):
    """What may change of a channel; ``pattern`` names lines in their turns, none: by weight."""

    name: Name = ""
    description: Text = ""
    mode: Mode = "rotated"
    pattern: Annotated[list[UUID], Field(max_length=MAX_PATTERN)] = []
    hourly: Flag = False
    loop: Flag = True
    crossfade_millis: Crossfade = 0
    artist_apart: Apart = 1
    title_apart: Apart = 5
    again_hours: Hours = 0


class ItemIn(In):
    """A new line of a channel: a track, a folder, an announcement, or another channel.

    ``order``: each time around as given or shuffled. With ``after_tracks`` or ``after_minutes`` it
    is heard between the tracks, once so many tracks or minutes of music have passed.
    """

    track_id: UUID | None = None
    folder_id: UUID | None = None
    announcement_id: UUID | None = None
    inner_channel_id: UUID | None = None
    weight: Weight = 1
    order: Order = "shuffled"
    after_tracks: After = 0
    after_minutes: After = 0


class ItemPatch(ItemIn):
    """What may change of a line; another subject takes the place of the one that it had."""


class ReorderItemsIn(In):
    """Every line of the channel, in the order wanted."""

    item_ids: Annotated[list[UUID], Field(max_length=MAX_ITEMS)]


class ItemOut(Out):
    """A line of a channel."""

    channel_id: UUID
    position: int
    track_id: UUID | None
    folder_id: UUID | None
    announcement_id: UUID | None
    inner_channel_id: UUID | None
    weight: int
    order: Order
    after_tracks: int
    after_minutes: int


class ChannelSummaryOut(Out):
    """A channel without its lines."""

    name: str
    description: str
    mode: Mode
    pattern: list[UUID]
    hourly: bool
    loop: bool
    crossfade_millis: int
    artist_apart: int
    title_apart: int
    again_hours: int


class ChannelOut(ChannelSummaryOut):
    """A channel with its lines in order."""

    items: list[ItemOut]

    @classmethod
    def of(cls, row: Channel, items: Any) -> "ChannelOut":
        """``row`` with its lines."""
        shown = [ItemOut.model_validate(item) for item in items]
        return cls.model_validate({**row.model_dump(), "items": shown})
