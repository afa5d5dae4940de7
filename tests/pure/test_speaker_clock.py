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


def test_a_message_that_overtook_what_delays_all_others_is_not_what_the_line_goes_by() -> None:
    chance, clock = random.Random(3), Clock()
    for k in range(600):
        there, back = (2000 + chance.randrange(10_000) for _ in range(2))
        there = 500 if k == 300 else there
        t1 = 10**6 + k * 50_000
        clock = clocks.observe(clock, A, t1, *(EPOCH + t1 + there,) * 2, t1 + there + back)
    assert clock.line is not None
    assert abs(clock.line.platform(clock.line.at) - EPOCH - clock.line.at) < 400


TWO_PEAKS = """
    0 0 1397 551507 408 711 602067 317 1385 701944 511 631 952577 505 506
    3003632 998 1351 13055947 1862 1243 13156292 1939 1205 25261144 3132 950 26261007 3098 933
    27261173 3186 771 28261211 3301 809 29261363 3397 837 30261964 3503 875 33261940 3792 830
    34262038 3848 857 35262503 4011 898 36262417 4077 914 38262651 4278 996 39262787 4369 811
    44263481 4894 889 45264163 5152 1170 48264272 5392 1082 49264172 5387 864 49314415 5367 895
    49364597 5341 868 49414822 5313 1081 49464921 5414 912 49515049 5452 960 50515488 5604 1193
    51515436 5662 905 52515700 5686 985 55566410 5775 1330 55616685 6266 1488 55666964 6034 907
    55717521 5785 1476 55767256 6065 935 55817533 5991 933 55867517 6039 820 55917637 6010 966
    55967687 5997 828 56017936 6058 975 56068021 6033 881 56119396 6103 924 56168397 6021 952
    57168536 6147 859 58168691 6235 882 59168906 6322 933 60170132 7169 3369 61169133 6570 831
    62169362 6646 871 63169724 6784 1026 64169912 6851 884 65170034 6934 847 66170296 7114 924
    67170389 7126 884 68170596 7235 1012 69170814 7285 1267 70170729 7492 848 71170920 7595 902
    72171234 7645 1032 73171388 7719 919 74171552 7874 971 75171584 7999 891 76171657 8065 788
    77172120 8160 1024 78172105 8289 883 79172634 8268 1196 80172548 8502 892 81172616 8606 886
    82172756 8703 869 84173286 8881 862
"""
"""Exchanges that were seen: the middle, offset and delay of each. Two slopes explain them alike."""


def test_exchanges_that_two_slopes_explain_alike_have_a_line_too() -> None:
    numbers = [int(word) for word in TWO_PEAKS.split()]
    clock = Clock()
    for at, offset, delay in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        t1, t2 = 10**6 + at - delay // 2, 10**6 + at + EPOCH + offset + delay % 2
        clock = clocks.observe(clock, A, t1, t2, t2, t1 + delay)
    assert clock.line is not None
    assert abs(clock.line.platform(10**6 + at) - 10**6 - at - EPOCH - offset) < 200


def test_what_waited_out_an_outage_does_not_move_the_line() -> None:
    network = Network(6, ppm=40, jitter=400)
    clock = run(network, 150)
    before = clock.line
    assert before is not None
    back_at = 170 * 10**6
    for waited in (4_000_000, 3_000_000, 2_000_000, 1_000_000):
        t1 = back_at - waited
        t2 = network.platform(back_at)
        clock = clocks.observe(clock, A, t1, t2, t2 + 50, back_at + 200)
    for k in range(5):
        clock = clocks.observe(clock, A, *network.exchange(back_at + (k + 1) * 10**6))
    assert clock.line is not None
    now = back_at + 6 * 10**6
    assert abs(clock.line.platform(now) - network.platform(now)) < 60


def test_how_fast_the_network_was_long_ago_says_nothing() -> None:
    clock, minute = Clock(), 60_000_000
    for way, begins in ((100, 10**6), (5_000, 11 * minute)):
        for at in range(begins, begins + 20_000_000, 1_000_000):
            clock = clocks.observe(clock, "p", at, at + 10**9 + way, at + 10**9 + way, at + 2 * way)
    assert clock.line is not None
    assert clock.line.spread < 10
