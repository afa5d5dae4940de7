"""The permission matrix: role x permission x where it may be confined. Data, and what follows.

Routes, WebSocket subscriptions, the broker's accounts and the dashboard's buttons all ask this
one table. A role that a later module needs is one more line of :data:`ROLES`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal
from uuid import UUID

from sync2gear_platform.kit.context import SELF, Places

PLACED: Final = frozenset(
    {"locations", "facilities", "floors", "zones", "devices", "playback", "emergencies"}
)
"""Nouns that are somewhere: an assignment to a place confines a permission on them to it."""

SHARED: Final = frozenset({"music", "announcements", "channels", "schedules"})
"""Nouns that the whole client shares: whoever has a place in it may read them."""

READ: Final = frozenset({f"{noun}.read" for noun in PLACED | SHARED})
WRITE: Final = frozenset({f"{noun}.write" for noun in (PLACED | SHARED) - {"playback"}})
CONTROL: Final = frozenset({"playback.control", "announce.now"})
ALARM: Final = frozenset({"emergencies.raise"})
"""Raising an emergency, and the all-clear."""

INTEGRATIONS: Final = frozenset({"integrations.read", "integrations.write"})
MANAGE: Final = INTEGRATIONS | frozenset(
    {
        "users.read", "users.write", "tokens.read", "tokens.write", "client.read", "client.write",
        "providers.read", "providers.write", "audit.read", "privacy.export", "privacy.erase",
    }
)  # fmt: skip
"""What concerns the client as a whole: never confined to a place."""

INSTALLATION: Final = frozenset({"admin.read", "admin.write"})
"""What spans clients: only sync2gear's own staff hold it, and never while they view a client."""

FLOOR: Final = CONTROL | {
    "zones.read", "playback.read", "announcements.read", "channels.read", "schedules.read",
}  # fmt: skip

STAFF: Final = frozenset({"audit.read", "client.read", "integrations.read", "admin.read"})

Scope = Literal["installation", "client", "location", "facility", "floor", "zone"]


@dataclass(frozen=True, slots=True)
class Role:
    """What a role may do. ``held_by`` says who has it: staff of the installation, a member of a
    client, or a machine.
    """

    title: str
    permissions: frozenset[str]
    held_by: Literal["staff", "member", "machine"] = "member"


ROLES: Final[Mapping[str, Role]] = {
    # sync2gear's own people, over all clients (founding document 001)
    "admin": Role("Administrator", READ | WRITE | CONTROL | ALARM | MANAGE | INSTALLATION, "staff"),
    "staff": Role("Support", READ | STAFF, "staff"),
    # members of a client
    "client": Role("Manager", READ | WRITE | CONTROL | ALARM | MANAGE),
    "tenant_admin": Role("Client administrator", READ | WRITE | CONTROL | ALARM | MANAGE),
    "facility_manager": Role(
        "Facility manager",
        READ | CONTROL | ALARM | {f"{noun}.write" for noun in PLACED - {"playback"}},
    ),
    "technician": Role("Technician", READ | CONTROL | ALARM | {"devices.write"}),
    "dispatcher": Role("Dispatcher", READ),
    "client_user": Role("Staff member", READ | CONTROL | ALARM),
    "floor": Role("Floor staff", FLOOR),
    "viewer": Role("Viewer", READ),
    "auditor": Role("Auditor", READ | {"audit.read", "client.read", "users.read"}),
    # missing persons: their permissions come with that module
    "mp_reporter": Role("Missing persons: reporter", frozenset()),
    "mp_operator": Role("Missing persons: operator", frozenset()),
    "mp_verifier": Role("Missing persons: verifier", frozenset()),
    "mp_coordinator": Role("Missing persons: coordinator", frozenset()),
    # machines; ``mqtt.*`` are the broker's to check (`access.py` of the wire)
    "device": Role("Device", frozenset({"device.fetch", "mqtt.hear", "mqtt.say"}), "machine"),
    "integration": Role("Integration account", frozenset({"mqtt.read"}), "machine"),
}

MEMBER_ROLES: Final = frozenset(name for name, role in ROLES.items() if role.held_by == "member")
STAFF_ROLES: Final = frozenset(name for name, role in ROLES.items() if role.held_by == "staff")
MANAGERS: Final = frozenset(n for n in MEMBER_ROLES if "users.write" in ROLES[n].permissions)
"""Roles of which a client always keeps one holder."""

KNOWN: Final = frozenset().union(*(r.permissions for r in ROLES.values())) | {SELF, "public"}
"""Every policy that a route may declare."""

MACHINES: Final = frozenset().union(
    *(r.permissions for r in ROLES.values() if r.held_by == "machine")
)
GRANTABLE: Final = KNOWN - INSTALLATION - MACHINES - {SELF, "public", "privacy.erase"}
"""What an API token may be given."""


def permissions(role: str) -> frozenset[str]:
    """What ``role`` may do; an unknown role may do nothing."""
    found = ROLES.get(role)
    if found is None:
        return frozenset()
    return found.permissions if found.held_by == "machine" else found.permissions | {SELF}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in the whole client, or in one place of it (``place``)."""

    role: str
    place: UUID | None = None


def allowed(grants: Iterable[Grant]) -> tuple[frozenset[str], dict[str, Places]]:
    """What these grants allow together, and where what is confined holds.

    The union over all grants: a permission that one of them gives in the whole client is not
    confined. A place gives nothing that concerns the client as a whole.
    """
    everywhere: set[str] = {SELF}
    somewhere: dict[str, set[UUID]] = {}
    for grant in grants:
        for permission in permissions(grant.role):
            if grant.place is None or permission == SELF:
                everywhere.add(permission)
            elif is_placed(permission):
                somewhere.setdefault(permission, set()).add(grant.place)
            elif is_shared(permission):
                everywhere.add(permission)
    confined = {p: frozenset(ids) for p, ids in somewhere.items() if p not in everywhere}
    return frozenset(everywhere | somewhere.keys()), confined


def is_placed(permission: str) -> bool:
    """Whether ``permission`` is over something that stands somewhere."""
    return permission.partition(".")[0] in PLACED | {"announce"}


def is_shared(permission: str) -> bool:
    """Whether whoever has a place in a client has ``permission`` in the whole of it."""
    return permission.partition(".")[0] in SHARED and permission.endswith(".read")


Standing = Literal["active", "suspended", "cancelled"]


def is_confinable(permission: str) -> bool:
    """Whether ``permission`` can hold in one place: it is not over the client as a whole."""
    return is_placed(permission) or is_shared(permission)


def standing(status: str, start: date | None, end: date | None, today: date) -> Standing:
    """How a client stands today: as it was set, and suspended outside its subscription's dates."""
    if status == "cancelled":
        return "cancelled"
    outside = (start is not None and today < start) or (end is not None and today > end)
    return "suspended" if status == "suspended" or outside else "active"


def remaining(permissions: frozenset[str], standing: Standing) -> frozenset[str]:
    """What is left of ``permissions`` while a client is suspended or cancelled.

    Music goes on and everything can be looked at and taken along; nothing can be changed. People in
    a building are warned whatever was paid.
    """
    if standing == "active":
        return permissions
    kept = {SELF, "device.fetch", "privacy.export", "privacy.erase"} | ALARM
    return frozenset(p for p in permissions if p.endswith(".read") or p in kept)


WINDOW: Final = timedelta(minutes=15)
PER_PAIR, PER_ADDRESS, PER_ACCOUNT = 10, 100, 50
"""Failed sign-ins in :data:`WINDOW`: of one account from one address, of all accounts from one
address (a shop behind one), of one account from all addresses that are strange to it."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed sign-ins in the last :data:`WINDOW`. ``elsewhere`` counts this account's failures
    from other addresses; ``familiar``: its owner signed in from this address lately.
    """

    pair: int
    address: int
    elsewhere: int
    familiar: bool


def may_try(failures: Failures) -> bool:
    """Whether one more sign-in may be tried.

    An attacker elsewhere cannot lock the owner out: from an address that is familiar only the
    failures from that very address count.
    """
    if failures.pair >= PER_PAIR or failures.address >= PER_ADDRESS:
        return False
    return failures.familiar or failures.pair + failures.elsewhere < PER_ACCOUNT
