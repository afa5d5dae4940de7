"""REST bodies of the installation's own people."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, JsonValue, StringConstraints, model_validator

from sync2gear_platform.identity.schemas import PlaceIn
from sync2gear_platform.kit.fields import Email, In, Locale, Name, Out, Phone

MAX_FEATURES_BYTES: Final = 8192
MAX_FEATURES_DEPTH: Final = 5

Tier = Literal["basic", "professional", "enterprise"]
Status = Literal["active", "suspended", "cancelled"]
StaffRole = Literal["staff", "admin"]


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value
    nested = isinstance(value, (dict, list))
    return 1 + max((_depth(one) for one in inner), default=0) if nested else 0


def _bounded(features: dict[str, Any]) -> dict[str, Any]:
    if _depth(features) > MAX_FEATURES_DEPTH:
        raise ValueError(f"at most {MAX_FEATURES_DEPTH} levels deep")
    if len(json.dumps(features)) > MAX_FEATURES_BYTES:
        raise ValueError(f"at most {MAX_FEATURES_BYTES} bytes of JSON")
    return features


Features = Annotated[dict[str, JsonValue], AfterValidator(_bounded)]


class ClientValues(In):
    """What a client is; a PATCH changes what it names."""

    name: Name = ""
    email: Email | Literal[""] = ""
    phone: Phone = ""
    subscription_tier: Tier = "basic"
    subscription_status: Status = "active"
    subscription_start: date | None = None
    subscription_end: date | None = None
    max_devices: Annotated[int, Field(ge=0, le=1_000_000)] = 5
    max_storage_gb: Annotated[int, Field(ge=0, le=1_000_000)] = 10
    premium_features: Features = {}

    @property
    def values_given(self) -> dict[str, Any]:
        """The columns that this body really names."""
        own = set(ClientValues.model_fields)
        given = self.model_dump(exclude_unset=True, include=own)
        if "subscription_status" in given:
            given["status"] = given.pop("subscription_status")
        return given


class ClientIn(ClientValues):
    """A new client; ``manager_email`` is invited as its first manager, in ``locale``."""

    name: Name
    manager_email: Email | None = None
    locale: Locale = "en"


class ClientOut(Out):
    """A client and what it uses now. ``standing`` is its status, dates considered."""

    name: str
    email: str
    phone: str
    subscription_tier: Tier
    subscription_status: Status = Field(validation_alias="status")
    subscription_start: date | None
    subscription_end: date | None
    max_devices: int
    max_storage_gb: int
    premium_features: dict[str, Any]
    deleted_at: datetime | None
    standing: Status = "active"
    members: int = 0
    devices: int = 0
    devices_online: int = 0
    storage_bytes: int = 0


class UserIn(PlaceIn):
    """A new person: of the installation (``staff_role``), or of a client (``client_id``, ``role``
    and at most one place of it).
    """

    email: Email
    name: Name
    locale: Locale = "en"
    staff_role: StaffRole | None = None
    client_id: UUID | None = None
    role: Annotated[str, StringConstraints(max_length=32)] = ""

    @model_validator(mode="after")
    def _either(self) -> Self:
        member = self.client_id is not None
        if member == (self.staff_role is not None) or member != bool(self.role):
            raise ValueError("give a staff_role, or a client_id with a role")
        if not member and any(self.place.values()):
            raise ValueError("a place belongs to a client")
        return self


class UserPatch(In):
    """What may change of a person."""

    name: Name = ""
    phone: Phone = ""
    is_active: bool = True
    staff_role: StaffRole | None = None


class SeatOut(BaseModel):
    """What a person is in one client."""

    client_id: UUID
    client: str
    is_active: bool
    roles: list[str]


class UserOut(Out):
    """A person, where it belongs, and when it last did something."""

    email: str
    name: str
    phone: str
    locale: str
    is_active: bool
    staff_role: StaffRole | None
    deleted_at: datetime | None
    clients: list[SeatOut] = []
    last_used_at: datetime | None = None


class DeviceOut(Out):
    """A device of any client, as it was last heard of."""

    client_id: UUID
    client: str
    name: str
    device_type: str
    model: str
    zone_id: UUID | None
    zone: str | None
    is_online: bool
    last_seen: datetime | None
    firmware_version: str


class ClientsCount(BaseModel):
    """Clients by how they stand; deleted ones are in ``deleted`` only."""

    active: int = 0
    suspended: int = 0
    cancelled: int = 0
    deleted: int = 0


class UsersCount(BaseModel):
    """People that are not deleted."""

    total: int
    active: int
    staff: int


class DevicesCount(BaseModel):
    """Registered devices of clients that are not deleted."""

    total: int
    online: int


class StorageOf(BaseModel):
    """What one client keeps."""

    client_id: UUID
    client: str
    bytes: int


class Storage(BaseModel):
    """What all clients store (audio, covers, uploads on their way), and who stores the most."""

    bytes: int
    top: list[StorageOf]


class Heard(BaseModel):
    """What began to sound on speakers, and what could not."""

    music: int = 0
    announcements: int = 0
    missed: int = 0


class ApiUse(BaseModel):
    """Requests of one client (or of all: ``client_id`` is null); ``errors`` answered 4xx or 5xx."""

    client_id: UUID | None = None
    client: str = ""
    requests: int = 0
    errors: int = 0
    bytes_sent: int = 0


class Use(BaseModel):
    """API usage of the last seven days, today included; ``top`` are the busiest clients."""

    total: ApiUse
    top: list[ApiUse]


class StatsOut(BaseModel):
    """The installation at a glance."""

    at: datetime
    clients: ClientsCount
    users: UsersCount
    devices: DevicesCount
    storage: Storage
    plays_24h: Heard
    plays_7d: Heard
    api_7d: Use


ReportRow = Mapping[str, Any]
