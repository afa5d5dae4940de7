"""What a speaker may take of its shop's network: hours over midnight, a rate; what drips."""

import time
from collections.abc import Iterator
from functools import partial
from itertools import chain

import pytest

from sync2gear_firmware.allowance import Allowance, TooSlow, window, within, zone_of


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        ("", (0, 720, 1439), ()),
        ("22:00-06:00", (1320, 1439, 0, 359), (360, 720, 1319)),
        ("01:30-02:00", (90, 119), (89, 120, 1439)),
        ("08:00-08:00", (0, 480, 1439), ()),
    ],
)
def test_hours_may_go_over_midnight(
    hours: str, inside: tuple[int, ...], outside: tuple[int, ...]
) -> None:
    assert all(within(minute, window(hours)) for minute in inside)
    assert not any(within(minute, window(hours)) for minute in outside)


@pytest.mark.parametrize("text", ["22-6", "24:00-06:00", "22:00", "22:60-06:00", "x22:00-06:00"])
def test_what_names_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HH:MM"):
        window(text)


def test_the_hours_are_those_of_the_machines_time_zone() -> None:
    noon = time.mktime((2026, 6, 1, 12, 30, 0, 0, 0, -1))
    assert Allowance(hours=(720, 780), wall=lambda: noon).open()
    assert not Allowance(hours=(0, 720), wall=lambda: noon).open()


def test_the_hours_may_be_those_of_another_zone() -> None:
    summer, winter = 1_782_864_000.0, 1_798_761_600.0  # midnight in UTC, July and January
    for instant, minute in ((summer, 120), (winter, 60)):
        berlin, wall = zone_of("Europe/Berlin"), partial(float, instant)
        assert Allowance(hours=(minute, minute + 1), zone=berlin, wall=wall).open()
    for name in ("", "Europe/Nowhere", "../../etc/passwd"):
        assert zone_of(name) is None


def test_the_rate_is_kept_over_any_stretch_and_what_was_not_taken_is_not_saved_up() -> None:
    now = 100.0
    allowance = Allowance(rate=1000, monotonic=lambda: now)
    assert allowance.pause(500) == pytest.approx(0.5)
    assert allowance.pause(1000) == pytest.approx(1.5)
    now = 101.5
    assert allowance.pause(100) == pytest.approx(0.1)
    now = 500.0
    assert allowance.pause(1000) == pytest.approx(1.0)
    assert Allowance().pause(10**9) == 0


def test_a_server_that_drips_is_given_up_and_a_reader_that_takes_its_time_is_no_drip() -> None:
    now = 0.0

    def given(size: int, every: float, count: int) -> Iterator[bytes]:
        nonlocal now
        for _ in range(count):
            now += every
            yield bytes(size)

    allowance = Allowance(monotonic=lambda: now)
    assert sum(map(len, allowance.steady(given(5120, 5.0, 200)))) == 200 * 5120
    dripping = allowance.steady(given(1, 5.0, 200))
    got = []
    with pytest.raises(TooSlow, match="too_slow"):
        got.extend(dripping)
    assert len(got) == 11, "what came in the first minute but its last byte"
    # a minute of much does not make up for one of little
    stopping = allowance.steady(chain(given(10**6, 1.0, 60), given(1, 1.0, 99)))
    with pytest.raises(TooSlow):
        got.extend(stopping)
    read = 0
    for chunk in allowance.steady(given(1000, 0.1, 50)):
        now += 100
        read += len(chunk)
    assert read == 50_000
