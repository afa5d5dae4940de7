"""What an emergency has come to on one speaker."""

import pytest

from sync2gear_platform.emergencies import rules
from sync2gear_platform.emergencies.rules import Report


@pytest.mark.parametrize(
    ("report", "active", "expected"),
    [
        (Report(), True, ("silent", "")),
        (Report(rounds=2), True, ("sounding", "")),
        (Report(rounds=2), False, ("heard", "")),
        (Report(rounds=2, missed="not_held", unverified=True), True, ("sounding", "")),
        (Report(missed="not_held"), True, ("missed", "not_held")),
        (Report(missed=""), False, ("missed", "")),
        (Report(unverified=True), True, ("unverified", "emergency_unverified")),
        (Report(unverified=True), False, ("silent", "")),
    ],
)
def test_a_round_counts_most_and_a_fault_only_while_it_lasts(
    report: Report, active: bool, expected: tuple[str, str]
) -> None:
    assert rules.standing(report, active=active) == expected
