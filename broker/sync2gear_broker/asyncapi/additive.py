"""What may change in a contract of the same major version: additions, and nothing else."""

from typing import Any, Final

_PROSE: Final = ("description", "title", "summary", "examples", "x-unit")


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Why ``new`` (an AsyncAPI object) breaks readers or writers of ``old``; empty if it does not.

    Allowed: new channels, models and optional fields, a larger ``x-max-bytes`` and any prose.
    A changed bound, pattern, default or enumeration counts as a retyped field: one of the two
    sides was installed before the change and judges by the old one.
    """
    return [*_channels(old, new), *_operations(old, new), *_schemas(old, new)]


def _channels(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    found = []
    for name, was in old["channels"].items():
        now = new["channels"].get(name)
        if now is None:
            found.append(f"channel {name} is gone")
            continue
        found += [
            f"channel {name}: {key} was {was[key]!r} and is {now[key]!r}"
            for key in ("address", "messages", "x-retained")
            if was[key] != now[key]
        ]
        if now["x-max-bytes"] < was["x-max-bytes"]:
            found.append(
                f"channel {name}: only {now['x-max-bytes']} bytes instead of {was['x-max-bytes']}"
            )
    return found


def _operations(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Who sends a channel, and how; a channel that is gone has been named already."""
    return [
        f"operation {name} is gone or travels otherwise"
        for name, was in old["operations"].items()
        if _channel_name(was) in new["channels"]
        and (
            name not in new["operations"] or new["operations"][name]["bindings"] != was["bindings"]
        )
    ]


def _channel_name(operation: dict[str, Any]) -> str:
    return str(operation["channel"]["$ref"]).rpartition("/")[2]


def _schemas(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    found = []
    after = new["components"]["schemas"]
    for model, was in old["components"]["schemas"].items():
        if model not in after:
            found.append(f"{model} is gone")
            continue
        now = after[model]
        fields = now.get("properties", {})
        for name, field in was.get("properties", {}).items():
            if name not in fields:
                found.append(f"{model}.{name} is gone")
            elif _bare(field) != _bare(fields[name]):
                found.append(f"{model}.{name} was {_bare(field)} and is {_bare(fields[name])}")
        before, demanded = set(was.get("required", ())), set(now.get("required", ()))
        found += [f"{model}.{name} must be given now" for name in sorted(demanded - before)]
        found += [f"{model}.{name} may be missing now" for name in sorted(before - demanded)]
    return found


def _bare(schema: Any) -> Any:
    """A field's schema without its prose."""
    if isinstance(schema, list):
        return [_bare(item) for item in schema]
    if isinstance(schema, dict):
        return {key: _bare(value) for key, value in schema.items() if key not in _PROSE}
    return schema
