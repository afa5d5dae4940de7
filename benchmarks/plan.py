"""``plan()`` of 10 ms blocks with 200 events, beside a reader that walks all events each block."""

import random
import time
from collections.abc import Callable

from bench import Metric, quantile, report

from sync2gear_broker import timeline
from sync2gear_broker.messages import (
    Anchor,
    Block,
    Event,
    Media,
    Programme,
    ProgrammeRef,
    ZoneState,
)
from sync2gear_broker.units import FRAME_RATE

BLOCK = FRAME_RATE // 100
EVENTS = 200
TRACKS = 300
ROUNDS = 20_000
DAY = 86_400 * FRAME_RATE


def day(seed: int) -> tuple[Programme, ZoneState]:
    """A day of music with 200 announcements that pause or duck it."""
    rng = random.Random(seed)
    media = [
        Media(sha256=f"{i:064x}", bytes=1, frames=rng.randint(100, 300) * FRAME_RATE)
        for i in range(TRACKS)
    ]
    media += [
        Media(sha256=f"{9000 + i:064x}", bytes=1, frames=rng.randint(3, 20) * FRAME_RATE)
        for i in range(20)
    ]
    events = [
        Event(
            id=f"e{i}",
            start=i * (DAY // EVENTS) + rng.randrange(FRAME_RATE * 60),
            media=TRACKS + rng.randrange(20),
            mode=rng.choice(("pause", "duck")),
            fade_in=4800,
            fade_out=14400,
        )
        for i in range(EVENTS)
    ]
    block = Block(id="b", source="s", at=0, items=tuple(range(TRACKS)), crossfade=FRAME_RATE)
    programme = Programme(media=tuple(media), blocks=(block,), events=tuple(events))
    state = ZoneState(
        zone="00000000-0000-7000-8000-000000000000",
        epoch=1,
        rev=1,
        programmes=(ProgrammeRef(sha256=programme.sha256(), from_=0),),
        anchor=Anchor(at=0, block="b", pos=0),
    )
    return programme, state


def walk_all(programme: Programme, a: int, b: int) -> list[tuple[str, int]]:
    """The naive reader: every event and every item, each time."""
    found: list[tuple[str, int]] = []
    paused = 0
    for event in programme.events:
        end = event.start + programme.media[event.media].frames
        if event.mode == "pause" and event.start < a:
            paused += min(end, a) - event.start
        if event.start < b and end > a:
            found.append((event.id, a - event.start))
    block = programme.blocks[0]
    total = sum(programme.media[i].frames - block.crossfade for i in block.items)
    position = (a - block.at - paused) % total
    for i in block.items:
        length = programme.media[i].frames - block.crossfade
        if position < length:
            found.append((programme.media[i].sha256, position))
            break
        position -= length
    return found


def timed(read: Callable[[int, int], object], starts: list[int]) -> list[float]:
    """Microseconds of CPU for each block."""
    times = []
    for a in starts:
        began = time.process_time_ns()
        read(a, a + BLOCK)
        times.append((time.process_time_ns() - began) / 1000)
    return times


def main() -> None:
    """Measure both on the same blocks, in turn."""
    programme, state = day(7)
    began = time.process_time()
    settled = timeline.settle({programme.sha256(): programme}, state)
    settle_ms = (time.process_time() - began) * 1000
    rng = random.Random(1)
    starts = [rng.randrange(DAY - BLOCK) for _ in range(ROUNDS)]
    plans, walks = [], []
    for chunk in range(0, ROUNDS, 1000):
        part = starts[chunk : chunk + 1000]
        plans += timed(lambda a, b: timeline.plan(settled, a, b), part)
        walks += timed(lambda a, b: walk_all(programme, a, b), part)
    mean = sum(plans) / len(plans)
    naive = sum(walks) / len(walks)
    report(
        "plan",
        {
            "plan_block_mean": Metric(mean, "us", naive),
            "plan_block_p99": Metric(quantile(plans, 0.99), "us", quantile(walks, 0.99)),
            "plan_share_of_a_core": Metric(mean / 10_000 * 100, "%", naive / 10_000 * 100),
            "settle_day": Metric(settle_ms, "ms"),
        },
        f"{EVENTS} events, {TRACKS} tracks, 10 ms blocks; baseline walks all events",
    )


if __name__ == "__main__":
    main()
