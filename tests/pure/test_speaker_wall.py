"""What time of the day a speaker takes it for, whatever its machine's clock does."""

from dataclasses import dataclass, field

import pytest

from sync2gear_firmware.clock import Line, from_frame
from sync2gear_firmware.wall import Wall

SECOND = 1_000_000
PLATFORM = 1_790_000_000


@dataclass
class Machine:
    """A machine in numbers: its clock on the wall and its monotonic one, in seconds."""

    shows: float = PLATFORM
    up: float = 0.0
    slept: float = 0.0
    ntp: bool = False
    wall: Wall = field(init=False)

    def __post_init__(self) -> None:
        self.wall = Wall(
            lambda: self.shows,
            lambda: round(self.up * SECOND),
            lambda: round(self.slept * SECOND),
            lambda: self.ntp,
        )

    def passes(self, seconds: float, *, slept: float = 0.0) -> int:
        """Time goes by on every clock; what :meth:`Wall.look` says then."""
        self.shows, self.up, self.slept = (
            self.shows + seconds,
            self.up + seconds,
            self.slept + slept,
        )
        return self.wall.look()


LINE = Line("src", 0, float(PLATFORM * SECOND))


def test_the_platforms_time_goes_before_the_machines_own() -> None:
    machine = Machine(shows=60.0)
    assert machine.wall.now() == 60.0
    assert machine.wall.platform() is None
    assert machine.wall.off() is None
    machine.wall.follow(from_frame(48_000, 0))
    assert machine.wall.platform() is None, "a saved frame is no time of the day"
    machine.wall.follow(LINE)
    machine.passes(5)
    assert machine.wall.now() == PLATFORM + 5
    assert machine.wall.off() == pytest.approx((60 - PLATFORM) * 1000)


def test_a_clock_an_hour_off_is_doubted_unless_ntp_keeps_it() -> None:
    for off, ntp, doubted in [
        (0, False, False),
        (3500, False, False),
        (3700, False, True),
        (-3700, False, True),
        (86_400_000, True, False),
    ]:
        machine = Machine(shows=PLATFORM + off, ntp=ntp)
        assert not machine.wall.doubted(), "with nothing to compare it is believed"
        machine.wall.follow(LINE)
        assert machine.wall.doubted() is doubted


def test_sleep_is_noticed_once_and_steps_of_the_clock_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    machine = Machine()
    machine.slept = 100.0
    assert machine.wall.look() == 0, "what was before its start is no news"
    assert machine.passes(5) == 0
    assert machine.passes(600, slept=595) == 595 * SECOND
    assert machine.passes(5, slept=0.05) == 0
    assert caplog.messages == []
    machine.shows += 7200
    machine.passes(5)
    machine.passes(5)
    assert caplog.messages == ["clock.wall_stepped millis=7200000"]


def test_the_log_says_once_by_how_much_its_stamps_are_wrong(
    caplog: pytest.LogCaptureFixture,
) -> None:
    machine = Machine(shows=PLATFORM - 86_400)
    machine.wall.follow(LINE)
    machine.wall.follow(LINE)
    assert caplog.messages == ["clock.wall_differs millis=-86400000 ntp=False"]
    right = Machine()
    right.wall.follow(LINE)
    assert len(caplog.messages) == 1
