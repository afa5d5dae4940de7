"""The wire's documents: units, topics, access rules and bodies, also against hostile input."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from support import strategies
from support.strategies import Scene
from sync2gear_broker import access, topics, units
from sync2gear_broker.messages import (
    Block,
    Command,
    Event,
    Heartbeat,
    Media,
    PlayEvents,
    Programme,
    ZoneState,
    canonical_json,
)

CLIENT = "0189f7a0-0000-7000-8000-000000000001"
DEVICE = "0189f7a0-0000-7000-8000-000000000002"
ZONE = "0189f7a0-0000-7000-8000-000000000003"
SONG = Media(sha256="a" * 64, bytes=10, frames=48_000, title="Ölüdeniz \N{MUSICAL NOTE}")
BLOCK = Block(id="day", source="s", at=0, items=(0,))
GOLDEN = "3ffecf922022fe6b61036402cce8cbd71cc902c3918902d8f3782ce72de1d6d3"
"""The name of one small programme: a change here renames every programme, so make it knowingly."""
HOSTILE = [
    "",
    "\x00",
    "+",
    "#",
    "a/b",
    "../../etc/passwd",
    "\N{PILE OF POO}",
    "x" * 100_000,
    CLIENT.upper(),
    CLIENT + "\n",
    CLIENT + "/" + DEVICE,
]


# units


@given(st.integers(0, units.MAX_SAFE_INTEGER // 48))
def test_milliseconds_and_frames_agree(millis: int) -> None:
    frames = units.frames_from_millis(millis)
    assert frames == millis * 48
    assert units.millis_from_frames(frames) == millis
    assert units.millis_from_frames(frames + 47) == millis


@given(st.integers(0, units.MAX_SAFE_INTEGER))
def test_a_frame_survives_the_way_through_microseconds(frame: int) -> None:
    assert units.frames_from_micros(units.micros_from_frames(frame)) == frame


def test_gains_are_amplitudes() -> None:
    assert units.amplitude(0) == 1.0
    assert units.amplitude(-2000) == pytest.approx(0.1)
    assert units.amplitude(600) == pytest.approx(1.9953, abs=1e-4)


@pytest.mark.parametrize(
    ("unit", "good", "bad"),
    [
        (units.Frames, [0, units.MAX_SAFE_INTEGER], [-1, 2**53, 1.0, "1", True, None]),
        (units.Percent, [0, 100], [-1, 101, 50.5, "50"]),
        (units.Millibels, [-12_000, 3_000], [-12_001, 3_001, 0.5]),
        (units.Sha256, ["0" * 64], ["0" * 63, "0" * 65, "A" * 64, "0" * 64 + "\n", 0]),
        (units.Uuid, [CLIENT], [CLIENT.upper(), CLIENT[:-1], CLIENT + "\n", "", 7]),
        (units.Key, ["a-B_9.:"], ["", "a" * 65, "a b", "a/b", "a\n", "é"]),
        (units.Label, ["", "\N{PILE OF POO}" * 200], ["a" * 201, 3]),
    ],
)
def test_units_take_only_what_they_mean(unit: Any, good: list[Any], bad: list[Any]) -> None:
    adapter = TypeAdapter(unit)
    for value in good:
        assert adapter.validate_python(value) == value
    for value in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


# topics


@pytest.mark.parametrize("channel", topics.CHANNELS, ids=lambda channel: channel.name)
def test_every_topic_is_built_and_parsed_back(channel: topics.Channel) -> None:
    given_ids = {"client": CLIENT, "device": DEVICE, "zone": ZONE}
    ids = {name: value for name, value in given_ids.items() if f"{{{name}}}" in channel.template}
    topic = topics.build(channel, **ids)
    address = topics.parse(topic)
    assert address == topics.Address(channel, ids.get("client"), ids.get("device"), ids.get("zone"))
    assert topics.parse(topic + "/") is None
    assert topics.parse(topic.upper()) is None
    levels = topics.everyone(channel).split("/")
    assert all(a in ("+", b) for a, b in zip(levels, topic.split("/"), strict=True))
    assert channel.max_bytes <= 16_384
    assert (channel.sender == "device") == ("/up/" in topic)


def test_topics_differ_from_each_other() -> None:
    assert len({topics.everyone(channel) for channel in topics.CHANNELS}) == len(topics.CHANNELS)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_but_an_identity_enters_a_topic(text: str) -> None:
    with pytest.raises(ValueError, match="not a lower-case UUID"):
        topics.build(topics.DEVICE_ZONE, client=CLIENT, device=text)
    with pytest.raises(ValueError, match="not a lower-case UUID"):
        topics.username(text, DEVICE)
    assert topics.parse(f"s2g/1/{text}/{DEVICE}/dn/zone") is None
    if text != "":
        assert topics.split_username(f"{CLIENT}/{text}") is None


def test_a_device_is_named_by_client_and_device() -> None:
    name = topics.username(CLIENT, DEVICE)
    assert name == f"{CLIENT}/{DEVICE}"
    assert topics.split_username(name) == (CLIENT, DEVICE)
    assert topics.split_username(CLIENT) is None
    assert topics.device_filter(CLIENT, DEVICE) == f"s2g/1/{CLIENT}/{DEVICE}/dn/#"


# access


def test_a_device_hears_and_says_only_its_own() -> None:
    lines = access.acl_file(["platform", "platform-2"]).splitlines()
    assert lines.count("topic readwrite s2g/1/#") == 2
    assert lines[0] == "user platform"
    patterns = [line for line in lines if line.startswith("pattern")]
    assert all(line.split(" ")[2].startswith("s2g/1/%u/") for line in patterns)
    assert access.acl_file([]).splitlines() == [*patterns]


@pytest.mark.parametrize("name", ["", "a b", "a\ntopic readwrite #", "#", CLIENT + "/" + DEVICE])
def test_a_platform_user_cannot_smuggle_a_rule(name: str) -> None:
    with pytest.raises(ValueError, match="not a platform username"):
        access.acl_file([name])


# bodies


@settings(max_examples=60, deadline=None)
@given(strategies.scenes(4800))
def test_documents_survive_the_wire_and_have_one_spelling(scene: Scene) -> None:
    for document in (scene.state, *scene.programmes.values()):
        spelled = document.canonical()
        back = type(document).parse(spelled)
        assert back == document
        assert back.canonical() == spelled
        shuffled = json.dumps(dict(reversed(list(json.loads(spelled).items()))), indent=3)
        assert type(document).parse(shuffled).canonical() == spelled
    for programme in scene.programmes.values():
        assert Programme.parse(programme.canonical()).sha256() == programme.sha256()


def test_a_programme_keeps_its_name_for_ever() -> None:
    programme = Programme(media=(SONG,), blocks=(BLOCK,), events=(Event(id="e", start=1, media=0),))
    assert programme.sha256() == GOLDEN
    assert canonical_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()


def test_unknown_fields_are_ignored_and_documents_are_frozen() -> None:
    body = {"v": 1, "zone": ZONE, "epoch": 1, "rev": 7, "colour": "blue"}
    state = ZoneState.parse(json.dumps(body))
    assert state.version == (1, 7)
    with pytest.raises(ValidationError):
        setattr(state, "rev", 8)  # noqa: B010 -- the type checker refuses the plain spelling


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"v":2,"zone":"%s","epoch":1,"rev":1}' % ZONE.encode(),
        b'{"v":1,"zone":"x","epoch":1,"rev":1}',
        b'{"v":1,"zone":"%s","epoch":1,"rev":0}' % ZONE.encode(),
        b'{"v":1,"zone":"%s","epoch":1,"rev":1.5}' % ZONE.encode(),
        b'{"v":1,"zone":"%s","epoch":1,"rev":NaN}' % ZONE.encode(),
        b'{"v":1,"zone":"%s","epoch":1,"rev":1,"volume":101}' % ZONE.encode(),
        b'{"v":1,"zone":"%s","epoch":1,"rev":1,"skip":["%s"]}' % (ZONE.encode(), b"x" * 65),
        b'{"v":1,"zone":"%s","epoch":1,"rev":%s}' % (ZONE.encode(), b"9" * 5000),
        b"[" * 100_000,
    ],
)
def test_a_broken_body_is_refused(body: bytes) -> None:
    with pytest.raises(ValidationError):
        ZoneState.parse(body)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"blocks": (BLOCK.model_copy(update={"items": (1,)}),)}, "a block refers to media"),
        ({"events": (Event(id="e", start=0, media=1),)}, "an event refers to media"),
        ({"blocks": (BLOCK, BLOCK.model_copy(update={"id": "x"}))}, "strictly rising"),
        ({"blocks": (BLOCK, BLOCK.model_copy(update={"at": 1}))}, "block ids must be unique"),
        ({"events": (Event(id="e", start=0, media=0),) * 2}, "event ids must be unique"),
        ({"blocks": ()}, "at least 1"),
        ({"media": ()}, "at least 1"),
    ],
)
def test_an_inconsistent_programme_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Programme.model_validate({"media": (SONG,), "blocks": (BLOCK,), **change})


def test_counts_on_the_wire_are_bounded() -> None:
    base = {"zone": ZONE, "epoch": 1, "rev": 1}
    live = {"id": "l", "start": 0, "media": SONG.model_dump()}
    ref = {"sha256": "a" * 64, "from": 0}
    entry = {"id": "e"}
    anchor = {"at": 0, "block": "b", "pos": 0, "open": [entry] * 65}
    for field in ({"live": [live] * 13}, {"programmes": [ref] * 4}, {"anchor": anchor}):
        with pytest.raises(ValidationError, match="at most"):
            ZoneState.model_validate({**base, **field})
    play = {
        "id": ZONE,
        "seq": 1,
        "kind": "started",
        "zone": ZONE,
        "item": "day",
        "media": "a" * 64,
        "media_kind": "music",
        "at": 0,
        "planned": 0,
    }
    assert PlayEvents.model_validate({"log": ZONE, "events": [play]}).events[0].audible
    with pytest.raises(ValidationError, match="at most"):
        PlayEvents.model_validate({"log": ZONE, "events": [play] * 51})


def test_figures_that_a_machine_cannot_have_are_refused() -> None:
    assert Heartbeat(boot=ZONE, uptime=1, load=0.5).load == 0.5
    with pytest.raises(ValidationError):
        Heartbeat(boot=ZONE, uptime=1, load=-0.5)
    with pytest.raises(ValidationError):
        Command.model_validate({"id": ZONE, "exp": 1, "do": "format_disk"})
