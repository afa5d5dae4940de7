"""The device's clock: exchanges in, a line out."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_firmware import clock as clocks
from sync2gear_firmware.clock import READY, SYNCED_FOR, Clock, Line

EPOCH = 1_790_000_000_000_000
A, B = "a" * 8, "b" * 8


class Network:
    """Two clocks with an offset and a drift, and delays both ways between them."""

    def __init__(self, seed: int, ppm: float = 0.0, jitter: int = 0) -> None:
        self.random = random.Random(seed)
        self.ppm, self.jitter = ppm, jitter

    def platform(self, local: int) -> int:
        return EPOCH + local + round(local * self.ppm * 1e-6)

    def exchange(self, t1: int) -> tuple[int, int, int, int]:
        there = 100 + (self.random.randrange(self.jitter) if self.jitter else 0)
        back = 100 + (self.random.randrange(self.jitter) if self.jitter else 0)
        t2 = self.platform(t1 + there)
        t3 = self.platform(t1 + there + 50)
        return t1, t2, t3, t1 + there + 50 + back


def run(network: Network, count: int, every: int = 1_000_000, start: int = 10**6) -> Clock:
    clock = Clock()
    for k in range(count):
        clock = clocks.observe(clock, A, *network.exchange(start + k * every))
    return clock


@given(st.integers(0, 2**32), st.sampled_from([-80.0, 0.0, 80.0]))
def test_it_finds_the_offset_and_the_drift_through_jitter(seed: int, ppm: float) -> None:
    network = Network(seed, ppm, jitter=3000)
    clock = run(network, 60)
    assert clock.line is not None
    now = 61 * 10**6
    assert abs(clock.line.platform(now) - network.platform(now)) < 1500


def test_a_symmetric_path_is_exact() -> None:
    network = Network(1)
    clock = run(network, 20, 50_000)
    assert clock.line is not None
    assert abs(clock.line.platform(2 * 10**6) - network.platform(2 * 10**6)) <= 1
    assert clock.line.error < 200


def test_a_clock_is_trusted_only_after_some_exchanges() -> None:
    network = Network(2)
    assert run(network, READY - 1).line is None
    assert run(network, READY).line is not None


@pytest.mark.parametrize(
    "exchange",
    [(0, 10, 5, 20), (20, 5, 10, 0), (0, 0, 10, 5), (0, EPOCH, EPOCH, 6_000_000)],
)
def test_impossible_exchanges_change_nothing(exchange: tuple[int, int, int, int]) -> None:
    assert clocks.observe(Clock(), A, *exchange) == Clock()


def test_two_sources_are_never_mixed_and_the_new_one_takes_over_once_the_old_is_silent() -> None:
    network = Network(3)
    clock = run(network, 20)
    first = clock.line

    def other(t1: int) -> tuple[int, int, int, int]:
        a, b, c, d = network.exchange(t1)
        return a, b + 40_000, c + 40_000, d

    for k in range(READY):
        clock = clocks.observe(clock, B, *other(20_000_000 + k * 100_000))
    assert clock.line == first
    for k in range(6):
        clock = clocks.observe(clock, B, *other(26_000_000 + k * 1_000_000))
    assert clock.line is not None
    assert clock.line.src == B
    assert abs(clock.line.platform(10**8) - network.platform(10**8) - 40_000) < 100


def test_a_new_source_that_is_not_yet_trusted_leaves_the_old_line_in_force() -> None:
    network = Network(4)
    clock = run(network, 20)
    after = clocks.observe(clock, B, *network.exchange(60_000_000))
    assert after.line == clock.line
    assert after.heard == clock.heard


def test_a_stepped_clock_is_learnt_anew() -> None:
    network = Network(5)
    clock = run(network, 40)
    for k in range(READY + 2):
        t1, t2, t3, t4 = network.exchange(41_000_000 + k * 1_000_000)
        clock = clocks.observe(clock, A, t1, t2 - 500_000, t3 - 500_000, t4)
    assert clock.line is not None
    now = 60_000_000
    assert abs(clock.line.platform(now) - network.platform(now) + 500_000) < 1000


def test_quality_and_error_say_how_far_it_can_be_trusted() -> None:
    clock = Clock()
    assert clocks.quality(clock, 0) == "none"
    assert clocks.error_millis(clock, 0) is None
    clock = run(Network(6), 20)
    last = clock.heard
    assert last is not None
    assert clocks.quality(clock, last + SYNCED_FOR) == "synced"
    assert clocks.quality(clock, last + SYNCED_FOR + 1) == "holdover"
    soon, late = (clocks.error_millis(clock, last + s * 10**6) for s in (0, 3600))
    assert soon is not None
    assert late is not None
    assert soon < 1 < 7 < late < 30


@given(st.integers(0, 2**52), st.integers(0, 2**45))
def test_a_saved_frame_is_where_its_line_begins(frame: int, local: int) -> None:
    line = clocks.from_frame(frame, local)
    assert abs(line.frame_at(local) - frame) <= 1
    assert abs(line.frame_at(local + 10**6) - frame - 48_000) <= 1


def test_frames_before_the_epoch_do_not_exist() -> None:
    assert Line(A, 0, -1e9).frame_at(5) == 0


def test_the_slowest_trip_of_late_is_known_once_the_clock_is_trusted() -> None:
    assert clocks.slowest(Clock()) is None
    assert clocks.slowest(run(Network(1), READY - 1)) is None
    assert clocks.slowest(run(Network(1), READY)) == 200
    busy = run(Network(1, jitter=50_000), 200)
    slowest = clocks.slowest(busy)
    assert slowest is not None
    latest = sorted(s.delay for s in busy.estimators[0].samples[-60:])
    assert latest[50] < slowest <= latest[-1]
