"""The generated documents of the wire: current, additive, valid, and complete."""

import copy
import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from sync2gear_broker import topics
from sync2gear_broker.asyncapi import document, markdown, render
from sync2gear_broker.asyncapi.additive import breaks
from sync2gear_broker.asyncapi.examples import CLIENT, DEVICE, ZONE, example
from sync2gear_broker.messages import Document

DOCS = Path(__file__).parents[2] / "docs"
REGENERATE = "run: python -m sync2gear_broker.asyncapi docs/"


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DOCS / "asyncapi.json").read_text(encoding="utf-8"))
    return loaded


def test_nothing_that_installed_speakers_know_was_removed_or_retyped(
    committed: dict[str, Any],
) -> None:
    assert breaks(committed, document()) == []


def test_asyncapi_json_is_current() -> None:
    assert (DOCS / "asyncapi.json").read_text(encoding="utf-8") == render(), REGENERATE


def test_mqtt_md_is_current() -> None:
    assert (DOCS / "mqtt.md").read_text(encoding="utf-8") == markdown.render(), REGENERATE


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(whole: dict[str, Any], reference: str) -> Any:
    assert reference.startswith("#/"), reference
    node: Any = whole
    for part in reference[2:].split("/"):
        node = node[part]
    return node


def test_every_reference_resolves(committed: dict[str, Any]) -> None:
    found = set(references(committed))
    assert found
    for reference in found:
        assert isinstance(resolve(committed, reference), dict), reference


def test_every_operation_sends_a_message_of_its_channel(committed: dict[str, Any]) -> None:
    assert committed["asyncapi"] == "3.0.0"
    served = set()
    for name, operation in committed["operations"].items():
        assert operation["action"] in ("send", "receive"), name
        channel = resolve(committed, operation["channel"]["$ref"])
        allowed = set(references(channel["messages"]))
        for message in operation["messages"]:
            assert resolve(committed, message["$ref"])["$ref"] in allowed
        served.add(channel["address"])
    assert served == {channel["address"] for channel in committed["channels"].values()}


def test_every_address_names_its_parameters(committed: dict[str, Any]) -> None:
    for name, channel in committed["channels"].items():
        for parameter in channel.get("parameters", {}):
            assert f"{{{parameter}}}" in channel["address"], name
        assert channel["address"].count("{") == len(channel.get("parameters", {})), name


def validator(whole: dict[str, Any], model: str) -> Draft7Validator:
    return Draft7Validator(
        {"$ref": f"#/components/schemas/{model}", "components": whole["components"]}
    )


def test_schemas_are_schemas_and_examples_obey_them(committed: dict[str, Any]) -> None:
    for model, schema in committed["components"]["schemas"].items():
        Draft7Validator.check_schema(schema)
        assert schema["description"], model
    for model, message in committed["components"]["messages"].items():
        assert message["examples"], model
        for shown in message["examples"]:
            validator(committed, model).validate(shown["payload"])


def test_a_schema_refuses_what_the_model_refuses(committed: dict[str, Any]) -> None:
    wrong = json.loads(example(topics.ZONE_DESIRED.body).canonical()) | {"volume": 101}
    assert not validator(committed, "ZoneState").is_valid(wrong)


@pytest.mark.parametrize("channel", topics.CHANNELS, ids=lambda c: c.name)
def test_an_example_fits_its_channel(channel: topics.Channel) -> None:
    body = example(channel.body).canonical()
    assert len(body) <= channel.max_bytes
    assert channel.body.parse(body) == example(channel.body)
    ids = {"client": CLIENT, "device": DEVICE, "zone": ZONE}
    wanted = {name: value for name, value in ids.items() if f"{{{name}}}" in channel.template}
    address = topics.parse(topics.build(channel, **wanted))
    assert address is not None
    assert address.channel is channel


def changed(path: str, value: Any) -> dict[str, Any]:
    """The contract with one thing replaced, or removed where ``value`` is None."""
    whole = copy.deepcopy(document())
    *parents, last = path.split("/")
    node = whole
    for part in parents:
        node = node[part]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return whole


FIELD = "components/schemas/ZoneState/properties"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (f"{FIELD}/volume", None, "ZoneState.volume is gone"),
        (f"{FIELD}/volume/type", "number", "ZoneState.volume was"),
        (f"{FIELD}/volume/maximum", 50, "ZoneState.volume was"),
        (f"{FIELD}/volume/default", 1, "ZoneState.volume was"),
        ("components/schemas/ZoneState/required", ["zone", "epoch", "rev", "mute"], "mute must"),
        ("components/schemas/ZoneState/required", ["zone", "epoch"], "rev may be missing"),
        ("components/schemas/Media", None, "Media is gone"),
        ("channels/heartbeat", None, "channel heartbeat is gone"),
        ("channels/heartbeat/address", "s2g/1/beat", "channel heartbeat: address was"),
        ("channels/heartbeat/x-max-bytes", 10, "channel heartbeat: only 10 bytes"),
        ("channels/heartbeat/x-retained", True, "channel heartbeat: x-retained was"),
        ("operations/receive_heartbeat", None, "operation receive_heartbeat is gone"),
        ("operations/receive_heartbeat/bindings/mqtt/qos", 1, "travels otherwise"),
    ],
)
def test_a_break_is_named(path: str, value: Any, reason: str) -> None:
    assert any(reason in found for found in breaks(document(), changed(path, value)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{FIELD}/scene", {"type": "string", "default": ""}),
        (f"{FIELD}/volume/description", "How loud"),
        ("components/schemas/Lamp", {"type": "object", "properties": {}}),
        ("channels/heartbeat/x-max-bytes", 2048),
    ],
)
def test_an_addition_is_no_break(path: str, value: Any) -> None:
    assert breaks(document(), changed(path, value)) == []


def generate(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """``python -m sync2gear_broker.asyncapi`` in this process; its exit status."""
    monkeypatch.setattr(sys, "argv", ["asyncapi", *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("sync2gear_broker.asyncapi", run_name="__main__")
    return int(ended.value.code or 0)


def test_the_generator_does_not_replace_a_contract_by_one_that_breaks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    older = changed(f"{FIELD}/scene", {"type": "string", "default": ""})
    contract = tmp_path / "asyncapi.json"
    contract.write_text(json.dumps(older), encoding="utf-8")

    assert generate(monkeypatch, str(tmp_path)) == 1
    assert "ZoneState.scene is gone" in capsys.readouterr().err
    assert json.loads(contract.read_text(encoding="utf-8")) == older

    assert generate(monkeypatch, str(tmp_path), "--breaking") == 0
    assert contract.read_text(encoding="utf-8") == render()
    assert generate(monkeypatch, str(tmp_path)) == 0


def test_every_document_of_the_contract_has_an_example() -> None:
    for body in Document.__subclasses__():
        if body.__module__.startswith("sync2gear_broker."):
            assert isinstance(example(body), body)
