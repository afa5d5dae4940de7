"""What REST bodies of every domain are made of: names, texts, addresses, and their base classes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

import email_validator
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

ZONES = frozenset(available_timezones())

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]*$"
    ),
]
Text = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
Phone = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=50, pattern=r"^(\+?[0-9 ()/.-]*)$")
]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$", max_length=16)]


def _known(name: str) -> str:
    if name not in ZONES:
        raise ValueError("not a time zone of the IANA database, such as Europe/Berlin")
    return name


TimeZone = Annotated[str, AfterValidator(_known)]


# Names for tests and for local networks (.local) are real in some shops: mail is what decides.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def _address(given: str) -> str:
    """As RFC 5321 has it; whether anybody is there, the first mail tells."""
    try:
        found = email_validator.validate_email(given, check_deliverability=False)
    except email_validator.EmailNotValidError as error:
        raise ValueError(str(error)) from error
    return found.normalized


Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_address)]


def folded(email: str) -> str:
    """``email`` as PostgreSQL's ``lower()`` has it: letter by letter, whatever follows."""
    return "".join(letter.lower() for letter in email.strip())


class In(BaseModel):
    """A body that somebody sends: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """A row as it is shown."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    created_at: datetime
    updated_at: datetime
