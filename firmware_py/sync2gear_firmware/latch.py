"""The emergency latch: what is signed holds, and the highest generation for ever. Pure."""

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from sync2gear_broker.messages import Emergency, EmergencyOrder, ZoneState

UNVERIFIED: Final = "emergency_unverified"
"""The fault of a speaker that was told of an emergency under no key that it knows."""


def holds(latch: Emergency, zone: str, keys: Sequence[str]) -> bool:
    """Whether ``latch`` is signed for ``zone`` under one of ``keys``, and says what was signed."""
    try:
        signature = base64.b64decode(latch.signature, validate=True)
        order = EmergencyOrder.parse(latch.document.encode())
    except (binascii.Error, ValueError, ValidationError, RecursionError):
        return False
    if order != latch.order(zone):
        return False
    return any(_signed(key, signature, latch.document.encode()) for key in keys)


def ruling(
    told: ZoneState, kept: ZoneState | None, keys: Sequence[str]
) -> tuple[Emergency | None, bool]:
    """The latch in force once ``told`` is heard after ``kept``, and whether its own is believed.

    One of another zone is over: the speaker has moved.
    """
    before = kept.emergency if kept is not None and kept.zone == told.zone else None
    fresh = told.emergency
    if fresh is None or (before is not None and fresh.gen <= before.gen):
        return before, True
    if not holds(fresh, told.zone, keys):
        return before, False
    return fresh, True


def _signed(key: str, signature: bytes, document: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(signature, document)
    except (InvalidSignature, ValueError):
        return False
    return True
