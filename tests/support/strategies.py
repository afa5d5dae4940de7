"""Hypothesis strategies for programmes and zone states, at any scale of frames."""

import random
from dataclasses import dataclass

from hypothesis import strategies as st

from sync2gear_broker.messages import (
    Anchor,
    Block,
    Emergency,
    Event,
    LiveEvent,
    Media,
    Programme,
    ProgrammeRef,
    Window,
    ZoneState,
)

ZONE = "00000000-0000-4000-8000-000000000001"
SPAN = 90
"""The frames, times the scale, in which the things of a scene happen."""


@dataclass(frozen=True)
class Scene:
    """The documents that define a zone's sound."""

    programmes: dict[str, Programme]
    state: ZoneState


def media(number: int, frames: int, kind: str = "music") -> Media:
    """A piece of media told from others by its number."""
    return Media.model_validate(
        {"sha256": f"{number:064x}", "bytes": 1, "frames": frames, "kind": kind}
    )


def instants(scale: int) -> st.SearchStrategy[int]:
    """Frames at which things happen, often the same ones."""
    return st.one_of(
        st.sampled_from([k * 10 * scale for k in range(2, 7)]), st.integers(0, SPAN * scale)
    )


@st.composite
def cues(draw: st.DrawFn, scale: int) -> dict[str, object]:
    """The fields that programme events and live events share, without id."""
    return {
        "start": draw(instants(scale)),
        "when": draw(st.sampled_from(["cut", "cut", "next", "wait"])),
        "max_wait": draw(st.integers(0, 12 * scale)),
        "late_by": draw(st.one_of(st.none(), st.none(), st.integers(0, 20 * scale))),
        "mode": draw(st.sampled_from(["pause", "duck", "mix"])),
        "duck": draw(st.sampled_from([-2000, -600])),
        "fade_in": draw(st.integers(0, 6 * scale)),
        "fade_out": draw(st.integers(0, 6 * scale)),
        "priority": draw(st.sampled_from([10, 50, 50, 90])),
        "on_cut": draw(st.sampled_from(["drop", "restart"])),
    }


@st.composite
def programmes(draw: st.DrawFn, scale: int, number: int) -> Programme:
    """A small programme; block and event ids are shared between programmes."""
    songs = [
        media(100 * number + i, draw(st.integers(-(-scale // 4), 12 * scale)))
        for i in range(draw(st.integers(1, 3)))
    ]
    words = [
        media(100 * number + 50 + i, draw(st.integers(1, 16 * scale)), "announcement")
        for i in range(2)
    ]
    ats = sorted(draw(st.sets(instants(scale), min_size=1, max_size=3)))
    keys = draw(st.permutations(["b0", "b1", "b2", "b3"]))
    blocks = [
        Block(
            id=key,
            source="s",
            at=at,
            pos=draw(st.integers(0, 20 * scale)),
            begin=draw(st.sampled_from(["restart", "continue", "next"])),
            items=tuple(draw(st.lists(st.integers(0, len(songs) - 1), min_size=1, max_size=4))),
            crossfade=draw(st.integers(0, 5 * scale)),
            when=draw(st.sampled_from(["cut", "cut", "next", "wait"])),
            max_wait=draw(st.integers(0, 12 * scale)),
            silent=draw(st.sampled_from([False, False, False, True])),
            once=draw(st.sampled_from([False, False, True])),
            whole=draw(st.sampled_from([False, True])),
        )
        for key, at in zip(keys, ats, strict=False)
    ]
    events = [
        Event.model_validate(
            {**draw(cues(scale)), "id": f"e{i}", "media": len(songs) + draw(st.integers(0, 1))}
        )
        for i in range(draw(st.sampled_from([2, 3, 4, 5, 0])))
    ]
    return Programme(media=(*songs, *words), blocks=tuple(blocks), events=tuple(events))


@st.composite
def windows(draw: st.DrawFn, scale: int) -> Window | None:
    """A hold or a stop, often none."""
    if not draw(st.sampled_from([False, False, False, True])):
        return None
    start = draw(instants(scale))
    until = draw(st.one_of(st.integers(0, 25 * scale), st.integers(0, 25 * scale), st.none()))
    return Window(from_=start, until=None if until is None else start + until)


@st.composite
def emergencies(draw: st.DrawFn, scale: int) -> Emergency | None:
    """An emergency latch, often none."""
    if not draw(st.sampled_from([False, False, False, True])):
        return None
    start = draw(instants(scale))
    length = draw(st.one_of(st.integers(0, 25 * scale), st.none()))
    return Emergency(
        gen=draw(st.integers(1, 3)),
        active=draw(st.sampled_from([True, True, False])),
        start=start,
        end=None if length is None else start + length,
        media=draw(st.sampled_from([media(9000, 1 + 3 * scale), None])),
    )


@st.composite
def live_events(draw: st.DrawFn, scale: int, number: int) -> LiveEvent:
    """A person's announcement, sometimes cancelled."""
    return LiveEvent.model_validate(
        {
            **draw(cues(scale)),
            "id": f"l{number}",
            "media": media(8000 + number, draw(st.integers(1, 9 * scale)), "announcement"),
            "end": draw(st.one_of(st.none(), st.none(), instants(scale))),
        }
    )


def scenes(scale: int = 1) -> st.SearchStrategy[Scene]:
    """Any zone: one that shrinks well, or a crowded one, in which much collides."""
    crowded = st.integers(0, 2**32).map(lambda seed: crowded_scene(random.Random(seed), scale))
    return st.one_of(orderly_scenes(scale), crowded, crowded)


@st.composite
def orderly_scenes(draw: st.DrawFn, scale: int) -> Scene:
    """Any zone: up to two programmes of which one may be missing, and everything people do."""
    count = draw(st.sampled_from([1, 2, 0, 2]))
    plans: list[Programme] = [draw(programmes(scale, number)) for number in range(count)]
    froms = [0, draw(instants(scale))]
    refs = [
        ProgrammeRef(sha256=f"{number:064x}", from_=froms[number]) for number in range(len(plans))
    ]
    held = {ref.sha256: plan for ref, plan in zip(refs, plans, strict=True)}
    if len(plans) == 2 and draw(st.integers(0, 7)) == 0:
        del held[draw(st.sampled_from(refs)).sha256]
    anchor = None
    if plans and draw(st.sampled_from([True] * 9 + [False])):
        anchor = Anchor(
            at=draw(st.integers(0, 20 * scale)),
            block=draw(st.sampled_from([*(block.id for block in plans[0].blocks), "gone"])),
            pos=draw(st.integers(0, 40 * scale)),
            until=draw(st.one_of(st.none(), st.none(), instants(scale))),
            paused=draw(st.integers(0, 10 * scale)),
            fresh=draw(st.integers(0, 40 * scale)),
        )
    state = ZoneState(
        zone=ZONE,
        epoch=1,
        rev=1,
        programmes=tuple(refs),
        anchor=anchor,
        hold=draw(windows(scale)),
        stopped=draw(windows(scale)),
        live=tuple(draw(live_events(scale, i)) for i in range(draw(st.sampled_from([0, 1, 2, 3])))),
        skip=tuple(draw(st.sets(st.sampled_from(["e0", "e1"]), max_size=1))),
        emergency=draw(emergencies(scale)),
    )
    return Scene(held, state)


def crowded_cue(rng: random.Random, key: str, scale: int) -> dict[str, object]:
    """An event among many that start at about the same time."""
    return {
        "id": key,
        "start": rng.randint(10, 60) * scale,
        "when": rng.choice(["cut", "cut", "next", "wait"]),
        "max_wait": rng.randint(0, 12 * scale),
        "late_by": rng.choice([None, None, rng.randint(0, 30 * scale)]),
        "mode": rng.choice(["pause", "duck", "duck", "mix"]),
        "duck": rng.choice([-2000, -600]),
        "fade_in": rng.randint(0, 6 * scale),
        "fade_out": rng.randint(0, 6 * scale),
        "priority": rng.choice([10, 50, 90]),
        "on_cut": rng.choice(["drop", "restart"]),
    }


def crowded_programme(rng: random.Random, number: int, scale: int) -> Programme:
    """Up to three blocks with crossfades and up to seven events in their midst."""
    songs = [media(100 * number + i, rng.randint(2 * scale, 15 * scale)) for i in range(3)]
    words = [
        media(100 * number + 50 + i, rng.randint(1, 16 * scale), "announcement") for i in range(3)
    ]
    keys = rng.sample(["b0", "b1", "b2"], rng.randint(1, 3))
    ats = sorted(rng.sample(range(80 * scale), len(keys)))
    return Programme(
        media=(*songs, *words),
        blocks=tuple(
            Block.model_validate(
                {
                    "id": key,
                    "source": "s",
                    "at": at,
                    "pos": rng.randint(0, 30 * scale),
                    "begin": rng.choice(["restart", "continue", "next"]),
                    "items": tuple(rng.choices(range(3), k=rng.randint(1, 4))),
                    "crossfade": rng.randint(0, 7 * scale),
                    "when": rng.choice(["cut", "cut", "next", "wait"]),
                    "max_wait": rng.randint(0, 12 * scale),
                    "silent": rng.random() < 0.15,
                    "once": rng.random() < 0.4,
                    "whole": rng.random() < 0.5,
                }
            )
            for key, at in zip(keys, ats, strict=True)
        ),
        events=tuple(
            Event.model_validate({**crowded_cue(rng, f"e{i}", scale), "media": rng.randint(3, 5)})
            for i in range(rng.randint(2, 7))
        ),
    )


def crowded_window(rng: random.Random, scale: int) -> dict[str, object] | None:
    """A short hold or stop in every third scene."""
    if rng.random() < 0.7:
        return None
    start = rng.randint(0, 60 * scale)
    return {"from": start, "until": rng.choice([None, start + rng.randint(1, 25 * scale)])}


def crowded_scene(rng: random.Random, scale: int) -> Scene:
    """A zone in which events, blocks, programmes and people get into each other's way."""
    plans = [crowded_programme(rng, number, scale) for number in range(rng.randint(1, 2))]
    refs = [
        {"sha256": f"{number:064x}", "from": number * rng.randint(10, 60) * scale}
        for number in range(len(plans))
    ]
    until = rng.choice([None, None, rng.randint(10, 80) * scale])
    start = rng.randint(10, 60) * scale
    latch = {
        "gen": 1,
        "active": True,
        "start": start,
        "end": start + rng.randint(1, 20 * scale),
        "media": media(9000, 1 + 3 * scale),
    }
    state = {
        "zone": ZONE,
        "epoch": 1,
        "rev": 1,
        "programmes": refs,
        "anchor": {
            "at": rng.randint(0, 20 * scale),
            "block": rng.choice(["b0", "b1", "b2"]),
            "pos": rng.randint(0, 40 * scale),
            "until": until,
            "paused": rng.randint(0, 10 * scale),
            "fresh": rng.choice([0, rng.randint(0, 40 * scale)]),
        },
        "hold": crowded_window(rng, scale),
        "stopped": crowded_window(rng, scale),
        "live": [
            {
                **crowded_cue(rng, f"l{i}", scale),
                "media": media(8000 + i, rng.randint(1, 16 * scale), "announcement"),
                "end": rng.choice([None, None, rng.randint(20, 80) * scale]),
            }
            for i in range(rng.randint(0, 3))
        ],
        "skip": rng.choice([[], [], ["e0"]]),
        "emergency": rng.choice([None, None, None, latch]),
    }
    held = {f"{number:064x}": plan for number, plan in enumerate(plans)}
    return Scene(held, ZoneState.model_validate(state))
