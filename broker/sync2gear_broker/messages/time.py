"""The clock exchange: four timestamps, as in RFC 5905 section 8."""

from typing import Annotated

from pydantic import Field

from sync2gear_broker.messages.base import Document
from sync2gear_broker.units import Micros, Uuid


class TimeRequest(Document):
    """``t1``: the device's monotonic clock when it asked, in microseconds."""

    t1: Micros
    n: Annotated[int, Field(strict=True, ge=0)] = 0


class TimeReply(Document):
    """``t2`` and ``t3``: platform time (microseconds since the epoch) at receipt and at sending.

    ``src`` names the clock that answered; an estimator never mixes two of them.
    """

    t1: Micros
    t2: Micros
    t3: Micros
    src: Uuid
    n: Annotated[int, Field(strict=True, ge=0)] = 0
