"""REST bodies of voices: previews, usage, and what a client prefers."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sync2gear_platform.announcements.schemas import Language, ProsodyIn, Voice
from sync2gear_platform.kit.fields import In


class PreviewIn(In):
    """A voice, and what it says; by default a sentence in its language."""

    voice: Annotated[Voice, Field(min_length=1)]
    provider_id: UUID | None = None
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    prosody: ProsodyIn | None = None


class UsageLineOut(BaseModel):
    """One provider in one month. ``cost`` in millionths of the installation's currency.

    ``lost`` calls got no useful answer and count, since they may have been billed; ``failed`` ones
    cost nothing.
    """

    model_config = ConfigDict(from_attributes=True)

    month: date
    provider_id: UUID | None
    provider: str
    kind: str
    calls: int
    failed: int
    lost: int
    characters: int
    cost: int


class UsageOut(BaseModel):
    """What was paid, and how often something kept was used instead."""

    results: list[UsageLineOut]
    from_cache: int


class DefaultsPatch(In):
    """What may change of a client's preferences."""

    provider_id: UUID | None = None
    voice: Voice = ""
    language: Language = "en"
    rate: Annotated[int, Field(strict=True, ge=50, le=200)] = 100
    pitch: Annotated[int, Field(strict=True, ge=-12, le=12)] = 0
    volume: Annotated[int, Field(strict=True, ge=-12, le=6)] = 0
    fall_back: Annotated[bool, Field(strict=True)] = True


class DefaultsOut(BaseModel):
    """How texts are spoken where nobody says otherwise.

    ``fall_back``: whether another provider speaks when the first one cannot.
    """

    model_config = ConfigDict(from_attributes=True)

    provider_id: UUID | None
    voice: str
    language: str
    rate: int
    pitch: int
    volume: int
    fall_back: bool
