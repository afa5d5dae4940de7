"""How a speaker is, as lines for a person."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from sync2gear_cli import output


class Channels(StrEnum):
    """What of the two channels of a source a speaker sounds."""

    STEREO = "stereo"
    MONO = "mono"
    LEFT = "left"
    RIGHT = "right"


_FIGURES: Final[tuple[tuple[str, str, Callable[[Any], str]], ...]] = (
    ("sync_error", "off its place", "{:.2f} ms".format),
    ("clock_error", "clock may err by", "{:.2f} ms".format),
    ("wall_error", "own clock ahead by", "{:.0f} ms".format),
    ("ntp", "NTP", lambda on: "keeps its own clock" if on else "does not keep its own clock"),
    ("underruns", "breaks of sound", str),
    ("temperature", "temperature", "{:.0f} °C".format),
    ("load", "load", "{:.2f}".format),
    ("disk_free", "free on its disk", lambda n: f"{n / 1e6:.0f} MB"),
    ("cache_bytes", "music on its disk", lambda n: f"{n / 1e6:.0f} MB"),
    ("dead_letters", "unreadable plays", str),
)


def lines(one: Mapping[str, Any], zones: Mapping[str, str]) -> list[tuple[object, ...]]:
    """Every figure that ``one`` measures, what it is set to, and last what is wrong."""
    zone, seen = one["zone_id"], one["last_seen"]
    rate = one["fetch_rate"]
    found: list[tuple[object, ...]] = [
        ("name", one["name"]),
        ("zone", zones.get(zone, zone) if zone else "-"),
        ("status", "online" if one["is_online"] else "offline"),
        ("last seen", output.local_time(seen, day=True) if seen else "never"),
        ("version", one["firmware_version"] or "-"),
        ("volume", f"{one['volume']} %"),
        ("trim", f"{one['trim_millis']} ms"),
        ("channels", one["channels"]),
        ("downloads", f"{rate} bytes/s" if rate else "any rate"),
        ("download hours", one["fetch_window"] or "all day"),
        ("clock", one["clock"]),
        ("held of the next day", f"{one['cache_24h']} %, of three days {one['cache_72h']} %"),
    ]
    health = one["health"]
    if health is not None:
        level = health["level"]
        found.append(("peak", "silence" if level is None else f"{level:.1f} dBFS"))
        for key, name, shape in _FIGURES:
            if health.get(key) is not None:
                found.append((name, shape(health[key])))
    return found + [(f"! {fault['code']}", fault["detail"]) for fault in one["faults"]]
