"""The second factor as values: codes of an authenticator app (RFC 6238) and recovery codes."""

import hmac
from base64 import b32encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import Final

import pyotp
import segno

STEP_SECONDS: Final = 30
DIGITS: Final = 6
WINDOW: Final = 1
"""Steps before and after now that count too: clocks of telephones are off, and people slow."""

SECRET_BYTES: Final = 20
"""RFC 4226 recommends 160 bits."""

RECOVERY_CODES: Final = 10
RECOVERY_BYTES: Final = 16
"""Of randomness in a recovery code: so many that a plain hash keeps it (ASVS 5.0, 6.5.2)."""

ISSUER: Final = "sync2gear"

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_ALIKE: Final = str.maketrans("oil", "011", " -\t\n\r")
_GROUP: Final = 5
_LETTERS: Final = 25


def secret_of(random: bytes) -> str:
    """``SECRET_BYTES`` random bytes as apps take them: base 32, without padding."""
    return b32encode(random).decode().rstrip("=")


def step_at(now: datetime) -> int:
    """The number of the 30-second step at ``now``."""
    return int(now.timestamp()) // STEP_SECONDS


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The step whose code this is, the newest one if several; ``None`` for a wrong code.

    Whoever accepts it remembers the step and takes only later ones, so that a code works once.
    """
    digits = "".join(code.split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    generator = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    steps = range(step_at(now) - WINDOW, step_at(now) + WINDOW + 1)
    right = [s for s in steps if hmac.compare_digest(generator.generate_otp(s), digits)]
    return max(right, default=None)


def uri(secret: str, label: str) -> str:
    """The ``otpauth://`` address that an app takes in; ``label`` names the account there."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).provisioning_uri(
        name=label, issuer_name=ISSUER
    )


def picture(address: str) -> str:
    """``address`` as a QR code: an SVG element without scripts, styles or references."""
    drawn = BytesIO()
    segno.make(address, error="m", micro=False).save(
        drawn, kind="svg", scale=4, border=4, xmldecl=False, light="#fff", dark="#000", nl=False,
        svgclass=None, lineclass=None,
    )  # fmt: skip
    return drawn.getvalue().decode()


def recovery_code(random: bytes) -> str:
    """``RECOVERY_BYTES`` random bytes as five groups of five letters, without those that mix up."""
    number = int.from_bytes(random)
    letters = "".join(_ALPHABET[number >> 5 * i & 31] for i in range(_LETTERS))
    return "-".join(letters[i : i + _GROUP] for i in range(0, _LETTERS, _GROUP))


def recovery_codes(random: Sequence[bytes]) -> list[str]:
    """A recovery code for each of ``random``."""
    return [recovery_code(each) for each in random]


def is_recovery_code(text: str) -> bool:
    """Whether ``text`` has the form of a recovery code, however it was typed."""
    plain = _plain(text)
    return len(plain) == _LETTERS and set(plain) <= set(_ALPHABET)


def recovery_hash(text: str) -> str:
    """What is stored of a recovery code: SHA-256, the same for every way of typing it."""
    return sha256(_plain(text).encode()).hexdigest()


def _plain(text: str) -> str:
    return text.lower().translate(_ALIKE)
