"""Pure rules of the audit trail: what an entry means, how it is hashed, whether a link holds.

This is the second, independent reading of what the database's trigger seals: verification hashes
with these functions and never asks the trigger's.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args
from uuid import UUID

Activity = Literal["crud", "service", "sync", "config", "discovery", "alert"]
Operation = Literal[
    "create", "read", "update", "delete", "start", "stop", "success", "failure", "warning"
]
ACTIVITIES: Final = get_args(Activity)
OPERATIONS: Final = get_args(Operation)

INSTALLATION: Final = UUID(int=0)
"""The chain of what belongs to no client."""

GENESIS: Final = "0" * 64
"""The hash before the first entry of a chain."""

ERASE: Final = "audit.erase"
"""The action of an entry that says whose details were erased before it."""
REMOVE: Final = "audit.remove"
"""The action of an entry in the installation's chain that says which client's chain is gone."""

_VERBS: Final[Mapping[Operation, str]] = {
    "create": "create register invite upload add signup issue",
    "read": "read export list view download",
    "delete": "delete remove revoke erase forget clear",
    "start": "start begin play resume login open enable",
    "stop": "stop end pause cancel logout close disable",
    "success": "finish succeed complete accept confirm verify restore",
    "failure": "fail refuse reject deny",
    "warning": "warn reuse expire",
}
_NOUNS: Final[Mapping[Activity, str]] = {
    "service": "service playback worker job broker leader",
    "sync": "import sync programme",
    "config": "config settings vault certificate ca key",
    "discovery": "discovery",
    "alert": "alert incident",
}
_OPERATIONS: Final = {
    verb: operation for operation, verbs in _VERBS.items() for verb in verbs.split()
}
_ACTIVITIES: Final = {
    noun: activity for activity, nouns in _NOUNS.items() for noun in nouns.split()
}
_SERVICE_VERBS: Final = frozenset({"play", "pause", "resume", "stop"})


def classify(action: str) -> tuple[Activity, Operation]:
    """Document 002's activity and operation of an action ``noun.verb``."""
    noun, _, verb = action.partition(".")
    operation = _OPERATIONS.get(verb, "update")
    if noun not in _ACTIVITIES and verb in _SERVICE_VERBS:
        return "service", operation
    return _ACTIVITIES.get(noun, "crud"), operation


@dataclass(frozen=True, slots=True)
class Facts:
    """What an entry says for ever: who, what, when; never a name or an address."""

    id: UUID
    client_id: UUID | None
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    session_id: UUID | None
    action: str
    activity: str
    operation: str
    subject_type: str
    subject_id: UUID | None
    trace: str
    digest: str

    @property
    def chain(self) -> UUID:
        """The chain that this entry belongs to."""
        return self.client_id or INSTALLATION


def canonical(facts: Facts) -> str:
    """The text that is hashed: a JSON array, the same whatever the session's settings are."""
    at = facts.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return json.dumps(
        [
            str(facts.id),
            _text(facts.client_id),
            at,
            facts.actor_kind,
            _text(facts.actor_id),
            _text(facts.session_id),
            facts.action,
            facts.activity,
            facts.operation,
            facts.subject_type,
            _text(facts.subject_id),
            facts.trace,
            facts.digest,
        ],
        ensure_ascii=False,
    )


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def link(previous: str, text: str) -> str:
    """The hash of an entry with canonical ``text`` after the one whose hash is ``previous``."""
    return _sha256(previous + text)


def digest(salt: str, body: str) -> str:
    """What an entry keeps of its details. The salt keeps erased details from being guessed."""
    return _sha256(salt + body)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Details:
    """What may be erased: the exact text that was hashed, and its salt."""

    client_id: UUID | None
    salt: str
    body: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """One link of a chain as the database has it; parts that are missing are ``None``."""

    seq: int
    entry_id: UUID
    hash: str
    facts: Facts | None
    details: Details | None


@dataclass(frozen=True, slots=True)
class Place:
    """How far a chain has been followed: up to and with entry number ``seq``."""

    seq: int = 0
    hash: str = GENESIS


Kind = Literal[
    "gap",
    "entry_missing",
    "entry_foreign",
    "entry_altered",
    "details_missing",
    "details_altered",
    "details_foreign",
    "head",
    "unsealed",
    "rewritten",
    "truncated",
    "chain_missing",
    "anchors_altered",
    "anchors_rewound",
]

MEANING: Final[Mapping[Kind, str]] = {
    "gap": "a link of the chain is missing",
    "entry_missing": "the entry of this link was deleted",
    "entry_foreign": "the entry of this link belongs to another chain",
    "entry_altered": "the entry, its place or its hash was changed",
    "details_missing": "the details of this entry were deleted, and no erasure says so",
    "details_altered": "the details of this entry were changed",
    "details_foreign": "these details belong to no entry of this chain",
    "head": "the head of the chain is not its last link: the end was cut off or moved",
    "unsealed": "this entry is in no chain, or in a foreign one",
    "rewritten": "the chain was rewritten at or before this link: an anchor remembers another hash",
    "truncated": "an anchor remembers this link, and it is gone",
    "chain_missing": "anchors remember this chain, it is gone, and no removal says so",
    "anchors_altered": "this line of the anchors' file does not follow from the one before",
    "anchors_rewound": "the chain was once longer than when this anchor was written",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong with a chain; ``line`` is one of the anchors' file."""

    kind: Kind
    chain: UUID
    seq: int | None = None
    entry_id: UUID | None = None
    line: int | None = None

    @property
    def detail(self) -> str:
        """The fault in words."""
        return MEANING[self.kind]


def judge(chain: UUID, place: Place, found: Sealed) -> Fault | None:
    """What is wrong with ``found`` as the link after ``place``; missing details are not judged."""

    def fault(kind: Kind) -> Fault:
        return Fault(kind, chain, found.seq, found.entry_id)

    if found.seq != place.seq + 1:
        return Fault("gap", chain, place.seq + 1)
    if found.facts is None:
        return fault("entry_missing")
    if found.facts.chain != chain:
        return fault("entry_foreign")
    if found.hash != link(place.hash, canonical(found.facts)):
        return fault("entry_altered")
    if found.details is not None:
        if found.details.client_id != found.facts.client_id:
            return fault("details_foreign")
        if digest(found.details.salt, found.details.body) != found.facts.digest:
            return fault("details_altered")
    return None


def covered_by(facts: Facts) -> Sequence[UUID]:
    """The subjects whose erasure, later in the chain, explains that an entry has no details."""
    return [one for one in (facts.id, facts.actor_id, facts.subject_id) if one is not None]


def body_of(*, label: str, address: str, agent: str, before: Any, after: Any) -> str:
    """The details as the one text that is kept, hashed and never read back into another form."""
    values = {"label": label, "address": address, "agent": agent, "before": before, "after": after}
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    # a lone surrogate is no UTF-8 and could not be stored
    return text.encode("utf-8", "replace").decode()
