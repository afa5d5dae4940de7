"""Device accounts and presence as pure decisions: secrets, their hashes, who is online."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sync2gear_broker.messages import DeviceState, DeviceStatus, Heartbeat

HASH_ROUNDS: Final = 101
"""mosquitto_passwd's own number. The secrets are 256 random bits: nobody guesses them, so a slow
hash would only slow the broker's reload, which hashes once for every connected device."""

HEARTBEAT: Final = timedelta(seconds=30)
OFFLINE_AFTER: Final = 2.5 * HEARTBEAT
"""A device that missed two heartbeats (each up to 20 % late) and half a third is away."""

TRUST_AFTER: Final = timedelta(seconds=72)
"""Two heartbeats at their latest. A broker that stops publishes everybody's last will at once, so
for so long after a new connection nobody counts as lost."""


def hash_secret(secret: str, salt: bytes) -> str:
    """``$7$rounds$salt$digest`` of Mosquitto's password file: PBKDF2 with SHA-512."""
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, HASH_ROUNDS)
    parts = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"$7${HASH_ROUNDS}${'$'.join(parts)}"


def verify_secret(secret: str, hashed: str) -> bool:
    """Whether ``hashed`` was made of ``secret``."""
    parts = hashed.split("$")
    if len(parts) != 5 or parts[:2] != ["", "7"] or not parts[2].isdigit():
        return False
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in parts[3:])
    except binascii.Error:
        return False
    rounds = max(1, min(int(parts[2]), 1_000_000))
    made = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, rounds, max(1, len(digest)))
    return hmac.compare_digest(made, digest)


@dataclass(frozen=True, slots=True)
class Heard:
    """All that was heard of one device since the last write; the latest of each kind.

    ``statuses`` are ``(status, retained)`` in order.
    """

    statuses: tuple[tuple[DeviceStatus, bool], ...] = ()
    heartbeat: Heartbeat | None = None
    state: DeviceState | None = None
    live: bool = False


@dataclass(frozen=True, slots=True)
class Presence:
    """What is known of a device: the columns of its row."""

    online: bool = False
    boot: UUID | None = None
    sess: UUID | None = None
    last_seen_at: datetime | None = None
    firmware_version: str = ""
    heartbeat: dict[str, Any] | None = None
    state: dict[str, Any] | None = None


def presence(before: Presence, heard: Heard, now: datetime) -> Presence:
    """``before`` after what was ``heard``.

    A will of another session than the current one is old news. A retained "online" of a session
    that was found silent proves nothing; a live word of any kind does.
    """
    after = before
    for status, retained in heard.statuses:
        boot, sess = UUID(status.boot), UUID(status.sess)
        if status.state == "online":
            silent = retained and sess == after.sess and not after.online
            after = replace(after, online=after.online or not silent, boot=boot, sess=sess)
        elif after.sess in {None, sess}:
            after = replace(after, online=False, boot=boot, sess=sess)
    if heard.heartbeat is not None:
        document = storable(heard.heartbeat.model_dump(mode="json"))
        after = replace(
            after, online=True, heartbeat=document, firmware_version=document["version"]
        )
    if heard.state is not None:
        after = replace(after, state=storable(heard.state.model_dump(mode="json")))
    return replace(after, last_seen_at=now) if heard.live else after


def storable(value: Any) -> Any:
    """A JSON value without U+0000, which no text in PostgreSQL can hold."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(name): storable(item) for name, item in value.items()}
    return value
