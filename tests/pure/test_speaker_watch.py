"""What a speaker finds wrong with itself, and which of its parts stands still."""

from collections.abc import Iterable
from typing import Any

import pytest

from sync2gear_firmware.watch import Pulse, Vitals, Watched, hung, judged

SECOND = 1_000_000
GOOD: dict[str, Any] = {
    "level": -12.0,
    "playing": True,
    "off": 0.3,
    "drops": 2,
    "temperature": 50.0,
    "disk_free": 10**10,
}


def told(readings: Iterable[dict[str, Any]], every: int = 5) -> list[set[str]]:
    """The faults after each of ``readings``, which differ from what is good."""
    watched, faults, seen = Watched(), dict[str, str](), []
    for n, reading in enumerate(readings):
        vitals = Vitals(**{**GOOD, **reading})
        watched, changed = judged(watched, vitals, n * every * SECOND, faults)
        for code, words in changed.items():
            faults.pop(code, None)
            if words is not None:
                faults[code] = words
        seen.append(set(faults))
    return seen


@pytest.mark.parametrize(
    ("reading", "fault"),
    [
        ({"level": None}, "silent"),
        ({"level": -75.0}, "silent"),
        ({"off": -16.0}, "out_of_step"),
        ({"wall": -1500.0, "ntp": True}, "clock_differs"),
    ],
)
def test_what_lasts_half_a_minute_is_told_and_over_at_once(
    reading: dict[str, Any], fault: str
) -> None:
    seen = told([{}, *[reading] * 7, {}])
    assert seen == [set()] * 7 + [{fault}, set()]


def test_silence_is_a_fault_only_where_something_plays() -> None:
    assert set().union(*told([{"level": None, "playing": False}] * 20)) == set()
    assert set().union(*told([{"off": None, "temperature": None, "disk_free": None}] * 20)) == set()


def test_a_clock_that_nobody_keeps_may_show_anything() -> None:
    assert set().union(*told([{"wall": -1.8e12, "ntp": False}] * 20)) == set()
    assert (
        set().union(*told([{"wall": None, "ntp": True}, {"wall": 900.0, "ntp": True}] * 20))
        == set()
    )


def test_breaks_of_sound_count_within_a_minute() -> None:
    assert set().union(*told([{"drops": n} for n in (0, 1, 2, 3, 4)])) == set()
    rising = told([{"drops": n} for n in (0, 1, 2, 3, 4, 5, *[5] * 12)])
    assert rising[4:7] == [set(), {"underruns"}, {"underruns"}]
    assert rising[-1] == set()


@pytest.mark.parametrize(
    ("name", "values", "fault"),
    [
        ("temperature", (79.9, 80.0, 76.0, 74.9, 79.0), "hot"),
        ("disk_free", (33 << 20, 31 << 20, 40 << 20, 48 << 20, 33 << 20), "disk_low"),
    ],
)
def test_what_comes_has_to_go_some_way_to_be_over(
    name: str, values: tuple[float, ...], fault: str
) -> None:
    seen = told([{name: value} for value in values])
    assert seen == [set(), {fault}, {fault}, set(), set()]


def test_a_part_that_stands_for_its_patience_is_named_once_for_each() -> None:
    patience = {"a": 10, "b": 30}
    pulses: dict[str, Pulse] = {}
    names = []
    for now in range(0, 45, 5):
        pulses, found = hung(pulses, {"a": 7, "b": min(10, now)}, patience, now)
        names.append(found)
    assert names == [[], [], ["a"], [], ["a"], [], ["a"], [], ["a", "b"]]
