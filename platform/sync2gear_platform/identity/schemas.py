"""REST bodies of signing in."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class LoginIn(BaseModel):
    """An e-mail address and a password."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(min_length=3, max_length=320)
    password: SecretStr = Field(min_length=1, max_length=200)


class UserOut(BaseModel):
    """A person."""

    id: UUID
    email: str
    name: str


class ClientOut(BaseModel):
    """The business in whose name somebody acts."""

    id: UUID
    name: str


class MeOut(BaseModel):
    """Who is signed in, where, as what, and what that allows."""

    user: UserOut
    client: ClientOut
    role: str
    permissions: list[str]


class LoginOut(MeOut):
    """A session: the access token is sent back as ``Authorization: Bearer``."""

    access: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the scheme's name
    expires_in: int
