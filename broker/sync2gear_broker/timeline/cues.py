"""Events on their way and the windows in which they may not sound."""

from dataclasses import dataclass
from typing import Literal

from sync2gear_broker.messages import Cue, LiveEvent, Media, Window, ZoneState
from sync2gear_broker.timeline.model import FOREVER, Alarm, State


@dataclass(slots=True, eq=False)
class Job:
    """An event on its way: waiting for a boundary, due, or sounding since ``began``."""

    cue: Cue
    media: Media
    cancel: int = FOREVER
    wait: Literal["boundary", "voice", "again"] = "boundary"
    began: int = -1

    @property
    def rank(self) -> tuple[int, int, str]:
        """The order in which due events take the voice."""
        return (-self.cue.priority, self.cue.start, self.cue.id)

    @property
    def end(self) -> int:
        """Where its voice ends if nothing cuts it."""
        return min(self.began + self.media.frames, self.cancel)

    def refusal(self, t: int) -> tuple[State, str] | None:
        """Why it may not begin at ``t``, if so."""
        if self.cancel <= t:
            return ("cancelled", "cancelled")
        late = self.cue.late_by
        if self.wait != "again" and late is not None and t > self.cue.start + late:
            return ("dropped", "late")
        return None


def live_job(live: LiveEvent) -> Job:
    """A person's announcement, to be taken exactly like a planned one."""
    return Job(live, live.media, FOREVER if live.end is None else live.end)


def span(window: Window | None) -> tuple[int, int]:
    """The frames [from, until) of a window; empty if there is none."""
    if window is None:
        return (0, 0)
    return (window.from_, FOREVER if window.until is None else window.until)


def alarm_of(state: ZoneState) -> Alarm | None:
    """The emergency in force; a latch without media or frames must not silence a zone."""
    latch = state.emergency
    if latch is None or not latch.active or latch.media is None:
        return None
    end = FOREVER if latch.end is None else latch.end
    return Alarm(latch.start, end, latch.gen, latch.media) if latch.start < end else None
