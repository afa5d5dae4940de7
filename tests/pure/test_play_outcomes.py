"""What became of an announcement on one speaker: every reason, and what wins over what."""

import pytest

from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.playback import outcomes
from sync2gear_platform.playback.outcomes import Facts, Outcome

START, LENGTH = 1000 * FRAME_RATE, 4 * FRAME_RATE
BEFORE, AFTER = START - FRAME_RATE, outcomes.over(START, LENGTH)


def said(facts: Facts, now: int, *, cancelled: bool = False) -> Outcome:
    return outcomes.outcome(facts, start=START, frames=LENGTH, now=now, cancelled=cancelled)


@pytest.mark.parametrize(
    ("facts", "before", "after"),
    [
        (Facts(), "pending", "offline"),
        (Facts(online=True), "pending", "offline"),
        (Facts(received=1), "received", "offline"),
        (Facts(received=1, online=True), "received", "no_report"),
        (Facts(received=1, cached=2), "cached", "offline"),
    ],
)
def test_silence_counts_as_missed_only_once_it_is_over(
    facts: Facts, before: str, after: str
) -> None:
    assert said(facts, BEFORE) == Outcome(before)  # type: ignore[arg-type]  # a stage of the table
    assert said(facts, AFTER - 1) == Outcome(before)  # type: ignore[arg-type]  # the same
    assert said(facts, AFTER) == Outcome("missed", after)


@pytest.mark.parametrize("now", [BEFORE, AFTER])
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(received=1, started=2), Outcome("started")),
        (Facts(started=2, finished=3), Outcome("finished")),
        (Facts(started=2, finished=3, audible=False), Outcome("missed", "muted")),
        (Facts(received=1, missed="not_held"), Outcome("missed", "no_media")),
        (Facts(received=1, missed="undecodable"), Outcome("missed", "decode_error")),
        (Facts(missed="not_delivered"), Outcome("missed", "late")),
        (Facts(missed="off"), Outcome("missed", "offline")),
        (Facts(missed="stopped"), Outcome("missed", "stopped")),
        (Facts(missed=""), Outcome("missed", "not_played")),
        # it came after all: what was heard is what counts
        (Facts(missed="not_held", started=2), Outcome("started")),
    ],
)
def test_what_a_speaker_says_holds_whenever_it_is_read(
    facts: Facts, expected: Outcome, now: int
) -> None:
    assert said(facts, now) == expected


def test_what_was_cancelled_was_missed_for_that_reason_unless_it_had_begun() -> None:
    assert said(Facts(received=1, cached=1), BEFORE, cancelled=True) == Outcome(
        "missed", "cancelled"
    )
    assert said(Facts(started=START), AFTER, cancelled=True).stage == "started"


def test_what_was_cut_off_was_not_heard_to_its_end() -> None:
    late = START + FRAME_RATE  # it joined inside, or waited for its turn
    whole = Facts(started=late, planned=START, finished=START + LENGTH)
    assert said(whole, AFTER) == Outcome("finished")
    waited = Facts(started=late, planned=late, finished=START + LENGTH)
    assert said(waited, AFTER) == Outcome("finished", "cut")
    assert said(waited, AFTER, cancelled=True) == Outcome("finished", "cancelled")
    nearly = Facts(started=START, planned=START, finished=START + LENGTH - outcomes.SLACK)
    assert said(nearly, AFTER, cancelled=True) == Outcome("finished")


def test_how_late_it_began() -> None:
    assert outcomes.lateness(Facts()) is None
    assert outcomes.lateness(Facts(started=START + 4800, planned=START)) == 100


def test_a_zone_has_come_as_far_as_its_furthest_speaker() -> None:
    assert outcomes.of_zone(["missed", "started", "finished"]) == "started"
    assert outcomes.of_zone(["missed", "finished"]) == "finished"
    assert outcomes.of_zone(["pending", "missed"]) == "pending"
    assert outcomes.of_zone([]) == "missed"
