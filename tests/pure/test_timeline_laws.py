"""The laws of the timeline: cutting, rebasing, adding, cancelling, pausing."""

from typing import Any

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from support import strategies
from support.strategies import SPAN, Scene
from sync2gear_broker import timeline
from sync2gear_broker.messages import LiveEvent, Programme, ZoneState

END = 2 * SPAN
SEEK = tuple(phase for phase in Phase if phase is not Phase.explain)
FEW = settings(max_examples=25, deadline=None, phases=SEEK)
MANY = settings(max_examples=2000, deadline=None, phases=SEEK)

Heard = list[tuple[str, str, str, int, float]]


def voices_at(piece: timeline.Piece, t: int) -> Heard:
    """What a piece lets sound in one of its frames."""
    return [
        (
            voice.role,
            voice.item,
            voice.media.sha256,
            voice.offset + t - piece.start,
            voice.gain_a
            + (voice.gain_b - voice.gain_a) * (t - piece.start) / (piece.end - piece.start),
        )
        for voice in piece.voices
    ]


def heard(settled: timeline.Settled, t: int) -> Heard:
    return voices_at(timeline.sounding_at(settled, t), t)


def same(one: Heard, other: Heard) -> bool:
    return [v[:4] for v in one] == [v[:4] for v in other] and [v[4] for v in one] == pytest.approx(
        [v[4] for v in other], abs=1e-9
    )


def settle(scene: Scene) -> timeline.Settled:
    return timeline.settle(scene.programmes, scene.state)


def travelled(state: ZoneState) -> ZoneState:
    """The state as it arrives at a speaker."""
    return ZoneState.parse(state.canonical())


def start_of(state: ZoneState) -> int:
    return state.anchor.at if state.anchor else 0


def instants_of(settled: timeline.Settled, start: int, end: int) -> list[int]:
    """Frames worth looking at between ``start`` and ``end``: every change and its neighbours."""
    found, t = {start, end - 1}, start
    while (change := timeline.next_change_after(settled, t)) is not None and change < end:
        found |= {change - 1, change, change + 1}
        t = change
    return sorted(t for t in found if start <= t < end)


# cutting


def check_cutting(scene: Scene, a: int, b: int, c: int) -> None:
    settled = settle(scene)
    a, c, b = sorted((a, b, c))
    whole = timeline.plan(settled, a, b)
    assert [piece.start for piece in whole] + [b] == [a, *(piece.end for piece in whole)]
    assert all(piece.start < piece.end for piece in whole)
    for cut in (timeline.plan(settled, a, c) + timeline.plan(settled, c, b), whole):
        frames = [(t, piece) for piece in cut for t in range(piece.start, piece.end)]
        assert [t for t, _ in frames] == list(range(a, b))
        assert all(same(voices_at(piece, t), heard(settled, t)) for t, piece in frames)


@FEW
@given(strategies.scenes(), *[st.integers(0, END)] * 3)
def test_cutting_a_stretch_anywhere_gives_the_same_sound(
    scene: Scene, a: int, b: int, c: int
) -> None:
    check_cutting(scene, a, b, c)


# rebasing


def check_rebase(scene: Scene, now: int, later: int, end: int) -> None:
    settled = settle(scene)
    rebased = travelled(timeline.rebase(scene.programmes, scene.state, now))
    again = timeline.settle(scene.programmes, rebased)
    now = max(now, start_of(scene.state))
    frames = range(now, end) if end <= END else instants_of(settled, now, end)
    for t in frames:
        assert same(heard(settled, t), heard(again, t)), t
        one, other = timeline.music_at(settled, t), timeline.music_at(again, t)
        assert (one and (one.block, one.pos)) == (other and (other.block, other.pos))
    later = max(now, later)
    if scene.state.anchor is None:
        return  # without an anchor what is over stays listed as long as anything is open
    assert timeline.rebase(scene.programmes, rebased, later) == travelled(
        timeline.rebase(scene.programmes, scene.state, later)
    )


@FEW
@given(strategies.scenes(), st.integers(0, END), st.integers(0, END))
def test_rebasing_changes_nothing_from_now_on(scene: Scene, now: int, later: int) -> None:
    check_rebase(scene, now, later, END)


@settings(FEW, max_examples=20)
@given(strategies.scenes(4800), st.integers(0, END * 4800), st.integers(0, END * 4800))
def test_rebasing_changes_nothing_at_the_scale_of_real_audio(
    scene: Scene, now: int, later: int
) -> None:
    check_rebase(scene, now, later, END * 4800)


# adding and cancelling


def check_adding(scene: Scene, event: LiveEvent) -> None:
    assume(scene.state.anchor is None or event.start >= scene.state.anchor.at)
    before = settle(scene)
    live = (*scene.state.live, event.model_copy(update={"id": "new"}))
    after = timeline.settle(scene.programmes, scene.state.model_copy(update={"live": live}))
    planned = [cue for plan in scene.programmes.values() for cue in plan.events]
    fades = [block.crossfade for plan in scene.programmes.values() for block in plan.blocks]
    # the music before a block that waits for a pause fades out ahead of it
    longest = max(*(cue.fade_in for cue in (*planned, *live)), *fades, 0)
    for t in range(start_of(scene.state), event.start):
        one, other = heard(before, t), heard(after, t)
        if t < event.start - longest:  # later the music may already make way for what comes
            assert same(one, other)
        assert [voice[:4] for voice in one] == [voice[:4] for voice in other]


@FEW
@given(strategies.scenes(), strategies.live_events(1, 9))
def test_adding_an_event_changes_nothing_before_it(scene: Scene, event: LiveEvent) -> None:
    check_adding(scene, event)


def check_cancelling(scene: Scene, key: str, now: int) -> None:
    state = scene.state
    now = max(now, start_of(state))
    before = settle(scene)
    cancelled = timeline.cancel(scene.programmes, state, key, now)
    after = timeline.settle(scene.programmes, travelled(cancelled))
    assert all(voice[1] != key for t in range(now, END) for voice in heard(after, t))
    one, other = timeline.music_at(before, now), timeline.music_at(after, now)
    if (one and (one.block, one.pos)) != (other and (other.block, other.pos)):
        # what ends here held up a block that waits for the very boundary at which the music stands
        assert one is not None
        assert other is not None
        assert (one.running, one.offset) == (False, 0)
        assert (other.block, other.pos) in waiting_at(scene, now, cancelled)
    if state.anchor is not None:  # without one what is over stays listed while anything is open
        assert timeline.cancel(scene.programmes, cancelled, key, now) == cancelled


@FEW
@given(
    strategies.scenes(),
    st.sampled_from(["e0", "e1", "e2", "l0", "l1", "none"]),
    st.integers(0, END),
)
def test_a_cancelled_event_is_silent_and_the_music_does_not_jump(
    scene: Scene, key: str, now: int
) -> None:
    check_cancelling(scene, key, now)


# the music clock


def with_one_block(scene: Scene) -> Scene:
    programmes = {
        key: plan.model_copy(update={"blocks": plan.blocks[:1]})
        for key, plan in scene.programmes.items()
    }
    anchor = scene.state.anchor
    assert anchor is not None
    update = {
        "programmes": scene.state.programmes[:1],
        "anchor": anchor.model_copy(update={"until": None}),
    }
    return Scene(programmes, scene.state.model_copy(update=update))


def check_music_clock(scene: Scene) -> None:
    assume(scene.state.anchor is not None)
    settled = settle(with_one_block(scene))
    for t in range(start_of(scene.state), END):
        here, after = timeline.music_at(settled, t), timeline.music_at(settled, t + 1)
        sounding = timeline.sounding_at(settled, t).voices
        music = [voice for voice in sounding if voice.role == "music"]
        if here is None or after is None:
            assert not music
            continue
        assert (here.running and not here.silent) == bool(music)
        assert after.pos - here.pos == (1 if here.running else 0)
        assert here.offset + here.slot == here.pos
        if music:
            assert (music[-1].media, music[-1].offset) == (here.media, here.offset)
            assert music[-1].slot == here.slot


@FEW
@given(strategies.scenes())
def test_the_music_clock_stops_in_a_pause_and_resumes_on_the_very_frame(scene: Scene) -> None:
    check_music_clock(scene)


def inside(window: Any, t: int) -> bool:
    return window is not None and window.from_ <= t and (window.until is None or t < window.until)


def check_music_always(scene: Scene) -> None:
    state = scene.state
    settled = settle(scene)
    held = [ref.from_ for ref in state.programmes if ref.sha256 in scene.programmes]
    modes = {event.id: event.mode for event in state.live}
    for t in range(max(start_of(state), min(held, default=END)), END):
        voices = timeline.sounding_at(settled, t).voices
        if state.anchor is None or any(voice.role == "music" for voice in voices):
            continue
        others = [voice for voice in voices if voice.role == "event" and voice.item in modes]
        known = any(modes[voice.item] == "pause" for voice in others)
        planned = [
            event.mode
            for plan in scene.programmes.values()
            for event in plan.events
            if event.id in {voice.item for voice in voices}
        ]
        emergency = any(voice.role == "emergency" for voice in voices)
        at = timeline.music_at(settled, t)
        assert (
            emergency
            or (at is not None and at.silent)
            or known
            or "pause" in planned
            or inside(state.hold, t)
            or inside(state.stopped, t)
        )


@FEW
@given(strategies.scenes())
def test_there_is_always_music_unless_something_stopped_it(scene: Scene) -> None:
    check_music_always(scene)


# voices


def cues_of(scene: Scene) -> dict[str, Any]:
    """Every event by id, of scenes with one programme at most."""
    found: dict[str, Any] = {event.id: event for event in scene.state.live}
    for ref in scene.state.programmes[:1]:
        plan = scene.programmes.get(ref.sha256)
        for event in plan.events if plan and scene.state.anchor else ():
            if event.id not in scene.state.skip:
                found[event.id] = event
    return found


def check_voices(scene: Scene) -> None:
    state = scene.state.model_copy(update={"programmes": scene.state.programmes[:1]})
    scene = Scene(scene.programmes, state)
    settled = settle(scene)
    cues = cues_of(scene)
    start = start_of(state)
    speaking: dict[int, timeline.Voice] = {}
    for t in range(start, END):
        voices = [v for v in timeline.sounding_at(settled, t).voices if v.role != "music"]
        assert len(voices) <= 1
        if voices:
            speaking[t] = voices[0]
        if inside(state.stopped, t):
            assert all(voice.role == "emergency" for voice in voices)
    results = {one.id: one for one in timeline.outcomes(settled) if one.reason != "skipped"}
    held = {ref.from_ for ref in state.programmes if ref.sha256 in scene.programmes}
    coming = {k for k, c in cues.items() if c.start >= start and (held or k.startswith("l"))}
    assert set(results) == coming
    for key, result in results.items():
        check_outcome(cues[key], result, cues, speaking)


def check_outcome(
    cue: Any, result: timeline.Outcome, cues: dict[str, Any], speaking: dict[int, timeline.Voice]
) -> None:
    mine = [t for t, voice in speaking.items() if voice.role == "event" and voice.item == cue.id]
    cancel = getattr(cue, "end", None)
    if result.began is None or result.end is None:
        assert result.state in ("waiting", "dropped", "cancelled", "missed")
        assert not mine or cue.on_cut == "restart"
        return
    assert result.state in ("played", "cut", "cancelled")
    seen = min(result.end, END)
    if result.began >= END:
        assert not mine or cue.on_cut == "restart"
        return
    assert max(mine) == seen - 1
    assert result.began >= cue.start
    assert cancel is None or result.end <= cancel
    if result.state == "played":
        assert result.end - result.began == result.media.frames
    if cue.when == "cut" and cue.on_cut == "drop":
        assert len(mine) == seen - result.began
        waited = [speaking.get(t) for t in range(cue.start, result.began)]
        assert all(
            voice is not None
            and (voice.role == "emergency" or cues[voice.item].priority >= cue.priority)
            for voice in waited
        )
        assert cue.late_by is None or result.began <= cue.start + cue.late_by


@FEW
@given(strategies.scenes())
def test_voices_never_mix_and_never_vanish_and_the_higher_one_goes_first(scene: Scene) -> None:
    check_voices(scene)


# changes and segments


def goes_on(settled: timeline.Settled, t: int) -> bool:
    """Whether frame t merely continues frame t - 1."""
    before, after = timeline.sounding_at(settled, t - 1), timeline.sounding_at(settled, t)
    if len(before.voices) != len(after.voices):
        return False
    return all(
        (one.role, one.item, one.slot, one.media, one.offset + 1)
        == (other.role, other.item, other.slot, other.media, other.offset)
        and one.gain_b == pytest.approx(other.gain_a, abs=1e-9)
        and one.gain_b - one.gain_a == pytest.approx(other.gain_b - other.gain_a, abs=1e-9)
        for one, other in zip(before.voices, after.voices, strict=True)
    )


def check_changes(scene: Scene) -> None:
    settled = settle(scene)
    changes, t = set(), 0
    while (change := timeline.next_change_after(settled, t)) is not None and change < END:
        assert change > t
        changes.add(change)
        t = change
    assert {t for t in range(1, END) if not goes_on(settled, t)} == changes


@FEW
@given(strategies.scenes())
def test_the_next_change_is_where_the_plan_changes(scene: Scene) -> None:
    check_changes(scene)


def check_segments(scene: Scene, a: int, b: int) -> None:
    settled = settle(scene)
    found = timeline.segments(settled, a, b)
    for t in range(a, b):
        expected = sorted(
            (voice.role, voice.item, voice.slot, voice.media.sha256, voice.offset)
            for voice in timeline.sounding_at(settled, t).voices
        )
        covering = [one for one in found if one.start <= t < one.end]
        assert expected == sorted(
            (one.role, one.item, one.slot, one.media.sha256, one.offset + t - one.start)
            for one in covering
        )
    joined = {(one.role, one.item, one.slot, one.media, one.start, one.offset) for one in found}
    for one in found:
        offset = one.offset + one.end - one.start
        after = (one.role, one.item, one.slot, one.media, one.end, offset)
        assert after not in joined


@FEW
@given(strategies.scenes(), st.integers(0, END), st.integers(0, END))
def test_segments_are_the_plan_merged_by_item(scene: Scene, a: int, b: int) -> None:
    check_segments(scene, min(a, b), max(a, b))


# people's hands


def check_steps(scene: Scene, t: int, step: int) -> None:
    state = timeline.rebase(scene.programmes, scene.state, t)
    settled = timeline.settle(scene.programmes, state)
    here = timeline.music_at(settled, t)
    target = timeline.item_start(settled, t, step)
    if state.anchor is None or state.anchor.at != t or here is None or target is None:
        return
    block, pos = target
    moved = state.model_copy(
        update={
            "anchor": state.anchor.model_copy(
                update={"block": block, "pos": pos, "fresh": pos, "until": None}
            )
        }
    )
    there = timeline.music_at(timeline.settle(scene.programmes, moved), t)
    assert there is not None
    if (there.block, there.pos) in waiting_at(scene, t, state):
        return  # the beginning of an item is what it waits for
    if pos >= end_of(ruling_at(scene, t), block):
        assert there.silent or there.block != block, "what is heard once is over there"
        return
    assert (block, there.offset, there.pos) == (here.block, 0, pos)
    items = items_of(scene, settled, t)
    number = max(0, here.cycle * items + here.index + step)
    assert there.cycle * items + there.index == number
    for one in timeline.sounding_at(timeline.settle(scene.programmes, moved), t).voices:
        assert one.role != "music" or one.slot == pos


def waiting_at(scene: Scene, t: int, state: ZoneState) -> set[tuple[str, int]]:
    """Blocks that take over with the next item that begins, if they have not yet, and where."""
    paused = state.anchor.paused if state.anchor else 0
    return {
        (block.id, max(0, block.pos + t - block.at - paused))
        for block in ruling_at(scene, t).blocks
        if block.when != "cut" and block.at <= t
    }


def end_of(programme: Programme, key: str) -> float:
    """The reading at which a block that is heard once is over; never, if it loops."""
    block = next(one for one in programme.blocks if one.id == key)
    last = len(block.items) - 1
    begins = timeline.item_reading(programme, block, last)
    return begins + programme.media[block.items[last]].frames if block.once else float("inf")


def items_of(scene: Scene, settled: timeline.Settled, t: int) -> int:
    here = timeline.music_at(settled, t)
    assert here is not None
    return next(len(one.items) for one in ruling_at(scene, t).blocks if one.id == here.block)


def ruling_at(scene: Scene, t: int) -> Programme:
    ruling = [ref for ref in scene.state.programmes if ref.from_ <= t]
    plans = [
        (ref.from_, number, scene.programmes[ref.sha256])
        for number, ref in enumerate(ruling)
        if ref.sha256 in scene.programmes
    ]
    return max(plans, key=lambda one: one[:2])[2]


@FEW
@given(strategies.scenes(), st.integers(0, END), st.integers(-5, 5))
def test_next_and_previous_lead_to_the_beginning_of_an_item(
    scene: Scene, t: int, step: int
) -> None:
    check_steps(scene, t, step)


# splicing


def check_splice(scene: Scene, change: LiveEvent, now: int, at: int) -> None:
    now, at = sorted((now, at))
    without = scene.state.model_copy(update={"emergency": None})
    old = timeline.settle(scene.programmes, without)
    state = timeline.cancel(scene.programmes, without, "e0", at)
    state = state.model_copy(update={"live": (*state.live, change), "hold": None})
    new = timeline.settle(scene.programmes, state)
    both = timeline.splice(old, new, now)
    for t in range(now, END):
        assert same(heard(both, t), heard(old if t < new.start else new, t))
        assert timeline.music_at(both, t) == timeline.music_at(old if t < new.start else new, t)
    frames = [(t, piece) for piece in timeline.plan(both, now, END) for t in span_of(piece)]
    assert all(same(voices_at(piece, t), heard(both, t)) for t, piece in frames)
    assert timeline.outcomes(both) == timeline.outcomes(new)


def span_of(piece: timeline.Piece) -> range:
    return range(piece.start, piece.end)


@FEW
@given(strategies.scenes(), strategies.live_events(1, 9), st.integers(0, END), st.integers(0, END))
def test_until_its_anchor_a_newer_state_leaves_the_older_one_sounding(
    scene: Scene, change: LiveEvent, now: int, at: int
) -> None:
    check_splice(scene, change, now, at)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("scale", [1, 2])
def test_all_laws_at_length(scale: int) -> None:
    numbers = st.integers(0, END)

    @MANY
    @given(strategies.scenes(scale), strategies.live_events(scale, 9), numbers, numbers, numbers)
    def all_laws(scene: Scene, event: LiveEvent, a: int, b: int, c: int) -> None:
        check_cutting(scene, a, b, c)
        check_rebase(scene, a, b, END)
        check_cancelling(scene, ("e0", "e1", "e2", "l0", "l1", "none")[c % 6], a)
        check_music_always(scene)
        check_voices(scene)
        check_changes(scene)
        check_segments(scene, min(a, b), max(a, b))
        check_steps(scene, a, b % 11 - 5)
        check_splice(scene, event, a, b)
        if scene.state.anchor is not None:
            check_music_clock(scene)
        if event.start >= start_of(scene.state):
            check_adding(scene, event)

    all_laws()
