"""The contract for people: `docs/mqtt.md`, from the same table and models."""

import json
from collections.abc import Iterator
from typing import Any, Final, get_args

from sync2gear_broker import units
from sync2gear_broker.access import PLATFORM_USER, acl_file, hearers
from sync2gear_broker.asyncapi import BODIES, schemas
from sync2gear_broker.asyncapi.examples import ACCOUNT, CLIENT, example
from sync2gear_broker.messages import Document, Programme
from sync2gear_broker.topics import CHANNELS, ROOT, Channel

_INTRODUCTION: Final = f"""\
# The wire

Generated from `broker/sync2gear_broker` by `python -m sync2gear_broker.asyncapi docs/`; do not
edit. The same in machine form: [asyncapi.json](asyncapi.json) (AsyncAPI 3.0).

- Bodies are UTF-8 JSON with `"v": 1`. Unknown fields are ignored and changes are additive; a
  breaking change is another root than `{ROOT}`.
- `client`, `device` and `zone` in a topic are lower-case UUIDs. Names for people travel only in
  bodies, never in a topic.
- Instants are frames of the zone clock: 48,000 a second since the Unix epoch, as integers.
- What must hold later is a retained document, ordered by `(epoch, rev)`: a device applies only a
  newer one. What is only right now is a command that expires.
- A device's MQTT username, which is also its client id, is `{{client}}/{{device}}`; that of an
  integration account is `integration-` and an id of its own. One connection each: the next one with
  the same account ends the one before.
"""
_PROGRAMME: Final = """\
## programme

Not on MQTT: fetched with `GET /api/v1/programmes/{sha256}/` under the hash that a zone state names.
"""
_ACCESS: Final = """\
## Who may say and hear what

The broker's access file, with `platform` as the platform's own user, followed by one section for
each integration account (here one of the client of the examples): such an account reads the state
of its client's zones and says nothing. The agent of a site's gear is a device like any other. A
device may retain its `up/status` and `up/state` only: what it retains elsewhere is not listened to
and is cleared. Mosquitto 2.0 grants every subscription and then delivers nothing that is forbidden:
judge access by delivery.
"""
_UNITS: Final = {"%": "percent", "ms": "milliseconds", "µs": "microseconds"}
_KNOWN_PATTERNS: Final = {
    get_args(units.Uuid)[1].pattern: "UUID",
    get_args(units.Sha256)[1].pattern: "SHA-256",
    get_args(units.Key)[1].pattern: "key",
}


def render() -> str:
    """The text of ``docs/mqtt.md``."""
    found = schemas()
    whole = {body.__name__ for body in BODIES}
    sections = [
        _INTRODUCTION,
        _table(),
        *(_channel(channel, found) for channel in CHANNELS),
        _programme(found),
        "## Parts\n",
        *(_part(name, schema) for name, schema in found.items() if name not in whole),
        _access(),
    ]
    return "\n".join(sections)


def _table() -> str:
    rows = [
        "## Topics\n",
        f"All under `{ROOT}/`.\n",
        "| topic | body | said by | heard by | QoS | retained | expires | at most |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for c in CHANNELS:
        heard = ", ".join(who for who in hearers(c) if who != c.sender) or c.sender
        expiry = "" if c.expiry_seconds is None else f"{c.expiry_seconds} s"
        rows.append(
            f"| [`{c.template}`](#{c.name}) | {c.body.__name__} | {c.sender} | {heard} | {c.qos} | "
            f"{'yes' if c.retained else 'no'} | {expiry} | {c.max_bytes:,} B |"
        )
    return "\n".join(rows) + "\n"


def _channel(channel: Channel, found: dict[str, Any]) -> str:
    """One topic; a body that several topics share is spelled out at the first of them."""
    first = next(c for c in CHANNELS if c.body is channel.body)
    lines = [f"## {channel.name}\n", f"`{ROOT}/{channel.template}`: {channel.summary}.\n"]
    if first is channel:
        lines.append(_body(channel.body, found))
    else:
        lines.append(f"The body is that of [{first.name}](#{first.name}).\n")
    return "\n".join(lines)


def _programme(found: dict[str, Any]) -> str:
    return f"{_PROGRAMME}\n{_body(Programme, found)}"


def _body(body: type[Document], found: dict[str, Any]) -> str:
    shown = json.dumps(json.loads(example(body).canonical()), indent=1, ensure_ascii=False)
    return "\n".join(
        (
            found[body.__name__]["description"] + "\n",
            *_fields(found[body.__name__]),
            "",
            "<details><summary>Example</summary>\n",
            "```json",
            shown,
            "```",
            "</details>\n",
        )
    )


def _part(name: str, schema: dict[str, Any]) -> str:
    return "\n".join((f"### {name}\n", schema["description"] + "\n", *_fields(schema), ""))


def _fields(schema: dict[str, Any]) -> Iterator[str]:
    required = schema.get("required", ())
    yield "| field | type | default |"
    yield "|---|---|---|"
    for name, field in schema["properties"].items():
        default = "must be given" if name in required else f"`{json.dumps(field.get('default'))}`"
        if name not in required and "default" not in field:
            default = "empty"
        yield f"| `{name}` | {_type(field)} | {default} |"


def _type(schema: dict[str, Any]) -> str:
    """A JSON Schema in a few words."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return _array(schema)
    if kind == "string":
        return _string(schema)
    if kind in ("integer", "number"):
        return _number(schema)
    return str(kind)


def _array(schema: dict[str, Any]) -> str:
    items = schema["items"]
    if isinstance(items, list):
        return "[" + ", ".join(_type(item) for item in items) + "]"
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    bounds = [f"at least {least}"] if least else []
    bounds += [f"at most {most:,}"] if most else []
    return f"list of {_type(items)}" + (f" ({', '.join(bounds)})" if bounds else "")


def _string(schema: dict[str, Any]) -> str:
    if pattern := schema.get("pattern"):
        return _KNOWN_PATTERNS.get(pattern, f"text like `{pattern}`")
    most = schema.get("maxLength")
    return f"text, at most {most:,} characters" if most else "text"


def _number(schema: dict[str, Any]) -> str:
    unit = str(schema.get("x-unit", schema["type"]))
    name = _UNITS.get(unit, unit)
    least, most = schema.get("minimum"), schema.get("maximum")
    most = None if most == units.MAX_SAFE_INTEGER else most
    least = None if least in (-units.MAX_SAFE_INTEGER, 0) and most is None else least
    if least is not None and most is not None:
        return f"{name}, {least:,} to {most:,}"
    if least is not None:
        return f"{name}, at least {least:,}"
    return f"{name}, at most {most:,}" if most is not None else name


def _access() -> str:
    text = acl_file([PLATFORM_USER], [(CLIENT, ACCOUNT)]).rstrip()
    return f"{_ACCESS}\n```\n{text}\n```\n"
