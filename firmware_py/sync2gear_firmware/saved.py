"""The documents that only this speaker writes and reads: its clock's line, and its evergreens."""

from dataclasses import asdict
from typing import Self

from pydantic import BaseModel

from sync2gear_broker.messages import Media
from sync2gear_firmware.clock import Clock, Line


class SavedLine(BaseModel):
    """A trusted line with the boot of the machine on whose clock it lies."""

    boot: str
    src: str
    at: int
    offset: float
    slope: float
    error: float

    @classmethod
    def of(cls, line: Line, boot: str) -> Self:
        """``line``, learnt in ``boot``."""
        return cls(boot=boot, **asdict(line))

    def clock(self, boot: str) -> Clock:
        """The clock as it is known in ``boot``: of another the line says nothing."""
        if self.boot != boot:
            return Clock()
        return Clock(line=Line(self.src, self.at, self.offset, self.slope, self.error))

    def passed(self) -> float:
        """The platform's time when it was saved, in seconds since 1970: it has surely been."""
        return (self.at + self.offset) / 1e6


class Evergreens(BaseModel):
    """Tracks that fill in for what is lacking."""

    media: tuple[Media, ...] = ()
