"""The walk: resolves boundaries, queues, cuts and lateness, instant by instant from the anchor.

Between two instants nothing is decided. Every instant is handled in the same order: what ends
ends, windows open, blocks take over, events arrive, boundaries release those that wait for them,
and the best of those due takes the voice.
"""

from collections.abc import Mapping
from heapq import heappop, heappush

from sync2gear_broker.messages import Block, OpenEvent, Programme, ZoneState
from sync2gear_broker.timeline.cues import Job, alarm_of, arrivals, known, span, swells
from sync2gear_broker.timeline.model import FOREVER, Context, Line, Outcome, Play, Run, State
from sync2gear_broker.timeline.music import Reign, Schedule


class Walk:
    """The zone at frame ``t``, and the record of how it came there."""

    def __init__(self, programmes: Mapping[str, Programme], state: ZoneState) -> None:
        anchor = state.anchor
        self.state = state
        self.t = self.start = anchor.at if anchor else 0
        self.schedule = Schedule(programmes, state.programmes if anchor else (), FOREVER)
        self.alarm = alarm_of(state)
        self.held, self.stopped = span(state.hold), span(state.stopped)
        self.alarmed = (self.alarm.start, self.alarm.end) if self.alarm else (0, 0)
        self.edges = sorted({*self.held, *self.stopped, *self.alarmed} - {FOREVER}, reverse=True)

        self.reign: Reign | None = None
        self.force: Block | None = None
        self.context: Context | None = None
        self.context_since = self.start
        self.pos = self.paused = 0
        self.until: int | None = None
        self.pending = self.running = False

        self.voice: Job | None = None
        self.open: dict[str, Job] = {}
        self.soft: dict[str, Job] = {}
        self.deadlines: list[tuple[int, int, Job]] = []
        self.due: list[tuple[tuple[int, int, str], int, Job]] = []
        self.tails: list[tuple[Job, int]] = []
        self.sequence = 0

        self.runs: list[Run] = []
        self.plays: list[Play] = []
        self.lines: list[Line] = []
        self.outcomes: list[Outcome] = []

        self._anchor_music()
        self.arrivals, skipped = arrivals(state, self.schedule.reigns, self.start)
        for job in skipped:
            self._outcome(job, "cancelled", "skipped")
        self._open_events()

    def run(self, stop: int) -> None:
        """Handle every instant up to and including ``stop``."""
        self._instant()
        while (t := self._next_instant()) <= stop and t < FOREVER:
            self.advance(t)
            self._instant()

    def advance(self, t: int) -> None:
        """Let time run to ``t`` without deciding anything."""
        if self.running:
            self.pos += t - self.t
        if self.force is not None and (self.pending or not self.running):
            self.paused += t - self.t
        self.t = t

    # the state at the anchor

    def _anchor_music(self) -> None:
        anchor = self.state.anchor
        self.reign = self.schedule.reign(self.t)
        if anchor is None or self.reign is None:
            return
        self.force = self.reign.in_force(self.t)
        self.paused = anchor.paused
        block = self.reign.block(anchor.block)
        if block is None or (anchor.until is not None and anchor.until <= self.t):
            self._take_force(self.reign, self.force)
            return
        self.context = Context(self.schedule.cycle(self.reign, block), anchor.fresh)
        self.pos, self.until = anchor.pos, anchor.until
        unheard = 0 <= self.t - self.force.at <= anchor.paused and block.id != self.force.id
        self.pending = unheard and self.force.when != "cut" and anchor.until is None

    def _open_events(self) -> None:
        entries = self.state.anchor.open if self.state.anchor else ()
        sounding: list[Job] = []
        waiting: list[Job] = []
        for entry in entries:
            job = known(self.state, self.reign, entry)
            if job is None:
                continue
            job.cancel = min(job.cancel, FOREVER if entry.end is None else entry.end)
            if entry.began is None or entry.began > self.t:
                job.wait = entry.wait
                waiting.append(job)
                continue
            job.began = entry.began
            if job.end <= self.t:
                self._tail(job, job.end)
            else:
                sounding.append(job)
        for job in sorted(sounding, key=lambda job: job.rank):
            if self.voice is None:
                self.voice = self.open[job.cue.id] = job
            else:  # there is one voice at a time, whatever a document says
                waiting.append(Job(job.cue, job.media, job.cancel, "again"))
        for job in waiting:
            if job.cue.id not in self.open:
                self._queue(job)

    # instants

    def _next_instant(self) -> int:
        times = [FOREVER]
        if self.arrivals:
            times.append(self.arrivals[-1].cue.start)
        if self.voice is not None:
            times.append(self.voice.end)
        while self.deadlines and not self._is_soft(self.deadlines[0][2]):
            heappop(self.deadlines)
        if self.deadlines:
            times.append(self.deadlines[0][0])
        if self.running and self.context is not None:
            soft = bool(self.soft) or (self.pending and not self._patient())
            times += [self.t + left for left in self.context.cycle.ahead(self.pos, soft=soft)]
        if self.pending and self.force is not None and self.force.when == "wait":
            times.append(self.force.at + self.force.max_wait)
        border = self.schedule.next_border(self.t)
        if border is not None:
            times.append(border)
        if self.until is not None:
            times.append(self.until)
        while self.edges and self.edges[-1] <= self.t:
            self.edges.pop()
        if self.edges:
            times.append(self.edges[-1])
        return min(times)

    def _instant(self) -> None:
        t = self.t
        if self.voice is not None and self.voice.end <= t:
            job = self.voice
            cut_short = job.end < job.began + job.media.frames
            why: tuple[State, str] = ("cancelled", "cancelled") if cut_short else ("played", "")
            self._finish(job, *why)
        windows = (self.stopped, self.alarmed, self.held)
        stopped, alarmed, held = (start <= t < end for start, end in windows)
        still = stopped or alarmed or held
        jumped = self._border(still)
        while self._gives_way():
            jumped = True
        while self.arrivals and self.arrivals[-1].cue.start <= t:
            self._arrive(self.arrivals.pop())
        if stopped:
            self._silence()
        elif alarmed and self.voice is not None:
            self._cut(self.voice, "emergency")
        boundary = held or self._quiet() or self._at_boundary(jumped, still)
        self._release(everything=boundary)
        if not (stopped or alarmed):
            self._choose()
            if not boundary and self._at_boundary(jumped, still):
                # a pause was cut on the very frame of a boundary, so the music is heard to pass it
                self._release(everything=True)
                self._choose()
                self._hand_over(still)
        self._note_music(still)

    def _at_boundary(self, jumped: bool, still: bool) -> bool:
        here = None if still or self._pausing() else self.context
        return here is not None and (jumped or here.cycle.locate(self.pos).offset == 0)

    def _quiet(self) -> bool:
        """Whether there is no music here that could be interrupted."""
        return self.context is None or self.context.block.silent or self._over()

    def _over(self) -> bool:
        return self.context is not None and self.context.cycle.is_over(self.pos)

    def _pausing(self) -> bool:
        return self.voice is not None and self.voice.cue.mode == "pause"

    def close(self) -> None:
        """Nothing more will happen: account for those that wait for ever."""
        for job in self.open.values():
            if job.cancel < FOREVER:
                self._outcome(job, "cancelled", "cancelled")
            elif job.wait != "again" and job.cue.late_by is not None:
                self._outcome(job, "dropped", "late")
            else:
                self._outcome(job, "waiting", "")

    def lists(self, job: Job) -> bool:
        """Whether the state's documents still have this very event, as they are read."""
        found = known(self.state, self.reign, OpenEvent(id=job.cue.id))
        return found is not None and (found.cue, found.media) == (job.cue, job.media)

    # music

    def _border(self, still: bool) -> bool:
        """Let blocks, programmes and the end of an override take over; True if the music jumps."""
        reign = self.schedule.reign(self.t)
        if reign is None:
            return False
        block, swapped = reign.in_force(self.t), reign is not self.reign
        old = self.context  # the first block is in force before it begins, and begins all the same
        begins = old is not None and old.block.id != block.id and self.start < self.t == block.at
        was = self.force and (self.force.id, self.force.at)  # its name alone may mean another now
        changed = was != (block.id, block.at) or (begins and not swapped)
        self.reign, self.force, keep = reign, block, not changed
        if changed:  # softly: the music goes on to a boundary, and for good if it is this block's
            keep = block.when != "cut" and self.until is None and block.at <= self.t
            self.pending = keep and old is not None and old.block.id != block.id
            self.paused = self.t - block.at if self.pending else 0
        if self.until is not None:
            keep = self.until > self.t
        if keep and old is not None:
            same = reign.block(old.block.id) if swapped else old.block
            if same is not None:
                if swapped:
                    self.context = Context(self.schedule.cycle(reign, same), old.fresh)
                return self._hand_over(still)
        return self._taken(reign, block)

    def _hand_over(self, still: bool) -> bool:
        """Let the block that waits for a boundary take over, if it need not wait any more."""
        block = self.force
        if not self.pending or block is None or self.reign is None:
            return False
        waited = block.when == "wait" and self.t >= block.at + block.max_wait
        ready = waited or self._quiet()
        if not self._patient():
            ready = ready or still or self._at_boundary(jumped=False, still=still)
        return ready and self._taken(self.reign, block)

    def _patient(self) -> bool:
        """Whether a block that waits does so until all of the music is over."""
        here, force = self.context, self.force
        return here is not None and force is not None and force.whole and here.block.once

    def _gives_way(self) -> bool:
        """Let what comes after music that is over have its turn; True if there is any such."""
        here, reign, force = self.context, self.reign, self.force
        if here is None or reign is None or force is None or not self._over():
            return False
        if force.at > here.block.at:
            return self._taken(reign, force)
        after = reign.after(here.block)
        # never heard at all is no end: with what is anchored in its place it would seem to wait
        if after is None or not after.follows or self.paused >= self.t - force.at:
            return False
        self._read(reign, after, after.pos)
        self.context_since = self.t
        return True

    def _taken(self, reign: Reign, block: Block) -> bool:
        """The block in force has the music; True if this makes a difference."""
        old, old_pos = self.context, self.pos
        self._take_force(reign, block)
        if old is not None and (old.block.id, old_pos) == (block.id, self.pos):
            return False
        if old is not None and old.block.crossfade and not old.cycle.is_over(old_pos):
            began = self.t - old.block.crossfade
            self.lines.append(Line(began, self.t, 1.0, 0.0, max(began, self.context_since)))
        self.context_since = self.t
        return True

    def _take_force(self, reign: Reign, block: Block) -> None:
        """Read the block in force at its own position, as if never overridden."""
        self._read(reign, block, max(0, block.pos + self.t - block.at - self.paused))

    def _read(self, reign: Reign, block: Block, pos: int) -> None:
        fresh = 0 if block.begin == "continue" else block.pos
        self.context, self.pos = Context(self.schedule.cycle(reign, block), fresh), pos
        self.until, self.pending = None, False

    def _note_music(self, still: bool) -> None:
        running = not (still or self._pausing() or self._over())
        if self.context is None:
            return
        last = self.runs[-1] if self.runs else None
        if last is not None and last.context is self.context and running == self.running:
            return
        if last is not None and self.running:
            self.runs[-1] = Run(last.start, self.t, last.pos, last.context)
        self.running = running
        self.runs.append(Run(self.t, FOREVER if running else self.t, self.pos, self.context))

    # events

    def _queue(self, job: Job) -> None:
        """Take an event in: to the boundary that it waits for, or to those that are due."""
        self.open[job.cue.id] = job
        if job.wait == "boundary" and job.cue.when != "cut":
            self.soft[job.cue.id] = job
            if job.cue.when == "wait":
                self.sequence += 1
                heappush(self.deadlines, (job.cue.start + job.cue.max_wait, self.sequence, job))
        else:
            self._make_due(job)

    def _is_soft(self, job: Job) -> bool:
        return self.soft.get(job.cue.id) is job

    def _make_due(self, job: Job) -> None:
        if job.wait == "boundary":
            job.wait = "voice"
        self.sequence += 1
        heappush(self.due, (job.rank, self.sequence, job))

    def _arrive(self, job: Job) -> None:
        here = self.open.get(job.cue.id)
        if here is not None and (here is self.voice or here.refusal(self.t) is None):
            return  # the same event, already begun or waiting under an older programme
        if here is not None:
            self._drop(here)
        self._queue(job)

    def _release(self, *, everything: bool) -> None:
        """Make due what a boundary releases, or what has waited long enough."""
        ready = list(self.soft.values()) if everything else []
        while not everything and self.deadlines and self.deadlines[0][0] <= self.t:
            job = heappop(self.deadlines)[2]
            if self._is_soft(job):
                ready.append(job)
        for job in ready:
            del self.soft[job.cue.id]
            self._make_due(job)

    def _choose(self) -> None:
        """Give the voice to the best of those due, if it is free or of lower priority."""
        while self.due:
            job = self.due[0][2]
            if self.open.get(job.cue.id) is not job:
                heappop(self.due)
                continue
            if self.voice is not None and self.voice.cue.priority >= job.cue.priority:
                return
            heappop(self.due)
            if job.refusal(self.t) is not None:
                self._drop(job)
                continue
            if self.voice is not None and self.voice.began == self.t:
                self.voice.began = -1  # it has not sounded yet: it waits rather than being cut
                self._make_due(self.voice)
            elif self.voice is not None:
                self._cut(self.voice, "priority")
            job.began = self.t
            self.voice = job
            return

    def _drop(self, job: Job) -> None:
        """Forget an event that will not sound any more."""
        state, reason = job.refusal(self.t) or ("missed", "stopped")
        self._outcome(job, state, reason)
        self.soft.pop(job.cue.id, None)
        del self.open[job.cue.id]

    def _silence(self) -> None:
        """A stopped zone: whatever sounds is cut, whatever waits is missed."""
        if self.voice is not None:
            self._finish(self.voice, "cut", "stopped")
        for job in list(self.open.values()):
            self._drop(job)
        self.due.clear()
        self.deadlines.clear()

    def _cut(self, job: Job, reason: str) -> None:
        """End the voice now; an event that wants to is queued again."""
        again = job.cue.on_cut == "restart"
        self._finish(job, "cut", reason, record=not again)
        if again:
            self._queue(Job(job.cue, job.media, job.cancel, "again"))

    def _finish(self, job: Job, state: State, reason: str, *, record: bool = True) -> None:
        self.voice = None
        del self.open[job.cue.id]
        end = min(self.t, job.end)
        self.plays.append(Play(job.began, end, job.cue.id, job.media, job.cue.gain))
        self._tail(job, end)
        if record:
            self._outcome(job, state, reason, end)

    def _tail(self, job: Job, end: int) -> None:
        """The music's envelope around a voice that ends at ``end``."""
        self.lines += swells(job, end)
        if job.cue.mode != "mix" and job.cue.fade_out:
            self.tails.append((job, end))

    def _outcome(self, job: Job, state: State, reason: str, end: int | None = None) -> None:
        began = None if job.began < 0 else job.began
        self.outcomes.append(
            Outcome(job.cue.id, job.media, job.cue.start, began, end, state, reason)
        )
