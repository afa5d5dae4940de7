"""Reading a settled timeline: the pieces of a stretch of frames and what may be asked of them."""

from bisect import bisect_right

from sync2gear_broker.timeline.envelope import lowest
from sync2gear_broker.timeline.model import (
    FOREVER,
    Alarm,
    Line,
    MusicPosition,
    Piece,
    Run,
    Segment,
    Settled,
    Voice,
)
from sync2gear_broker.timeline.music import Slot
from sync2gear_broker.units import amplitude


def plan(settled: Settled, a: int, b: int) -> tuple[Piece, ...]:
    """The pieces that cover exactly the frames [a, b); before the anchor nothing sounds."""
    pieces: list[Piece] = []
    while a < b:
        piece = _piece(settled, a, b)
        pieces.append(piece)
        a = piece.end
    return tuple(pieces)


def sounding_at(settled: Settled, t: int) -> Piece:
    """The piece of one frame at ``t``."""
    return _piece(settled, t, t + 1)


def next_change_after(settled: Settled, t: int) -> int | None:
    """The first frame after ``t`` at which a voice begins, ends or changes its gain's slope."""
    piece = _piece(settled, t, FOREVER)
    while piece.end < FOREVER:
        after = _piece(settled, piece.end, FOREVER)
        if not _goes_on(piece, after):
            return piece.end
        piece = after
    return None


def _slope(piece: Piece, voice: Voice) -> float:
    return (voice.gain_b - voice.gain_a) / (piece.end - piece.start)


def _goes_on(before: Piece, after: Piece) -> bool:
    """Whether ``after`` merely continues the voices of ``before``."""
    if len(before.voices) != len(after.voices):
        return False
    length = before.end - before.start
    return all(
        (old.role, old.item, old.slot, old.media) == (new.role, new.item, new.slot, new.media)
        and old.offset + length == new.offset
        and abs(old.gain_b - new.gain_a) < 1e-9
        and abs(_slope(before, old) - _slope(after, new)) < 1e-12
        for old, new in zip(before.voices, after.voices, strict=True)
    )


def _piece(settled: Settled, t: int, end: int) -> Piece:
    """The longest piece from ``t`` on that ends by ``end``."""
    alarm = settled.alarm
    if alarm is not None and t < alarm.end:
        if t >= alarm.start:
            return _alarm(alarm, t, end)
        end = min(end, alarm.start)
    if t < settled.start:
        return Piece(t, min(end, settled.start), ())
    starts = settled.play_starts
    index = bisect_right(starts, t)
    if index < len(starts) and starts[index] < end:
        end = starts[index]
    play = settled.plays[index - 1] if index and t < settled.plays[index - 1].end else None
    if play is not None and play.end < end:
        end = play.end
    voices: list[Voice] = []
    starts = settled.run_starts
    index = bisect_right(starts, t)
    if index < len(starts) and starts[index] < end:
        end = starts[index]
    if index and t < settled.runs[index - 1].end and settled.runs[index - 1].sounds:
        voices, end = _music(settled, index - 1, t, min(end, settled.runs[index - 1].end))
    if play is not None:
        gain = amplitude(play.gain + play.media.gain)
        voices.append(
            Voice(
                play.media, t - play.began, gain, gain, play.id, "event",
                play.began, play.end, play.began,
            )
        )  # fmt: skip
    return Piece(t, end, tuple(voices))


def _alarm(alarm: Alarm, t: int, end: int) -> Piece:
    """One round of the emergency; nothing sounds beside it."""
    begins = t - (t - alarm.start) % alarm.media.frames
    ends = min(begins + alarm.media.frames, alarm.end)
    gain = amplitude(alarm.media.gain)
    voice = Voice(
        alarm.media, t - begins, gain, gain, f"emergency:{alarm.gen}", "emergency",
        begins, ends, begins,
    )  # fmt: skip
    return Piece(t, min(end, ends), (voice,))


def _music(settled: Settled, at: int, t: int, end: int) -> tuple[list[Voice], int]:
    """The voices of the music at ``t`` in run ``at``, and until when they stay so."""
    run = settled.runs[at]
    cycle = run.context.cycle
    slot = cycle.locate(run.pos + t - run.start)
    zone = t - slot.offset  # where the slot would have begun had the clock not stood still
    envelope: tuple[Line, ...] = ()
    starts = settled.line_starts
    index = bisect_right(starts, t)
    if index < len(starts) and starts[index] < end:
        end = starts[index]
    if index and (line := settled.lines[index - 1]) is not None:
        envelope = (line,)
    overlap = cycle.overlaps[slot.index - 1]
    if slot.offset >= overlap or slot.start <= run.context.fresh:
        end = min(end, zone + cycle.lasts(slot.index))
        return [_music_voice(settled, at, slot, t, end, envelope)], end
    end = min(end, zone + overlap)
    before = (slot.index - 1) % len(cycle.media)
    old = Slot(
        slot.cycle - (slot.index == 0), before, slot.start - cycle.lasts(before),
        cycle.lasts(before) + slot.offset,
    )  # fmt: skip
    falls = (*envelope, Line(zone, zone + overlap, 1.0, 0.0, zone))
    rises = (*envelope, Line(zone, zone + overlap, 0.0, 1.0, zone))
    if envelope:
        end = min(lowest(falls, t, end)[1], lowest(rises, t, end)[1])
    return [
        _music_voice(settled, at, old, t, end, falls),
        _music_voice(settled, at, slot, t, end, rises),
    ], end


def _music_voice(
    settled: Settled, at: int, slot: Slot, t: int, end: int, lines: tuple[Line, ...]
) -> Voice:
    run = settled.runs[at]
    cycle = run.context.cycle
    media = cycle.media[slot.index]
    gain = amplitude(cycle.block.gain + media.gain)
    a = b = gain
    if lines:
        line = lowest(lines, t, end)[0]
        a, b = gain * line.at(t), gain * line.at(end)
    return Voice(
        media, slot.offset, a, b, cycle.block.id, "music",
        _heard_at(settled, at, slot.start), _over_at(settled, at, slot.start + media.frames),
        slot.start,
    )  # fmt: skip


def _joined(before: Run, after: Run) -> bool:
    """Whether the music clock goes on from one run to the next."""
    return (
        before.context.block.id == after.context.block.id
        and before.pos + before.end - before.start == after.pos
    )


def _heard_at(settled: Settled, at: int, reading: int) -> int:
    """The zone frame at which the music clock passed ``reading``, as far back as is known."""
    runs = settled.runs
    while runs[at].pos > reading and at > 0 and _joined(runs[at - 1], runs[at]):
        at -= 1
    return max(0, runs[at].start + reading - runs[at].pos)


def _over_at(settled: Settled, at: int, reading: int) -> int:
    """The zone frame at which the music clock reaches ``reading``, or at which its block ends."""
    runs = settled.runs
    while runs[at].start + reading - runs[at].pos > runs[at].end:
        if at + 1 == len(runs) or not _joined(runs[at], runs[at + 1]):
            return runs[at].end
        at += 1
    return runs[at].start + reading - runs[at].pos


def music_at(settled: Settled, t: int) -> MusicPosition | None:
    """Where the music stands at ``t``, also while it is paused; None where there is none."""
    index = bisect_right(settled.run_starts, t) - 1
    if index < 0:
        return None
    run = settled.runs[index]
    cycle = run.context.cycle
    pos = run.pos + min(t, run.end) - run.start
    slot = cycle.locate(pos)
    return MusicPosition(
        cycle.block.id, cycle.block.source, slot.index, slot.cycle, pos, slot.start, slot.offset,
        cycle.lasts(slot.index), cycle.media[slot.index], t < run.end,
        cycle.block.silent or cycle.is_over(pos),
    )  # fmt: skip


def taken_over(settled: Settled, block: str, since: int) -> int | None:
    """The first frame from ``since`` on at which a block has the music; ``None``: it never has."""
    index = max(0, bisect_right(settled.run_starts, since) - 1)
    for run in settled.runs[index:]:
        if run.context.block.id == block:
            return max(since, run.start)
    return None


def item_start(settled: Settled, t: int, step: int) -> tuple[str, int] | None:
    """The block in which the music stands at ``t`` and the clock reading of an item's beginning.

    ``step`` 0 is the item that has the music at ``t``, 1 the next, -1 the previous one, and so on;
    before the very first item there is none, so it stays there. None where there is no music.
    For ``seek`` add the offset to the reading of step 0.
    """
    index = bisect_right(settled.run_starts, t) - 1
    if index < 0:
        return None
    run = settled.runs[index]
    cycle = run.context.cycle
    slot = cycle.locate(run.pos + min(t, run.end) - run.start)
    rounds, item = divmod(slot.cycle * len(cycle.media) + slot.index + step, len(cycle.media))
    return cycle.block.id, max(0, rounds * cycle.length + cycle.starts[item])


def segments(settled: Settled, a: int, b: int, limit: int = 10_000) -> tuple[Segment, ...]:
    """The voices of [a, b), one segment per uninterrupted stretch, in order of their start.

    Ends early, with whole segments only up to there, once more than ``limit`` have begun.
    """
    done: list[Segment] = []
    going: dict[tuple[str, str, int], Segment] = {}
    while a < b and len(done) <= limit:
        piece = _piece(settled, a, b)
        still: dict[tuple[str, str, int], Segment] = {}
        for voice in piece.voices:
            key = (voice.role, voice.item, voice.slot)
            old = going.pop(key, None)
            here = (voice.media, voice.offset)
            if old is not None and (old.media, old.offset + a - old.start) != here:
                done.append(old)
                old = None
            start, offset = (old.start, old.offset) if old else (a, voice.offset)
            still[key] = Segment(
                voice.role, voice.item, voice.media, start, piece.end, offset, voice.slot
            )
        done.extend(going.values())
        going, a = still, piece.end
    done.extend(going.values())
    return tuple(sorted(done, key=lambda one: (one.start, one.role, one.item)))
