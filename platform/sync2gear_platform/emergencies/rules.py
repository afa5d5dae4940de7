"""What an emergency has come to on one speaker, of what it said: pure."""

from dataclasses import dataclass
from typing import Final, Literal

UNVERIFIED: Final = "emergency_unverified"
"""The fault of a speaker that knows no key for what it was told."""

Standing = Literal["sounding", "heard", "missed", "unverified", "silent"]


@dataclass(frozen=True, slots=True)
class Report:
    """What one speaker said of an emergency: how many rounds it began, and why it missed some.

    ``unverified``: at this moment it says of itself that it believes no emergency.
    """

    rounds: int = 0
    missed: str | None = None
    unverified: bool = False


def standing(report: Report, *, active: bool) -> tuple[Standing, str]:
    """How it stands and why: one round that was heard counts more than others that were not."""
    if report.rounds:
        return ("sounding" if active else "heard"), ""
    if active and report.unverified:
        return "unverified", UNVERIFIED
    if report.missed is not None:
        return "missed", report.missed
    return "silent", ""
