"""The timeline against an independent, frame by frame reading of the contract."""

import pytest
from hypothesis import given, settings

from support import strategies
from support.oracle import Sound, simulate
from support.strategies import SPAN, Scene
from sync2gear_broker import timeline


def heard(settled: timeline.Settled, t: int) -> Sound:
    return [
        (voice.role, voice.media.sha256, voice.offset, voice.gain_a)
        for voice in timeline.sounding_at(settled, t).voices
    ]


def agree(scene: Scene) -> None:
    expected = simulate(scene.programmes, scene.state, 2 * SPAN)
    settled = timeline.settle(scene.programmes, scene.state)
    for t, sound in expected.items():
        ours = heard(settled, t)
        assert [one[:3] for one in ours] == [one[:3] for one in sound], t
        assert [one[3] for one in ours] == pytest.approx([one[3] for one in sound]), t


@settings(max_examples=60, deadline=None)
@given(strategies.scenes())
def test_timeline_agrees_with_a_frame_by_frame_simulation(scene: Scene) -> None:
    agree(scene)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@settings(max_examples=3_000, deadline=None)
@given(strategies.scenes())
def test_timeline_agrees_with_a_frame_by_frame_simulation_at_length(scene: Scene) -> None:
    agree(scene)
