"""What a zone heard, told again from a ledger with the channels as they are now."""

from collections.abc import Mapping
from dataclasses import replace

from sync2gear_broker import timeline
from sync2gear_broker.messages import Programme
from sync2gear_broker.timeline.music import cycle_of
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.channels.model import Channel
from sync2gear_platform.channels.rotation import Memory, Pick, Rotation
from sync2gear_platform.schedules.asking import Betweens, asked_at, between
from sync2gear_platform.schedules.band import (
    Leaving,
    leave,
    pauses,
    programme_of,
)
from sync2gear_platform.schedules.calls import MEMORY, Past
from sync2gear_platform.schedules.course import Course
from sync2gear_platform.schedules.given import Facts, Running, Stretch
from sync2gear_platform.schedules.ledger import BASE, HAND, Digests, Kept, Ledger
from sync2gear_platform.schedules.quiet import Hush

AHEAD = 8 * 24 * 3600 * FRAME_RATE
"""Longer than any programme reaches."""


def past_of(facts: Facts, starts: Mapping[str, tuple[int, ...]]) -> Past:
    """When the zone heard what, also by the groups that limit it."""
    groups: dict[str, list[int]] = {}
    for schedule in facts.schedules:
        if schedule.limits.group:
            groups.setdefault(schedule.limits.group, []).extend(starts.get(schedule.id.hex, ()))
    return Past(starts, {group: tuple(sorted(found)) for group, found in groups.items()})


class Retold:
    """What was heard, told again block by block with the channels as they are now."""

    def __init__(self, facts: Facts, ledger: Ledger, ruling: Programme | None, now: int) -> None:
        self.memories = dict(ledger.memories)
        self.cut = dict(ledger.cut)
        self._facts, self._ledger, self._now = facts, ledger, now
        self._channels = {channel.id: channel for channel in facts.channels.values()}
        spoken = [(event, ruling.media[event.media]) for event in ruling.events] if ruling else []
        self.pauses = sorted({*ledger.pauses, *pauses(spoken)})
        starts = {key: set(found) for key, found in ledger.starts.items()}
        for event, _ in spoken:
            if event.start < now:
                starts.setdefault(event.id.split(".")[0], set()).add(event.start)
        self.starts = {
            key: tuple(sorted(at for at in found if now - MEMORY <= at < now))
            for key, found in starts.items()
        }

    def roll(self, until: int, seen: int, since: int = 0) -> None:
        """Go through the blocks that began from ``since`` on and before ``until``.

        One that was not over by ``seen`` is left as if it had run on to there.
        """
        for kept in self._ledger.blocks:
            if kept.block.at >= until:
                return
            if kept.block.at < since:
                continue
            left = kept.left if kept.end <= seen else self._run_on(kept, seen)
            channel = self._channels.get(kept.block.source)
            if channel is None or left is None:
                continue
            index, into = left
            picks = self._told(kept, channel, index + 1)
            leave(self.memories, self.cut, Leaving(channel.id, picks), index, into)

    def running(
        self,
        kept: Kept,
        position: timeline.MusicPosition | None,
        digests: Digests,
    ) -> tuple[Stretch, Running | None]:
        """The block in force, and how it may go on if its channel lets it; it is left here."""
        channel = self._channels.get(kept.block.source)
        stretch = replace(self._ledger.stretch(kept), end=self._now)
        if channel is None or position is None:
            return stretch, None
        picks = self._told(kept, channel, len(stretch.pieces))
        index, into = position.index, position.offset
        leave(self.memories, self.cut, Leaving(channel.id, picks), index, into)
        same = digests.music(self._facts, channel) == kept.music
        whole = same and kept.schedule in {BASE.id, HAND.id}
        if position.cycle and not whole:
            return stretch, None  # what it loops would be something else once it grows
        size = len(picks) if same else index + 1
        return stretch, Running(stretch, tuple(picks), size, index, into, grows=not whole)

    def _told(self, kept: Kept, channel: Channel, count: int) -> list[Pick]:
        """The first ``count`` pieces of a block with the memory after each."""
        stretch = self._ledger.stretch(kept)
        block = kept.block
        memory = self.memories.get(channel.id, Memory())
        if block.begin == "restart":
            memory = Memory(heard=memory.heard)
        course = Course(block.at + kept.delay, block.crossfade, self.pauses)
        rotation = Rotation(channel, channel.id)
        until = max(block.at + 1, min(kept.end, self._now + AHEAD))
        wanted = Betweens(between(self._facts, block.at, until))
        hush = Hush(self._facts.quiet, self._facts.tz, block.at, until).covers
        picks: list[Pick] = []
        for piece, line in zip(stretch.pieces[:count], stretch.lines, strict=False):
            if not picks and block.begin == "continue" and channel.id in self.cut:
                pick = replace(self.cut[channel.id][0], piece=piece, line=line)
                course.step(piece, block.pos)
            else:
                asked = asked_at(self._facts, wanted, course.at, hush)
                pick = rotation.followed(memory, piece, line, course.at, **asked)
                course.step(piece)
            picks.append(pick)
            memory = pick.memory
        return picks

    def _run_on(self, kept: Kept, until: int) -> tuple[int, int] | None:
        """Where a block would stand at ``until`` had nobody put other music in its place."""
        stretch = self._ledger.stretch(kept)
        programme = programme_of([stretch], ())
        block = programme.blocks[0]
        paused = sum(frames for at, frames in self.pauses if block.at <= at < until)
        passed = until - block.at - kept.delay - paused
        slot = cycle_of(programme, block).locate(max(0, block.pos + passed))
        return slot.index, slot.offset
