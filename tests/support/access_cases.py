"""What can be asked of the API, read off its live description: operations, and where ids travel.

An id that this module does not know, or a body that it cannot fill, fails the build: whoever adds
an operation says here what its ids are of, and every actor is let loose on it from then on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from fastapi import FastAPI

from support.declared import codes_of
from sync2gear_platform.kit.web import policies

KINDS: Final[Mapping[str, str]] = {
    "account_id": "account",
    "actor_id": "user",
    "announcement": "announcement",
    "announcement_id": "announcement",
    "calendar_id": "calendar",
    "channel": "channel",
    "channel_id": "channel",
    "client_id": "client",
    "day_part_id": "day part",
    "device_id": "device",
    "emergency_id": "emergency",
    "event_id": "event",
    "facility_id": "facility",
    "feed_id": "feed",
    "floor": "floor",
    "floor_id": "floor",
    "floor_ids": "floor",
    "folder_id": "folder",
    "import_id": "import",
    "inner_channel_id": "channel",
    "invitation_id": "invitation",
    "item": "event",
    "item_id": "channel item",
    "item_ids": "channel item",
    "location": "location",
    "location_id": "location",
    "location_ids": "location",
    "mail_id": "mail",
    "message_id": "emergency message",
    "never_calendar_ids": "calendar",
    "only_calendar_ids": "calendar",
    "parent_id": "folder",
    "pattern": "channel item",
    "play_id": "play",
    "priority_level_id": "priority level",
    "provider": "provider",
    "provider_id": "provider",
    "rotation_id": "rotation",
    "schedule_id": "schedule",
    "session_id": "session",
    "sound_id": "announcement",
    "subject_id": "zone",
    "template_id": "template",
    "token_id": "token",
    "schedule": "schedule",
    "track": "track",
    "track_id": "track",
    "track_ids": "track",
    "upload_id": "upload",
    "user_id": "user",
    "variant_id": "variant",
    "word_id": "word",
    "zone": "zone",
    "zone_id": "zone",
    "zone_ids": "zone",
}
"""What an id of this name is of."""

PATHS: Final[Mapping[str, str]] = {
    "/admin/ai-providers/": "offered provider",
    "/ai-providers/": "provider",
    "/avatar/": "picture",
    "/auth/me/export/": "my export",
    "/privacy/exports/": "export",
    "/admin/clients/{client_id}/restore/": "gone client",
    "/admin/clients/": "spare client",
    "/admin/users/{user_id}/restore/": "gone user",
    "/locations/": "location",
    "/facilities/": "facility",
    "/floors/": "floor",
    "/zones/": "zone",
    "/calendars/": "calendar",
    "/day-parts/": "day part",
    "/priority-levels/": "priority level",
    "/media/": "media",
    "/programmes/": "programme",
    "/music/uploads/": "upload",
    "/announcements/uploads/": "spoken upload",
    "/proof/templates/": "report",
}
"""What the id in such a path is of, where its name alone (``row_id``) does not say it."""

SAY_NOTHING: Final = frozenset(
    {"provider_id", "row_id", "sha256", "export_id", "user_id", "client_id", "upload_id"}
)
"""Names of ids in paths that are asked of their path."""

NO_IDS: Final = frozenset({"hardware_id"})
"""Fields that end like an id and are words of the caller's own."""

UNDESCRIBED: Final = frozenset(
    {
        ("HEAD", "/api/v1/media/{sha256}/"),
        ("GET", "/api/v1/media/signed/{token}/"),
        ("HEAD", "/api/v1/media/signed/{token}/"),
        ("GET", "/api/v1/schedules/feed/{token}/"),
        ("OPTIONS", "/api/v1/music/uploads/"),
        ("OPTIONS", "/api/v1/music/uploads/{upload_id}/"),
        ("HEAD", "/api/v1/music/uploads/{upload_id}/"),
        ("OPTIONS", "/api/v1/announcements/uploads/"),
        ("OPTIONS", "/api/v1/announcements/uploads/{upload_id}/"),
        ("HEAD", "/api/v1/announcements/uploads/{upload_id}/"),
        ("GET", "/dev/inbox"),
        ("GET", "/dev/inbox/"),
        ("GET", "/dev/inbox/{mail_id}/"),
        ("GET", "/dev/inbox/{mail_id}/html/"),
    }
)
"""Routes outside the description: twins of GET, what a protocol asks of itself, and pages of
development on this machine."""

OWN_POLICY: Final[Mapping[str, str]] = {
    "POST /announcements/say/": "announce.now",
    "POST /announcements/templates/{template_id}/preview/": "announcements.read",
    "POST /announcements/templates/{template_id}/say/": "announce.now",
    "POST /announcements/{announcement_id}/play-instant/": "announce.now",
    "GET /devices/trust/": "device.fetch",
    "POST /emergencies/": "emergencies.raise",
    "POST /emergencies/{emergency_id}/clear/": "emergencies.raise",
    "GET /media/{sha256}/": "device.fetch",
    "GET /programmes/{sha256}/": "device.fetch",
    "POST /audit/verify/": "audit.read",
    "POST /music/smart/preview/": "music.read",
    "GET /audit/chains/": "admin.read",
    "GET /users/{user_id}/avatar/": "self",
    "POST /client/deletion/": "privacy.erase",
    "GET /client/deletion/": "privacy.erase",
    "DELETE /client/deletion/": "privacy.erase",
    "POST /privacy/exports/": "privacy.export",
    "GET /privacy/exports/": "privacy.export",
    "GET /privacy/exports/{export_id}/": "privacy.export",
    "GET /privacy/exports/{export_id}/file/": "privacy.export",
    "GET /music/uploads/{upload_id}/parts/": "music.write",  # it answers where to write
    "GET /announcements/uploads/{upload_id}/parts/": "announcements.write",
    "GET /csrf/": "public",
    "PATCH /proof/settings/": "client.write",
    "POST /proof/templates/": "client.write",
    "PATCH /proof/templates/{row_id}/": "client.write",
    "DELETE /proof/templates/{row_id}/": "client.write",
    "GET /zones/{zone_id}/forecast/": "playback.read",
    "GET /zones/{zone_id}/why/{item}/": "playback.read",
    "GET /health/": "public",
    "GET /health/ready/": "public",
}
"""Operations whose permission does not follow from their method and path."""

NOUNS: Final[Mapping[str, str]] = {
    "ai-providers": "providers",
    "roles": "users",
    "invitations": "users",
    "plays": "playback",
    "proof": "playback",
    "calendars": "schedules",
    "day-parts": "schedules",
    "priority-levels": "schedules",
}
"""First words of paths that stand under the permissions of another noun."""


def policy_of(method: str, path: str) -> frozenset[str]:
    """What the policy of an operation has to be, said apart from the routes themselves."""
    short = path.removeprefix("/api/v1")
    if own := OWN_POLICY.get(f"{method} {short}"):
        return frozenset({own})
    noun = short.split("/")[1]
    if noun == "auth":
        return frozenset({"self", "public"})
    verb = "read" if method == "GET" else "control" if noun == "playback" else "write"
    return frozenset({f"{NOUNS.get(noun, noun)}.{verb}"})


Where = Literal["path", "query", "body", "header"]
LIST: Final = "[]"


class UnknownError(AssertionError):
    """The description holds something that the matrix does not know."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a request where an id travels; ``steps`` lead to it in a body."""

    where: Where
    name: str
    kind: str
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.where} {'.'.join(self.steps) or self.name}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation with its policy, its ids and the schema of its body."""

    method: str
    path: str
    policy: str
    slots: tuple[Slot, ...]
    query: Mapping[str, Any]
    schema: Mapping[str, Any] | None
    components: Mapping[str, Any]
    states: frozenset[tuple[int, str]] = frozenset()
    """What it declares of its own that depends on the state: it is over, or has not begun."""

    def __str__(self) -> str:
        return f"{self.method} {self.path.removeprefix('/api/v1')}"

    def body(self) -> Any:
        """The least that its body may be; ids stand as ``@kind``, ``{n}`` is new each time."""
        if self.schema is None:
            return None
        least = minimal(self.schema, self.components)
        return {**least, **BODIES.get(str(self), {})} if isinstance(least, dict) else least


TARGET: Final = {"zone_id": "@zone"}
SCHEDULE: Final = {"type": "music", "channel_id": "@channel", "zone_ids": ["@zone"]}
HOURS: Final = {"start_time": "09:00", "end_time": "17:00"}
BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "POST /announcements/voices/preview/": {"voice": "en"},
    "POST /ai-providers/": {"kind": "espeak"},
    "POST /admin/ai-providers/": {"kind": "espeak"},
    "POST /announcements/uploads/{upload_id}/complete/": {"etags": ["{n}"]},
    "POST /music/uploads/{upload_id}/complete/": {"etags": ["{n}"]},
    "POST /auth/login/": {"email": "@manager", "password": "@password"},
    "POST /auth/change-password/": {
        "current_password": "@password", "new_password": "an even better horse battery",
    },
    "POST /admin/users/": {"client_id": "@client", "role": "viewer"},
    "POST /auth/me/deletion/": {"password": "@password"},
    "POST /client/deletion/": {"password": "@password"},
    "POST /auth/me/email/": {"password": "@password"},
    "POST /auth/totp/setup/": {"password": "@password"},
    "POST /auth/totp/disable/": {"password": "@password"},
    "POST /auth/totp/recovery-codes/": {"password": "@password"},
    "POST /auth/signup/": {"password": "an even better horse battery"},
    "POST /devices/register/": {"hardware_id": "hw-{n}"},
    "POST /invitations/": {"role": "viewer"},
    "POST /announcements/say/": {"text": "Word {n}.", "zone_ids": ["@zone"]},
    "POST /announcements/{announcement_id}/play-instant/": {"zone_ids": ["@zone"]},
    "POST /announcements/templates/": {"texts": [{"language": "en", "text": "Word {n}."}]},
    "POST /announcements/templates/{template_id}/say/": {"zone_ids": ["@zone"]},
    "POST /emergencies/": {"zone_ids": ["@zone"]},
    "POST /channels/{channel_id}/items/": {"track_id": "@track"},
    "POST /schedules/": SCHEDULE,
    "POST /day-parts/": HOURS,
    "POST /proof/templates/": {"grain": "work", "columns": [{"key": "title"}]},
    "POST /tokens/": {"permissions": ["zones.read"]},
    "POST /music/imports/": {"folder": "."},
    "POST /music/smart/preview/": {
        "rules": {"all": [{"field": "title", "op": "contains", "value": "a"}]}
    },
    "POST /playback/play/": {**TARGET, "folder_id": "@folder"},
    "POST /playback/channel/": {**TARGET, "channel_id": "@channel"},
    "POST /playback/pause/": TARGET,
    "POST /playback/resume/": TARGET,
    "POST /playback/stop/": TARGET,
    "POST /playback/next/": TARGET,
    "POST /playback/previous/": TARGET,
    "POST /playback/seek/": TARGET,
    "POST /playback/volume/": TARGET,
    "POST /playback/queue/clear/": TARGET,
    "POST /playback/shuffle/": TARGET,
    "POST /playback/schedule/": TARGET,
    "POST /schedules/dry-run/": {"changes": [{"schedule_id": "@schedule"}]},
}  # fmt: skip
"""What the schema alone does not say of a body that is accepted."""

QUERIES: Final[Mapping[str, Mapping[str, str]]] = {
    "GET /music/search/": {"search": "a"},
    "GET /proof/report/": {"report": "usage-by-work"},
}

INSTEAD: Final[Mapping[str, str]] = {
    "zone_ids": "zone_id",
    "track_ids": "folder_id",
    "inner_channel_id": "track_id",
}
"""A field that replaces another one of the least body."""

COMPANIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "roles": {"role": "viewer"},
    "create": {"name": "word {n}", **SCHEDULE},
}
"""What an object within a body, or within a list of it, needs beside its id."""

SIBLINGS: Final[Mapping[str, Mapping[str, Any]]] = {"change": {"schedule_id": "@schedule"}}
"""What a field within a body needs beside itself."""


OF_ANY: Final = frozenset(
    {"client_switched", "conflict", "idempotency_in_progress", "no_client", "not_found",
     "only_people", "reference"}
)  # fmt: skip
"""Codes of 404 and 409 that say nothing of the state of what is asked for."""


def operations(app: FastAPI) -> list[Operation]:
    """Every operation of the live application; :class:`UnknownError` for what is not known."""
    policy = {(m, p): its for m, p, its in policies(app) if m != "WEBSOCKET"}
    description = app.openapi()
    components = description.get("components", {})
    found = [
        _operation(method.upper(), path, one, policy, components)
        for path, methods in sorted(description["paths"].items())
        for method, one in sorted(methods.items())
    ]
    missing = policy.keys() - {(o.method, o.path) for o in found} - UNDESCRIBED
    if missing:
        raise UnknownError(f"routes that the description does not tell of: {sorted(missing)}")
    return found


def _operation(
    method: str,
    path: str,
    one: Mapping[str, Any],
    policies_: Mapping[tuple[str, str], str | None],
    whole: Mapping[str, Any],
) -> Operation:
    policy, components = policies_.get((method, path)), whole.get("schemas", {})
    if policy is None:
        raise UnknownError(f"{method} {path} has no policy")
    if policy not in policy_of(method, path):
        raise UnknownError(f"{method} {path} is under {policy}: if it has to be, say so")
    parameters = one.get("parameters", [])
    slots = [
        Slot(p["in"], p["name"], kind_of(p["name"], path, p["in"]))
        for p in parameters
        if p["in"] in {"path", "query", "header"} and is_id(p["name"], p["schema"], p["in"])
    ]
    content = one.get("requestBody", {}).get("content", {})
    schema = next((c["schema"] for c in content.values()), None)
    if schema is not None:
        slots += [
            Slot("body", _name(steps), kind_of(_name(steps), path), steps)
            for steps in sorted(_ids(schema, components))
        ]
    own = {
        (status, code)
        for status in (404, 409)
        for code in codes_of(one["responses"].get(str(status), {}), whole.get("responses", {}))
        if code not in OF_ANY
    }
    query = QUERIES.get(f"{method} {path.removeprefix('/api/v1')}", {})
    states = frozenset(own)
    return Operation(method, path, policy, tuple(slots), query, schema, components, states)


def kind_of(name: str, path: str, where: str = "body") -> str:
    """What an id of this name is of; raises :class:`UnknownError`."""
    found = next((kind for part, kind in PATHS.items() if part in path), KINDS.get(name))
    if where != "path" or name not in SAY_NOTHING:
        found = KINDS.get(name)
    if found == "folder" and path.startswith("/api/v1/announcements/"):
        return "spoken folder"
    if found is None:
        raise UnknownError(f"what is {name} in {path} an id of? Say so in KINDS")
    return found


def is_id(name: str, schema: Mapping[str, Any], where: str = "body") -> bool:
    """Whether a parameter or field carries an id: by its format, its name or its place."""
    if name in NO_IDS:
        return False
    forms = [schema, *schema.get("anyOf", [])]
    return (
        where == "path"
        or any(form.get("format") == "uuid" for form in forms)
        or name.endswith(("_id", "_ids"))
    )


def _name(steps: tuple[str, ...]) -> str:
    return next(step for step in reversed(steps) if step != LIST)


def _ids(
    schema: Mapping[str, Any],
    components: Mapping[str, Any],
    steps: tuple[str, ...] = (),
    within: tuple[str, ...] = (),
) -> Iterator[tuple[str, ...]]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in within:
            yield from _ids(components[name], components, steps, (*within, name))
        return
    single = not schema.get("anyOf") and schema.get("type") not in {"array", "object"}
    if steps and single and is_id(_name(steps), schema):
        yield steps
        return
    for key in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(key, []):
            if one.get("type") != "null":
                yield from _ids(one, components, steps, within)
    for name, one in schema.get("properties", {}).items():
        yield from _ids(one, components, (*steps, name), within)
    if isinstance(schema.get("items"), dict):
        yield from _ids(schema["items"], components, (*steps, LIST), within)


def minimal(schema: Mapping[str, Any], components: Mapping[str, Any], name: str = "") -> Any:
    """The least value that ``schema`` allows; ids as ``@kind``."""
    if "$ref" in schema:
        return minimal(components[schema["$ref"].rpartition("/")[2]], components, name)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return minimal(schema[key][0], components, name)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if name in KINDS and schema.get("type") == "string":
        return f"@{KINDS[name]}"
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {n: minimal(properties[n], components, n) for n in schema.get("required", ())}
        case "array":
            return [minimal(schema["items"], components, name)] * max(1, schema.get("minItems", 1))
        case "integer" | "number":
            return int(schema.get("minimum", 1))
        case "boolean":
            return True
        case "string":
            return _word(schema, name)
    raise UnknownError(f"a value for {name}: {dict(schema)}")


def _word(schema: Mapping[str, Any], name: str) -> str:
    if name == "email":
        return "m{n}@example.test"
    if schema.get("format") == "date-time":
        return "2030-01-01T00:00:00Z"
    return "word {n}".ljust(schema.get("minLength", 1), "x")


def put(body: Any, steps: tuple[str, ...], value: str) -> Any:
    """``body`` with ``value`` at ``steps``; what the field replaces is left out."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if step == LIST:
        return [put({}, rest, value)]
    kept = {k: v for k, v in (body or {}).items() if k != INSTEAD.get(step)}
    inner = put(kept.get(step), rest, value)
    more = COMPANIONS.get(step, {})
    if rest[:1] == (LIST,) and len(rest) > 1:
        inner = [{**more, **one} for one in inner]
    elif more and isinstance(inner, dict):
        inner = {**more, **inner}
    return {**SIBLINGS.get(step, {}), **kept, step: inner}
