"""What an answer may be: judged by the matrix of roles, and by what nobody may tell apart."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import httpx2

from support.access_cases import Operation
from support.access_world import Asker
from sync2gear_platform.kit.context import SELF

ONLY_PEOPLE: Final = frozenset({"POST /tokens/"})
"""Operations that refuse staff which views a client with 403, whatever it may do there."""

STATEFUL: Final[Mapping[str, frozenset[int]]] = {
    "GET /zones/{zone_id}/why/{item}/": frozenset({404}),
    "POST /music/imports/": frozenset({422}),
    # a new announcement has none of these, and an old one's was removed
    "DELETE /announcements/{announcement_id}/variants/{variant_id}/": frozenset({404}),
    "POST /channels/{channel_id}/items/": frozenset({422}),
    "PATCH /channels/{channel_id}/items/{item_id}/": frozenset({422}),
    "DELETE /channels/{channel_id}/items/{item_id}/": frozenset({404}),  # the one line is gone
    "POST /schedules/": frozenset({422}),
    "POST /schedules/dry-run/": frozenset({422}),
    "PATCH /schedules/{schedule_id}/": frozenset({422}),
    "POST /auth/refresh/": frozenset({401}),
    "POST /auth/password-reset/confirm/": frozenset({422}),
    "POST /auth/invitations/accept/": frozenset({422}),
    "POST /auth/invitations/preview/": frozenset({422}),
    "POST /auth/signup/confirm/": frozenset({422}),
    "POST /auth/me/email/confirm/": frozenset({422}),
    "POST /auth/oidc/otp/": frozenset({401}),
    "POST /auth/totp/confirm/": frozenset({422}),
    "DELETE /auth/me/avatar/": frozenset({404}),
    "GET /health/ready/": frozenset({503}),
    "GET /music/files/{track_id}/audio/": frozenset({404}),
    "GET /music/files/{track_id}/cover/": frozenset({404}),
    "DELETE /music/files/{track_id}/cover/": frozenset({404}),
    "GET /music/folders/{folder_id}/cover/": frozenset({404}),
    "DELETE /music/folders/{folder_id}/cover/": frozenset({404}),
    "GET /music/files/{track_id}/peaks/": frozenset({404}),
}
"""Answers to what is one's own that depend on the state: a link is none, there is no picture.

Beyond these an operation may come to what the description declares of it alone
(:attr:`~support.access_cases.Operation.states`).
"""

IGNORED: Final = frozenset(
    {"GET /audit/ query client_id", "GET /audit/export/ query client_id",
     "POST /audit/verify/ body client_id"}
)  # fmt: skip
"""Ids that mean something only to the installation's own people: from others they are ignored."""

GROWING: Final = frozenset({"GET /audit/export/"})
"""Lists in which asking itself is written down: two answers differ by that."""

REMEMBERS: Final = "audit.read"
"""The policy of the trail, in which what was deleted is still spoken of."""


QUIET_HEADERS: Final = frozenset({"date", "x-request-id"})


@dataclass(frozen=True, slots=True)
class Print:
    """All of an answer by which two of them could be told apart."""

    status: int
    code: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @classmethod
    def of(cls, answer: httpx2.Response, *ids: str) -> "Print":
        """The print of ``answer``, in which the ids that were sent are all alike."""
        text = answer.text
        for one in (answer.headers.get("x-request-id", ""), *ids):
            if one:
                text = text.replace(one, "-" * len(one))
        text = re.sub(r'"(frame|until|generated_at)":\d+', r'"\1":0', text)
        headers = sorted((k, v) for k, v in answer.headers.items() if k not in QUIET_HEADERS)
        return cls(answer.status_code, code_of(answer), tuple(headers), text)


def code_of(answer: httpx2.Response) -> str:
    """The code of a problem; empty for anything else."""
    if "problem+json" not in answer.headers.get("content-type", ""):
        return ""
    return str(answer.json().get("code", ""))


def judge(
    asker: Asker,
    operation: Operation,
    where: str,
    answers: Mapping[str, tuple[httpx2.Response, str]],
) -> list[str]:
    """What is wrong with these answers."""
    prints = {which: Print.of(answer, sent) for which, (answer, sent) in answers.items()}
    said = {which: (one.status, one.code) for which, one in prints.items()}
    faults = [f"{which}: {s}" for which, s in said.items() if s[0] >= 500 and s[0] != 503]
    wanted = refusal(asker, operation)
    if wanted is not None:
        fine = {wanted, EARLIER.get(str(operation), wanted)} if asker.above else {wanted}
        return faults + [f"{w}: {s}, not {wanted}" for w, s in said.items() if s not in fine]
    faults += _told_apart(asker, operation, prints)
    own = said["own"]
    fine = own[0] < 300 or own[0] in STATEFUL.get(str(operation), ())
    fine |= own in operation.states
    if not fine and own != special(asker, operation, where):
        faults.append(f"one's own: {own} {answers['own'][0].text[:200]}")
    taken = "random" in prints and prints["random"].status < 400
    if taken and where not in IGNORED and " query " not in where:
        faults.append(f"a random id is taken: {said['random']}")
    return faults


def _told_apart(asker: Asker, operation: Operation, prints: Mapping[str, Print]) -> list[str]:
    """By what a foreign id, one out of reach or one that is gone differs from a random one."""
    sees_all = asker.above or (str(operation) in SPANNING and not asker.is_member)
    alike = set() if sees_all else {"other"}
    if operation.policy != REMEMBERS:
        alike |= {"elsewhere", "deleted"}
    return [
        f"{which}: {_difference(prints[which], prints['random'], str(operation) in GROWING)}"
        for which in sorted(alike & prints.keys())
        if _difference(prints[which], prints["random"], str(operation) in GROWING)
    ]


def refusal(asker: Asker, operation: Operation) -> tuple[int, str] | None:
    """How somebody is refused who may not; ``None`` for who may."""
    policy = operation.policy
    if policy != "public" and policy not in asker.permissions:
        if asker.name == "anonymous":
            return 401, "session_ended"
        return 403, "client_suspended" if policy in asker.withheld else "forbidden"
    return (409, "no_client") if asker.above and needs_client(operation) else None


def needs_client(operation: Operation) -> bool:
    """Whether sync2gear's own people choose a client first."""
    spans = operation.policy in ABOVE or operation.policy.startswith("admin.")
    return not spans and str(operation) not in OF_NOBODY


OF_NOBODY: Final = frozenset(
    {"GET /roles/", "GET /announcements/voices/", "GET /announcements/uploads/direct/",
     "GET /music/uploads/direct/", "GET /proof/reports/"}
)  # fmt: skip
"""What is the same for every client."""

SPANNING: Final = frozenset({"POST /auth/switch/"})
"""What leads sync2gear's own people into any client, also while they view another."""

EARLIER: Final = {"POST /music/imports/": (409, "import_disabled")}
"""What an installation refuses everybody, before it asks in which client."""

ABOVE: Final = frozenset({SELF, "audit.read", "public"})
"""What sync2gear's own people do outside any client; for the rest they choose one first."""


def special(asker: Asker, operation: Operation, where: str) -> tuple[int, str] | None:
    """The one answer of an operation to somebody who may, but not this."""
    here = asker.confined.get(operation.policy)
    within = here is None or UUID(asker.home.here["location"]) in here
    if not within and re.search(r" (floor|location)(_ids?\.\[\])?$", where):
        return 404, "not_found"  # whose reach is a zone names no more than that
    if str(operation) in ONLY_PEOPLE and not asker.is_member:
        return 403, "only_people"
    if asker.above and where == "GET /announcements/voices/ query provider":
        return 409, "no_client"  # voices of none are the same for all, a provider is a client's
    if asker.above and str(operation) == "GET /users/{user_id}/avatar/":
        return 404, "not_found"  # colleagues are those of a client
    if here is not None and str(operation) == "DELETE /locations/{row_id}/":
        return 404, "not_found"
    if here is not None and str(operation) in BEYOND:
        return 403, "out_of_reach"
    return None


BEYOND: Final = frozenset({"POST /locations/", "POST /devices/register/"})
"""What is made nowhere: beyond the places of whoever is confined."""


def _difference(one: Print, other: Print, growing: bool = False) -> str:
    """The first thing by which two answers can be told apart."""
    for name in ("status", "code") if growing else ("status", "code", "headers", "body"):
        mine, its = getattr(one, name), getattr(other, name)
        if mine != its:
            return f"{name} tells it apart: {str(mine)[:300]} / {str(its)[:300]}"
    return ""
