"""How much a card is kept filled: it grows with what broke, and falls after long calm."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sync2gear_firmware.players.depth import CALM, CALMEST, STEPS, Depth, judged

SECOND = 1000


def after(depth: Depth, *least: float, since: int = 0, every: int = SECOND) -> Depth:
    """The depth after looks at what was held at least, ``every`` so often."""
    for number, held in enumerate(least):
        depth = judged(depth, held, since + number * every)
    return depth


def test_what_always_had_enough_stays() -> None:
    assert after(Depth(), *[68.0] * 50, every=CALM) == replace(Depth(), since=49 * CALM)


def test_one_break_is_enough_and_it_grows_by_as_much_as_would_have_lasted() -> None:
    assert judged(Depth(), 0, 0).millis == 130
    assert judged(Depth(), -30, 0).millis == 130
    assert judged(Depth(), -80, 0).millis == 250, "150 ms late: 130 would have broken, too"
    assert judged(Depth(1), -5, 0).millis == 250
    assert judged(Depth(2), -400, 0).millis == 250, "what does not last is no reason for more"


def test_three_times_in_a_minute_nearly_empty_is_enough_too() -> None:
    assert after(Depth(), 20, 60, 20).step == 0
    assert after(Depth(), 20, 60, 20, 20).step == 1
    assert after(Depth(), 20, 20, 20, every=31 * SECOND).step == 0


def test_who_was_stopped_or_asleep_needs_no_more() -> None:
    assert after(Depth(), 20, 20, -60_000, 20).step == 0
    assert after(Depth(2), -8 * 3600 * SECOND).step == 2


def test_after_a_long_calm_it_gives_back_a_step_and_then_the_next() -> None:
    grown = judged(Depth(), -80, 0)
    assert (grown.millis, grown.calm) == (250, 2 * CALM)
    calm = after(grown, 240, 235, 190, since=SECOND, every=CALM)
    assert calm.millis == 130
    assert after(grown, 240, 180, 240, since=SECOND, every=CALM).millis == 250, "70 ms late"
    assert after(calm, *[125.0] * 3, since=3 * CALM, every=CALM).millis == 70
    again = judged(replace(calm, step=0), -80, 9 * CALM)
    assert again.calm == 4 * CALM, "what proves needed again is held for longer"


@given(st.lists(st.tuples(st.floats(-2000, 300), st.integers(0, 2 * CALM)), max_size=60))
def test_it_keeps_to_its_bounds_and_shrinks_by_one_step_at_a_time(
    looks: list[tuple[float, int]],
) -> None:
    depth, now = Depth(), 0
    for least, later in looks:
        now += later
        before, depth = depth, judged(depth, least, now)
        assert 0 <= depth.step < len(STEPS)
        assert depth.step >= before.step - 1
        assert CALM <= depth.calm <= CALMEST
        if least <= 0:
            assert depth.step >= before.step
