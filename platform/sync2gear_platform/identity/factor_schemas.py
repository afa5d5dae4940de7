"""REST bodies of the second factor and of the sign-in provider."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, model_validator

from sync2gear_platform.identity.schemas import Otp, Password
from sync2gear_platform.kit.fields import Email, In


class TotpOut(BaseModel):
    """How the second factor stands. ``required``: the client asks its members for one."""

    enabled: bool
    since: datetime | None
    recovery_codes_left: int
    required: bool


class PasswordIn(In):
    """One's password once more."""

    password: Password


class ProofIn(In):
    """One's password once more, or a code of the second factor."""

    password: Password | None = None
    otp: Otp | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.password is None) == (self.otp is None):
            raise ValueError("send either password or otp")
        return self


class EmailIn(ProofIn):
    """Another e-mail address."""

    email: Email


class OtpIn(In):
    """A code."""

    otp: Otp


class TotpOfferOut(BaseModel):
    """What an authenticator app takes in: by hand (``secret``), as a link, or as a QR code (SVG).

    It counts once ``totp/confirm/`` got a code that the app shows.
    """

    secret: str
    uri: str
    svg: str


class RecoveryCodesOut(BaseModel):
    """Codes that stand in for the app, each once. They are in this answer and nowhere else."""

    recovery_codes: list[str]


class OidcOut(BaseModel):
    """Whether this installation lets people sign in with a provider, and the provider's host."""

    enabled: bool
    provider: str
