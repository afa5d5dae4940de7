"""REST bodies of signing in and of people."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from sync2gear_platform.identity.members import MAX_ASSIGNMENTS
from sync2gear_platform.kit.fields import Email, In, Locale, Name, Out, Phone, TimeZone


def _text(given: SecretStr) -> SecretStr:
    """JSON can name halves of characters, which no hash and no database takes."""
    try:
        given.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("not a text of whole characters") from None
    return given


Password = Annotated[SecretStr, Field(min_length=1, max_length=200), AfterValidator(_text)]
Link = Annotated[str, StringConstraints(min_length=20, max_length=200, pattern=r"^[\w-]*$")]
"""The secret of a mailed link."""

Otp = Annotated[str, StringConstraints(strip_whitespace=True, min_length=6, max_length=64)]
"""Six digits of an app, or a recovery code."""


class LoginIn(In):
    """An e-mail address and a password, and a code from whoever has a second factor.

    ``session``: ``token`` answers with tokens, ``cookie`` keeps the session in the browser.
    """

    email: Annotated[str, StringConstraints(min_length=3, max_length=320)]
    password: Password
    otp: Otp | None = None
    session: Literal["token", "cookie"] = "token"
    remember: bool = False
    client_id: UUID | None = None


class SignupIn(In):
    """A new client and its first manager."""

    email: Email
    password: Password
    name: Name
    company: Name
    locale: Locale = "en"
    timezone: TimeZone = "UTC"


class LinkIn(In):
    """The secret of a mailed link."""

    token: Link


class ConfirmSignupIn(LinkIn):
    """The secret of a sign-up's link, the password it was asked with, and which session it begins.

    Whoever reads the letter but did not write the password did not ask: their address was used.
    """

    password: Password
    session: Literal["token", "cookie"] = "token"


class ResetRequestIn(In):
    """Whose password is forgotten."""

    email: Annotated[str, StringConstraints(min_length=3, max_length=320)]


class ResetIn(LinkIn):
    """A new password, by a mailed link."""

    new_password: Password


class ChangePasswordIn(In):
    """A new password, by the one that was."""

    current_password: Password
    new_password: Password


class RefreshIn(In):
    """The newest refresh token."""

    refresh: Annotated[str, StringConstraints(max_length=300)]


class SwitchIn(In):
    """The client to act in; ``null`` for sync2gear's own people: in none."""

    client_id: UUID | None


class AcceptIn(LinkIn):
    """Accepting an invitation; whoever is new here names itself and chooses a password."""

    name: Name | None = None
    password: Password | None = None


class OfferOut(BaseModel):
    """What an invitation offers; ``known``: its address has an account already."""

    client: str
    email: str
    role: str
    title: str
    known: bool


class DoneOut(BaseModel):
    """What happens next, in words."""

    detail: str


class PlaceIn(In):
    """At most one place of the client; none: all of it."""

    location_id: UUID | None = None
    facility_id: UUID | None = None
    floor_id: UUID | None = None
    zone_id: UUID | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(one is not None for one in self.place.values()) > 1:
            raise ValueError("name at most one place")
        return self

    @property
    def place(self) -> dict[str, UUID | None]:
        """The place by its column."""
        return {
            "location_id": self.location_id,
            "facility_id": self.facility_id,
            "floor_id": self.floor_id,
            "zone_id": self.zone_id,
        }


class RoleIn(PlaceIn):
    """A role, in the whole client or in one place of it."""

    role: Annotated[str, StringConstraints(max_length=32)]


class InvitationIn(RoleIn):
    """Whom to invite, as what."""

    email: Email
    locale: Locale = "en"


class InvitationOut(Out):
    """An open invitation."""

    email: str
    role: str
    location_id: UUID | None
    facility_id: UUID | None
    floor_id: UUID | None
    zone_id: UUID | None
    expires_at: datetime


class AssignmentOut(BaseModel):
    """A role of somebody, and where it holds."""

    model_config = ConfigDict(from_attributes=True)

    role: str
    location_id: UUID | None
    facility_id: UUID | None
    floor_id: UUID | None
    zone_id: UUID | None


class MemberOut(BaseModel):
    """A person as a member of this client; ``id`` is the person's."""

    id: UUID
    email: str
    name: str
    phone: str
    is_active: bool
    roles: list[AssignmentOut]
    created_at: datetime
    updated_at: datetime


class MemberPatch(In):
    """What may change of a member."""

    is_active: bool = True
    roles: Annotated[list[RoleIn], Field(max_length=MAX_ASSIGNMENTS)] = []


class UserPatch(In):
    """What a person may change of itself."""

    name: Name = ""
    phone: Phone = ""
    timezone: TimeZone = "UTC"
    locale: Locale = "en"


class UserOut(BaseModel):
    """A person."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    phone: str
    timezone: str
    locale: str
    staff_role: str | None


class ClientOut(BaseModel):
    """The business in whose name somebody acts."""

    id: UUID
    name: str
    standing: Literal["active", "suspended", "cancelled"] = "active"


class MeOut(BaseModel):
    """Who is signed in, where, as what, and what that allows.

    ``confined`` names, for a permission that does not hold in the whole client, the places where
    it does. ``second_factor_missing``: the client asks for one, and nothing else is allowed until
    it is set up. ``viewing``: one of sync2gear's own people looks at a client. ``clients`` are
    those that ``/auth/switch/`` leads to.
    """

    user: UserOut
    client: ClientOut | None
    role: str
    permissions: list[str]
    confined: dict[str, list[UUID]] = {}
    viewing: bool = False
    second_factor_missing: bool = False
    clients: list[ClientOut] = []


class LoginOut(MeOut):
    """A session.

    With tokens: ``access`` is sent back as ``Authorization: Bearer``, ``refresh`` gets the next
    pair. In a browser: the cookie is kept, and changes carry ``csrf_token`` as ``X-CSRFToken``.
    """

    access: str | None = None
    refresh: str | None = None
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the scheme's name
    expires_in: int | None = None
    csrf_token: str | None = None


class CsrfOut(BaseModel):
    """What a browser's page sends back as ``X-CSRFToken``; ``null`` when nobody is signed in."""

    csrf_token: str | None


class SessionOut(BaseModel):
    """A sign-in of one's own; ``current``: the one that asks."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: Literal["browser", "token"]
    viewing: bool
    client_id: UUID | None
    address: str
    agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool = False


class SessionsOut(BaseModel):
    """The sign-ins of a person that stand."""

    results: list[SessionOut]


MAX_YEAR: Final = 9000
"""What lies in the last hours of the year 9999 is later still by UTC: it cannot be read back."""


class TokenIn(PlaceIn):
    """A new API token: what it may do, where, and until when."""

    name: Name
    permissions: Annotated[
        list[Annotated[str, StringConstraints(max_length=64)]], Field(min_length=1, max_length=100)
    ]
    expires_at: datetime | None = None

    @model_validator(mode="after")
    def _aware(self) -> Self:
        if self.expires_at is not None and self.expires_at.tzinfo is None:
            raise ValueError("expires_at needs an offset, such as 2027-01-01T00:00:00Z")
        if self.expires_at is not None and self.expires_at.year > MAX_YEAR:
            raise ValueError("expires_at is too far away; leave it out for a token without an end")
        return self


class TokenOut(Out):
    """An API token, without its secret."""

    name: str
    permissions: list[str]
    location_id: UUID | None
    facility_id: UUID | None
    floor_id: UUID | None
    zone_id: UUID | None
    expires_at: datetime | None
    last_used_at: datetime | None


class TokenMade(TokenOut):
    """A new API token; ``token`` is in this answer and nowhere else."""

    token: str


class RoleOut(BaseModel):
    """A role that a member may have."""

    role: str
    title: str
    permissions: list[str]


class RolesOut(BaseModel):
    """The roles that a member may have."""

    results: list[RoleOut]


class ClientProfileOut(Out):
    """The client as its managers see it."""

    name: str
    email: str
    phone: str
    subscription_tier: str
    subscription_status: str = Field(validation_alias="status")
    subscription_start: date | None
    subscription_end: date | None
    max_devices: int
    max_storage_gb: int
    premium_features: dict[str, Any]
    require_second_factor: bool


class ClientPatch(In):
    """What a manager may change of its client."""

    name: Name = ""
    email: Email | Literal[""] = ""
    phone: Phone = ""
    require_second_factor: bool = False
