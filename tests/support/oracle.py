"""A second, slow reading of the timeline, frame by frame, written from the contract's words.

It shares no code with ``sync2gear_broker.timeline``: no walk from instant to instant, no prefix
sums, no intervals. Only for tiny timelines.
"""

from dataclasses import dataclass, field

from sync2gear_broker.messages import Block, Cue, Media, Programme, Window, ZoneState

Sound = list[tuple[str, str, int, float]]
"""What sounds in one frame: (role, sha256, offset, gain), music first."""


def inside(window: Window | None, t: int) -> bool:
    """Whether a window is open at t."""
    if window is None:
        return False
    return window.from_ <= t and (window.until is None or t < window.until)


@dataclass
class Talk:
    """An announcement and how far it has come."""

    cue: Cue
    media: Media
    cancel: int | None
    released: bool = False
    again: bool = False
    began: int | None = None
    ended: int | None = None


@dataclass
class Frame:
    """What was decided for one frame."""

    music: tuple[Programme, Block, int, int] | None = None  # programme, block, clock, fresh
    talk: Talk | None = None
    alarm: bool = False


@dataclass
class Oracle:
    """The zone, advanced one frame at a time."""

    programmes: dict[str, Programme]
    state: ZoneState
    stood: int = 0
    clock: int = 0
    fresh: int = 0
    playing: str | None = None
    hand: bool = False
    knocking: bool = False
    rules: Programme | None = None
    force: Block | None = None
    since: int = 0
    talk: Talk | None = None
    queue: list[Talk] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    fades: list[tuple[int, int, int]] = field(default_factory=list)  # since, at, length
    frames: dict[int, Frame] = field(default_factory=dict)

    def programme(self, t: int) -> Programme | None:
        """The youngest programme that we have and that rules at t."""
        ruling = [
            (ref.from_, number)
            for number, ref in enumerate(self.state.programmes)
            if ref.sha256 in self.programmes and ref.from_ <= t
        ]
        if not ruling or self.state.anchor is None:
            return None
        return self.programmes[self.state.programmes[max(ruling)[1]].sha256]

    def own_position(self, block: Block, t: int) -> None:
        """Read the block in force at its own position, less the pauses since it came into force."""
        self.playing, self.hand = block.id, False
        self.clock = max(0, block.pos + (t - block.at) - self.stood)
        self.fresh = 0 if block.begin == "continue" else block.pos

    def read_block(self, t: int, first: bool) -> bool:
        """Decide which block the clock reads at t; True if the music is another than before."""
        programme = self.programme(t)
        if programme is None:
            return False
        begun = [block for block in programme.blocks if block.at <= t] or [programme.blocks[0]]
        force = begun[-1]
        old, self.rules = self.rules, programme
        swapped = programme is not old
        first_begins = force.at == t and not first and not swapped and self.playing != force.id
        was, self.force = self.force, force
        other = was is None or (force.id, force.at) != (was.id, was.at)
        moved = other or first_begins
        anchor = self.state.anchor
        until = anchor.until if anchor is not None and (self.hand or first) else None
        if first and anchor is not None:
            self.stood, moved, self.hand = anchor.paused, False, True
            self.playing, self.clock, self.fresh = anchor.block, anchor.pos, anchor.fresh
            never_ran = force.when != "cut" and 0 <= t - force.at <= anchor.paused
            known = any(block.id == anchor.block for block in programme.blocks)
            self.knocking = never_ran and known and anchor.block != force.id and until is None
        elif moved:
            gentle = force.when != "cut" and force.at <= t and until is None
            gentle = gentle and old is not None
            self.knocking = gentle and self.playing != force.id
            self.stood = t - force.at if self.knocking else 0
            moved = not gentle  # the very block that is heard already simply goes on
        ended = moved if until is None else t >= until
        if not ended and swapped:
            ended = all(block.id != self.playing for block in programme.blocks)
        if not ended:
            return self.knocked(t)
        return self.take(force, old, t, first)

    def knocked(self, t: int) -> bool:
        """Whether the block that waits before the door may come in now, and does."""
        force = self.force
        if not self.knocking or self.rules is None or force is None:
            return False
        playing = self.block()
        nobody = self.alarm(t) or inside(self.state.hold, t) or inside(self.state.stopped, t)
        waited = force.when == "wait" and t - force.at >= force.max_wait
        if self.over():
            return self.take(force, self.rules, t, False)
        if force.whole and playing is not None and playing.once and not playing.silent:
            return waited and self.take(force, self.rules, t, False)
        fresh_item = False
        if playing is not None and not nobody and not self.pausing():
            begun = [begin for _, begin, _ in self.items(self.rules, playing, self.clock)]
            fresh_item = self.clock in begun
        silent = playing is None or playing.silent
        if nobody or waited or silent or fresh_item:
            return self.take(force, self.rules, t, False)
        return False

    def over(self) -> bool:
        """Whether the music is heard once and that was it."""
        return self.rules is not None and self.ended_in(self.rules)

    def ended_in(self, programme: Programme) -> bool:
        """The same, as a programme has the block that is heard."""
        block = next((one for one in programme.blocks if one.id == self.playing), None)
        if block is None or not block.once:
            return False
        left = self.clock
        for number, index in enumerate(block.items):
            left -= programme.media[index].frames - self.overlap(programme, block, number)
        return left >= 0

    def overlap(self, programme: Programme, block: Block, number: int) -> int:
        """How long an item of the unrolled loop sounds together with the one after it."""
        count = len(block.items)
        if block.once and number % count == count - 1:
            return 0
        this, after = (programme.media[block.items[n % count]] for n in (number, number + 1))
        return min(block.crossfade, this.frames // 2, after.frames // 2)

    def followed(self, t: int) -> bool:
        """Whether music that is over makes room for somebody, who then has it."""
        block, force = self.block(), self.force
        if block is None or force is None or self.rules is None or not self.over():
            return False
        if force.at > block.at:
            return self.take(force, self.rules, t, False) or True
        later = [one for one in self.rules.blocks if one.at > block.at][:1]
        never_heard = self.stood >= t - force.at
        if not later or never_heard or not later[0].whole or later[0].when == "cut":
            return False
        (after,) = later
        self.playing, self.hand, self.clock, self.since = after.id, False, after.pos, t
        self.fresh = 0 if after.begin == "continue" else after.pos
        return True

    def take(self, force: Block, old: Programme | None, t: int, first: bool) -> bool:
        """The block in force comes in; True if the music is another than before."""
        self.knocking = False
        before, finished = (self.playing, self.clock), old is not None and self.ended_in(old)
        self.own_position(force, t)
        if old is not None and (self.playing, self.clock) != before and not finished:
            length = next(block for block in old.blocks if block.id == before[0]).crossfade
            self.fades.append((self.since, t, length))
        if first or (self.playing, self.clock) == before:
            return False
        self.since = t
        return True

    def items(self, programme: Programme, block: Block, clock: int) -> list[tuple[int, int, int]]:
        """Unroll the loop: (media index, beginning, overlap with the next one) up to the clock."""
        out, begin, k = [], 0, 0
        while begin <= clock:
            index = block.items[k % len(block.items)]
            overlap = self.overlap(programme, block, k)
            out.append((index, begin, overlap))
            begin += programme.media[index].frames - overlap
            k += 1
        return out

    def block(self) -> Block | None:
        """The block that the clock reads."""
        if self.rules is None:
            return None
        return next(block for block in self.rules.blocks if block.id == self.playing)

    def arrivals(self, t: int, start: int) -> list[Talk]:
        """The events whose start is t."""
        found = []
        programme = self.programme(t)
        if programme is not None:
            found = [
                Talk(event, programme.media[event.media], None)
                for event in programme.events
                if event.start == t and event.id not in self.state.skip
            ]
        found += [
            Talk(live, live.media, live.end)
            for live in self.state.live
            if live.start == t and t >= start
        ]
        return sorted(found, key=lambda talk: talk.cue.id)

    def hopeless(self, talk: Talk, t: int) -> bool:
        """Whether it was cancelled or is too late by t."""
        if talk.cancel is not None and talk.cancel <= t:
            return True
        late = talk.cue.late_by
        return late is not None and not talk.again and t > talk.cue.start + late

    def finish(self, t: int) -> None:
        """The voice falls silent."""
        assert self.talk is not None
        self.talk.ended = t
        self.talk = None

    def cut(self, t: int) -> None:
        """Somebody more important takes the voice."""
        talk = self.talk
        assert talk is not None
        self.finish(t)
        if talk.cue.on_cut == "restart":
            self.queue.append(Talk(talk.cue, talk.media, talk.cancel, released=True, again=True))

    def step(self, t: int, start: int) -> None:
        """One frame."""
        state = self.state
        if self.talk is not None and self.talk.began is not None:
            over = t >= self.talk.began + self.talk.media.frames
            if over or (self.talk.cancel is not None and t >= self.talk.cancel):
                self.finish(t)

        held, stopped, alarm = inside(state.hold, t), inside(state.stopped, t), self.alarm(t)
        jumped = self.read_block(t, t == start)
        while self.followed(t):
            jumped = True
        self.arrive(t, start)
        if stopped:
            self.queue = []
            if self.talk is not None:
                self.finish(t)
        if alarm and self.talk is not None:
            self.cut(t)
        again = True
        while again:
            again = False
            self.release(t, held, jumped, held or stopped or alarm)
            if not (stopped or alarm):
                again = self.choose(t)
        self.knocked(t)
        block = self.block()
        silent = held or stopped or alarm or self.pausing() or self.over()
        frame = Frame(talk=self.talk, alarm=alarm)
        if block is not None and self.rules is not None and not silent:
            frame.music = (self.rules, block, self.clock, self.fresh)
            self.clock += 1
            self.stood += self.knocking
        elif block is not None:
            self.stood += 1
        self.frames[t] = frame

    def arrive(self, t: int, start: int) -> None:
        """Take in what starts now, unless it is the same event that is already on its way."""
        for talk in self.arrivals(t, start):
            same = [one for one in self.queue if one.cue.id == talk.cue.id]
            if self.talk is not None and self.talk.cue.id == talk.cue.id:
                continue
            if any(not self.hopeless(one, t) for one in same):
                continue
            self.queue = [one for one in self.queue if one.cue.id != talk.cue.id]
            talk.released = talk.cue.when == "cut"
            self.queue.append(talk)

    def alarm(self, t: int) -> bool:
        """Whether the emergency sounds."""
        latch = self.state.emergency
        if latch is None or not latch.active or latch.media is None:
            return False
        return latch.start <= t and (latch.end is None or t < latch.end)

    def pausing(self) -> bool:
        """Whether the voice stops the music."""
        return self.talk is not None and self.talk.cue.mode == "pause"

    def release(self, t: int, held: bool, jumped: bool, still: bool) -> None:
        """Soft starts at a boundary of the music, a held zone being one, or after their wait."""
        block = self.block()
        boundary = held or block is None or block.silent or self.over()
        if block is not None and self.rules is not None and not still and not self.pausing():
            beginnings = [begin for _, begin, _ in self.items(self.rules, block, self.clock)]
            boundary = boundary or jumped or self.clock in beginnings
        for talk in self.queue:
            waited = talk.cue.when == "wait" and t >= talk.cue.start + talk.cue.max_wait
            talk.released = talk.released or boundary or waited

    def choose(self, t: int) -> bool:
        """Give the voice to the first of the queue; True if somebody took it."""
        order = sorted(
            (talk for talk in self.queue if talk.released),
            key=lambda talk: (-talk.cue.priority, talk.cue.start, talk.cue.id),
        )
        for talk in order:
            if self.talk is not None and self.talk.cue.priority >= talk.cue.priority:
                return False
            self.queue = [one for one in self.queue if one is not talk]
            if self.hopeless(talk, t):
                continue
            if self.talk is not None and self.talk.began == t:
                self.talk.began = None  # not a frame of it has sounded, so that it only waits
                self.talks = [one for one in self.talks if one is not self.talk]
                self.queue.append(self.talk)
            elif self.talk is not None:
                self.cut(t)
            talk.began = t
            self.talk = talk
            self.talks.append(talk)
            return True
        return False

    def envelope(self, t: int) -> float:
        """How far the announcements and the ends of blocks push the music down."""
        lowest = 1.0
        for since, at, length in self.fades:
            if length and max(since, at - length) <= t < at:
                lowest = min(lowest, (at - t) / length)
        for talk in self.talks:
            cue, began, ended = talk.cue, talk.began, talk.ended
            if cue.mode == "mix" or began is None:
                continue
            depth = 10 ** (cue.duck / 2000) if cue.mode == "duck" else 0.0
            if cue.fade_in and began - cue.fade_in <= t < began:
                lowest = min(lowest, 1 + (depth - 1) * (t - began + cue.fade_in) / cue.fade_in)
            if cue.mode == "duck" and began <= t and (ended is None or t < ended):
                lowest = min(lowest, depth)
            if cue.fade_out and ended is not None and ended <= t < ended + cue.fade_out:
                lowest = min(lowest, depth + (1 - depth) * (t - ended) / cue.fade_out)
        return lowest

    def sound(self, t: int) -> Sound:
        """The voices of one simulated frame."""
        frame = self.frames[t]
        out: Sound = []
        if frame.music is not None and not frame.music[1].silent:
            programme, block, clock, fresh = frame.music
            items = self.items(programme, block, clock)
            index, begin, _ = items[-1]
            down = self.envelope(t)
            up = 1.0
            if len(items) > 1 and begin > fresh and clock - begin < items[-2][2]:
                old, old_begin, overlap = items[-2]
                up = (clock - begin) / overlap
                sha, gain = programme.media[old].sha256, min(down, 1 - up)
                out.append(("music", sha, clock - old_begin, gain))
            out.append(("music", programme.media[index].sha256, clock - begin, min(down, up)))
        latch = self.state.emergency
        if frame.alarm and latch is not None and latch.media is not None:
            offset = (t - latch.start) % latch.media.frames
            out.append(("emergency", latch.media.sha256, offset, 1.0))
        if frame.talk is not None and frame.talk.began is not None:
            out.append(("event", frame.talk.media.sha256, t - frame.talk.began, 1.0))
        return out


def simulate(programmes: dict[str, Programme], state: ZoneState, end: int) -> dict[int, Sound]:
    """What sounds in each frame from the anchor to ``end``; fades need some frames beyond it."""
    start = state.anchor.at if state.anchor else 0
    oracle = Oracle(programmes, state, since=start)
    for t in range(start, end + 30):
        oracle.step(t, start)
    return {t: oracle.sound(t) for t in range(start, end)}
