"""Events on their way, what they do to the music, and when they may not sound."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sync2gear_broker.messages import Cue, LiveEvent, Media, OpenEvent, Window, ZoneState
from sync2gear_broker.timeline.model import FOREVER, Alarm, Line, State
from sync2gear_broker.timeline.music import Reign
from sync2gear_broker.units import amplitude


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


def planned(reign: Reign, since: int, key: str | None = None) -> list[Job]:
    """What a programme announces from ``since`` on while it reigns, or its event of that id."""
    media = reign.programme.media
    events = reign.events(since) if key is None else reign.programme.events
    return [Job(e, media[e.media]) for e in events if key is None or e.id == key]


def arrivals(state: ZoneState, reigns: Iterable[Reign], since: int) -> tuple[list[Job], list[Job]]:
    """Every event from the anchor at ``since`` on, the next one last; and those to be skipped."""
    coming = [job for reign in reigns for job in planned(reign, since)]
    skip = set(state.skip)
    jobs = [live_job(live) for live in state.live if live.start >= since]
    jobs += [job for job in coming if job.cue.id not in skip]
    anchor = state.anchor  # what began at the very anchor is open, and not to come again
    begun = {entry.id for entry in anchor.open} if anchor else set()
    jobs = [job for job in jobs if job.cue.start > since or job.cue.id not in begun]
    jobs.sort(key=lambda job: (job.cue.start, job.cue.id), reverse=True)
    return jobs, [job for job in coming if job.cue.id in skip]


def known(state: ZoneState, reign: Reign | None, entry: OpenEvent) -> Job | None:
    """The event that an entry of ``open`` means."""
    if entry.cue is not None:
        return live_job(entry.cue)
    live = [live_job(live) for live in state.live if live.id == entry.id]
    reigning = [] if live or reign is None else planned(reign, 0, entry.id)
    return next(iter([*live, *reigning]), None)


def swells(job: Job, end: int) -> list[Line]:
    """How the music falls and rises around a voice that ends at ``end``."""
    cue, found = job.cue, []
    if cue.mode == "mix":
        return []
    depth = amplitude(cue.duck) if cue.mode == "duck" else 0.0
    if cue.fade_in:
        began = job.began - cue.fade_in
        found.append(Line(began, job.began, 1.0, depth, began))
    if cue.mode == "duck" and end > job.began:
        found.append(Line(job.began, end, depth, depth, job.began))
    if cue.fade_out:
        found.append(Line(end, end + cue.fade_out, depth, 1.0, end))
    return found


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
