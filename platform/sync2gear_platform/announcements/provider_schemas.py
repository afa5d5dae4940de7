"""REST bodies of providers; what may stand in the settings of each kind."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from sync2gear_platform.announcements.ports import Kind
from sync2gear_platform.kit.fields import In, Name

Amount = Annotated[int, Field(strict=True, ge=0, le=10**15)]


def _endpoint(given: str) -> str:
    parts = urlsplit(given)
    if given and (parts.scheme not in {"http", "https"} or parts.path or not parts.netloc):
        raise ValueError("an address without a path, such as https://texttospeech.googleapis.com")
    return given


class Espeak(In):
    """espeak-ng has no settings."""


class Google(In):
    """``endpoint``: another address than Google's; only the installation's own people set it."""

    transport: Literal["rest", "grpc"] = "rest"
    endpoint: Annotated[
        str, StringConstraints(max_length=200, pattern=r"^[\x21-\x7e]*$"), AfterValidator(_endpoint)
    ] = ""


class Piper(In):
    """Piper has no settings: its voices lie in ``S2G_PIPER_VOICES``."""


SETTINGS: Final[dict[str, type[In]]] = {"espeak": Espeak, "google": Google, "piper": Piper}


class ProviderPatch(In):
    """What may change. ``api_key`` is written and never read again; empty forgets it.

    ``unit_price`` and ``monthly_cost`` in millionths of a currency unit (a price of 16 is 16 for a
    million characters); null limits nothing. Limits hold for each client by itself.
    """

    name: Name = ""
    priority: Annotated[int, Field(strict=True, ge=0, le=1000)] = 100
    is_active: Annotated[bool, Field(strict=True)] = True
    is_default: Annotated[bool, Field(strict=True)] = False
    settings: dict[str, Any] = {}
    api_key: Annotated[SecretStr, Field(max_length=500)] = SecretStr("")
    monthly_characters: Amount | None = None
    monthly_cost: Amount | None = None
    unit_price: Annotated[int, Field(strict=True, ge=0, le=10**6)] = 0

    def values_given(self) -> dict[str, Any]:
        """What was really named; the key as text."""
        named = {name: getattr(self, name) for name in self.model_fields_set}
        if "api_key" in named:
            named["api_key"] = self.api_key.get_secret_value().strip()
        return named


class ProviderIn(ProviderPatch):
    """A new provider."""

    kind: Kind
    name: Name


class ProviderOut(BaseModel):
    """A provider of voices. ``api_key_end``: the last four characters of its key, if it has one.

    ``is_offered``: the installation's, which every client may use.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: Kind
    name: str
    is_offered: bool
    priority: int
    is_active: bool
    is_default: bool
    settings: dict[str, Any]
    api_key_end: str
    monthly_characters: int | None
    monthly_cost: int | None
    unit_price: int
    created_at: datetime
    updated_at: datetime


class TrialOut(BaseModel):
    """Whether a provider answers: how many voices it has, or the code of what is wrong."""

    ok: bool
    voices: int
    code: str
    detail: str
