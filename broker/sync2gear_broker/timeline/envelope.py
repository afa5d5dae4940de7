"""The music's envelope: the lowest of the ramps in force, kept in straight pieces.

Where several ramps overlap (a duck that ends inside the fade of the next one, a crossfade under a
duck) the lowest one rules. Unlike their product that stays linear between integer frames.
"""

from collections.abc import Sequence
from typing import Final

from sync2gear_broker.timeline.model import Line

EQUAL: Final = 1e-12
"""Gains nearer than this are the same: what rounding leaves of two lines that meet."""


def lowest(lines: Sequence[Line], start: int, end: int) -> tuple[Line, int]:
    """The lowest of ``lines`` from ``start`` on and the frame (at most ``end``) until which it is.

    Of lines that meet in a frame the one that goes lower takes over there.
    """
    if len(lines) == 1:
        return lines[0], end
    floor = min(line.at(start) for line in lines) + EQUAL
    line = min((line for line in lines if line.at(start) <= floor), key=lambda one: one.at(end))
    until = end
    for other in lines:
        if other.at(until) < line.at(until) - EQUAL:
            low, high = (
                start,
                until,
            )  # the first frame at which other is not above lies in (low, high]
            while high - low > 1:
                middle = (low + high) // 2
                if other.at(middle) <= line.at(middle) + EQUAL:
                    high = middle
                else:
                    low = middle
            until = high
    return line, until


def sweep(lines: Sequence[Line]) -> tuple[tuple[int, ...], tuple[Line | None, ...]]:
    """The lower envelope: from ``starts[i]`` on ``line[i]`` rules, None where the gain is full."""
    ordered = sorted((line for line in lines if line.since < line.t1), key=lambda one: one.since)
    starts: list[int] = []
    ruling: list[Line | None] = []
    active: list[Line] = []
    t, index = 0, 0
    while index < len(ordered) or active:
        if not active:
            t = ordered[index].since
        while index < len(ordered) and ordered[index].since <= t:
            active.append(ordered[index])
            index += 1
        end = min(line.t1 for line in active)
        if index < len(ordered):
            end = min(end, ordered[index].since)
        while t < end:
            line, until = lowest(active, t, end)
            if not ruling or ruling[-1] is not line:
                starts.append(t)
                ruling.append(line)
            t = until
        active = [line for line in active if line.t1 > t]
        if not active:
            starts.append(t)
            ruling.append(None)
    return tuple(starts), tuple(ruling)
