"""A share of voice: how often an announcement is heard in an hour to have its part of it."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from math import ceil
from uuid import UUID

from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.schedules.model import Message, Paced, Schedule, Share

HOUR = 3600
MOST = 60
"""Times in an hour."""


def paced(schedule: Schedule, messages: Mapping[UUID, Message]) -> Schedule:
    """The schedule with its share as times of each hour; any other as it is.

    As often as it takes for the seconds that were asked for (or the whole hour), evenly spaced and
    from a second on that follows from its id: shares of several announcements lie apart.
    """
    when, message = schedule.timing.when, messages.get(schedule.message or UUID(int=0))
    if not isinstance(when, Share) or message is None:
        return schedule
    lasts = _seconds(message)
    often = ceil(when.seconds / lasts) if lasts else 0
    count = max(1, min(often, int(HOUR / lasts) if lasts else 0, MOST))
    shift = int.from_bytes(sha256(schedule.id.bytes).digest()[:8]) % (HOUR // count)
    seconds = tuple(shift + k * HOUR // count for k in range(count))
    return replace(schedule, timing=replace(schedule.timing, when=Paced(seconds)))


def _seconds(message: Message) -> Fraction:
    """How long the message is, on the average of its variants."""
    weighed = [(piece.media.frames, weight) for piece, weight in message.variants if weight > 0]
    if not weighed and message.evergreen is not None:
        weighed = [(message.evergreen.media.frames, 1)]
    total = sum(weight for _, weight in weighed)
    frames = sum(frames * weight for frames, weight in weighed)
    return Fraction(frames, total * FRAME_RATE) if total else Fraction(0)
