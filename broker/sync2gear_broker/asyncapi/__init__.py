"""The contract as an AsyncAPI 3.0 document, generated from the topic table and the models."""

import json
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from sync2gear_broker.asyncapi.examples import example
from sync2gear_broker.messages import Document, Programme
from sync2gear_broker.topics import CHANNELS, ROOT, Channel

_PARAMETERS: Final = {
    "client": "The tenant",
    "device": "The device",
    "zone": "The zone",
}
_SUBJECTS: Final = {"platform": "send", "device": "receive"}

BODIES: Final[tuple[type[Document], ...]] = (
    *dict.fromkeys(channel.body for channel in CHANNELS),
    Programme,
)
"""Every whole document of the contract; the programme travels over HTTP, the others over MQTT."""


def document() -> dict[str, Any]:
    """The contract seen from the platform, as an AsyncAPI 3.0 object.

    Payloads are JSON Schema draft 07 (AsyncAPI's default schema format), with ``x-unit`` where a
    number has a unit. ``x-max-bytes`` and ``x-retained`` complete what MQTT bindings cannot say.
    Source: the AsyncAPI 3.0.0 specification and the MQTT bindings 0.2.0.
    """
    return {
        "asyncapi": "3.0.0",
        "id": "urn:sync2gear:wire:1",
        "info": {
            "title": "sync2gear wire",
            "version": "1.0.0",
            "description": "What the sync2gear platform and its speakers say to each other over "
            "MQTT. Additive only: a reader ignores fields that it does not know.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"broker": _server()},
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {
            f"{_SUBJECTS[channel.sender]}_{channel.name}": _operation(channel)
            for channel in CHANNELS
        },
        "components": {
            "messages": {body.__name__: _message(body) for body in BODIES},
            "schemas": schemas(),
            "parameters": {
                name: {"description": f"{text}: a lower-case UUID"}
                for name, text in _PARAMETERS.items()
            },
            "securitySchemes": {
                "device": {
                    "type": "userPassword",
                    "description": "Username and MQTT client id are both `{client}/{device}`.",
                }
            },
        },
    }


def render() -> str:
    """The document as it stands in ``docs/asyncapi.json``."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def schemas() -> dict[str, Any]:
    """JSON Schemas (draft 07) of all bodies and their parts, by model name."""
    _, found = models_json_schema(
        [(body, "validation") for body in BODIES],
        ref_template="#/components/schemas/{model}",
    )
    return {name: _draft_07(schema) for name, schema in sorted(found["$defs"].items())}


def _draft_07(schema: Any) -> Any:
    """Pydantic's dialect (2020-12) as draft 07, without the titles that only repeat names."""
    if isinstance(schema, list):
        return [_draft_07(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {}
    for key, value in schema.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "description":
            changed[key] = value.replace("``", "`")
        elif key == "default":
            changed[key] = value
        else:
            changed["items" if key == "prefixItems" else key] = _draft_07(value)
    return changed


def _server() -> dict[str, Any]:
    return {
        "host": "{host}:{port}",
        "protocol": "mqtt",
        "protocolVersion": "5.0",
        "description": "The broker's listener for devices. The platform has one of its own.",
        "variables": {
            "host": {"default": "localhost", "description": "Given in the device's credential"},
            "port": {"default": "1883", "description": "Given in the device's credential"},
        },
        "security": [{"$ref": "#/components/securitySchemes/device"}],
    }


def _channel(channel: Channel) -> dict[str, Any]:
    body = channel.body.__name__
    names = [name for name in _PARAMETERS if f"{{{name}}}" in channel.template]
    shape: dict[str, Any] = {
        "address": f"{ROOT}/{channel.template}",
        "summary": channel.summary,
        "messages": {body: {"$ref": f"#/components/messages/{body}"}},
    }
    if names:
        shape["parameters"] = {name: {"$ref": f"#/components/parameters/{name}"} for name in names}
    return {**shape, "x-max-bytes": channel.max_bytes, "x-retained": channel.retained}


def _operation(channel: Channel) -> dict[str, Any]:
    binding: dict[str, Any] = {"qos": channel.qos, "retain": channel.retained}
    if channel.expiry_seconds is not None:
        binding["messageExpiryInterval"] = channel.expiry_seconds
    return {
        "action": _SUBJECTS[channel.sender],
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "summary": channel.summary,
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{channel.body.__name__}"}],
        "bindings": {"mqtt": {**binding, "bindingVersion": "0.2.0"}},
    }


def _message(body: type[Document]) -> dict[str, Any]:
    name = body.__name__
    return {
        "name": name,
        "summary": _summary(body),
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "examples": [{"payload": json.loads(example(body).canonical())}],
    }


def _summary(body: type[Document]) -> str:
    """The first sentence of a model's docstring, on one line."""
    text = " ".join((body.__doc__ or "").split("\n\n")[0].split())
    return text.replace("``", "`")
