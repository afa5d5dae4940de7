"""Mail as values: which addresses and words may enter a letter, and what a refusal means."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

REQUIRED: Final[dict[str, frozenset[str]]] = {
    "invitation": frozenset({"client", "inviter", "url"}),
    "password_reset": frozenset({"url"}),
    "account_created": frozenset({"url"}),
    "signup_confirm": frozenset({"url"}),
    "signup_known": frozenset({"url"}),
    "password_changed": frozenset(),
    "email_change": frozenset({"url"}),
    "email_changed": frozenset({"email"}),
    "new_sign_in": frozenset({"when", "address", "agent"}),
    "totp_enabled": frozenset(),
    "totp_disabled": frozenset(),
    "account_deletion_requested": frozenset({"when", "url"}),
    "client_deletion_requested": frozenset({"client", "when", "url"}),
    "export_ready": frozenset({"url"}),
}
"""Every template and the values that it cannot do without; others that are given are left out.

``signup_confirm`` greets nobody: anybody may have typed in that name and somebody else's address.
"""

OPTIONAL: Final = frozenset({"name", "expires"})
"""What any template says when it is given: whom it greets, and until when a link holds."""

LOCALES: Final = ("en", "de")

MAX_ADDRESS: Final = 254
"""RFC 5321 4.5.3.1.3, less the angle brackets."""

MAX_VALUE: Final = 1000
"""Characters of one value; more is no name and no link."""

MAX_ATTEMPTS: Final = 9
"""With pauses of 4, 16, 64 ... 65,536 seconds: a mail server may be away for a day."""

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


class BadAddressError(ValueError):
    """Nobody can be written to there."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody is told: one line of subject, the same words as plain text and as HTML."""

    subject: str
    text: str
    html: str


def envelope(address: str) -> str:
    """``address`` as SMTP takes it, its domain in ASCII; :class:`BadAddressError` otherwise.

    Quoted local parts are refused: they are where line breaks and second recipients hide.
    """
    local, at, domain = address.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise BadAddressError("the domain is no name") from error
    labels = ascii_domain.split(".")
    sound = (
        at
        and _LOCAL.fullmatch(local)
        and not local.startswith("-")
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
    )
    if not sound or len(local) + 1 + len(ascii_domain) > MAX_ADDRESS:
        raise BadAddressError("this is no address that mail can be sent to")
    return f"{local}@{ascii_domain}"


def one_line(value: Any) -> str:
    """``value`` as text that stays within its line and cannot turn the ones beside it around."""
    return _CONTROL.sub(" ", str(value)).strip()[:MAX_VALUE]


def spoken_language(locale: str) -> str:
    """The language that letters are written in for ``locale`` (``de-AT``): English for others."""
    language = re.split("[-_]", locale.lower())[0]
    return language if language in LOCALES else LOCALES[0]


def written_moment(moment: str, locale: str) -> str:
    """An ISO 8601 instant as people write it; anything else as it came."""
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    zone = at.tzname() or "UTC"
    return f"{at:%d.%m.%Y, %H:%M} {zone}" if locale == "de" else f"{at:%Y-%m-%d %H:%M} {zone}"


def verdict(stage: Literal["recipient", "data", "other"], code: int) -> Literal["dead", "again"]:
    """What a server's refusal means for the letter.

    A 5xx for this recipient or these contents will not change. Any other refusal (of the sign-in,
    the sender, the connection) is about the installation and holds for all mail until it is mended.
    """
    return "dead" if stage != "other" and 500 <= code < 600 else "again"
