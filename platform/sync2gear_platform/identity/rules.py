"""The permission matrix: role -> what it may do. Data, from which every check is derived."""

from typing import Final

from sync2gear_platform.kit.context import SELF

NOUNS: Final = ("locations", "facilities", "floors", "zones", "devices", "music", "announcements")

READ: Final = frozenset({f"{noun}.read" for noun in NOUNS} | {"playback.read"})
WRITE: Final = frozenset({f"{noun}.write" for noun in NOUNS})
CONTROL: Final = frozenset({"playback.control", "announce.now"})

MATRIX: Final[dict[str, frozenset[str]]] = {
    "viewer": READ,
    "floor": frozenset({"zones.read", "playback.read", "announcements.read"}) | CONTROL,
    "technician": READ | CONTROL | {"devices.write"},
    "client": READ | WRITE | CONTROL | {"audit.read"},
    "staff": READ | {"audit.read"},
    "admin": READ | WRITE | CONTROL | {"audit.read"},
    "device": frozenset({"device.fetch"}),
}
"""Every role but ``device`` may belong to a person."""

ROLES: Final = frozenset(MATRIX) - {"device"}

KNOWN: Final = frozenset().union(*MATRIX.values()) | {SELF, "public"}
"""Every policy that a route may declare."""


def permissions(role: str) -> frozenset[str]:
    """What ``role`` may do; an unknown role may do nothing."""
    granted = MATRIX.get(role, frozenset())
    return granted | {SELF} if role in ROLES else granted
