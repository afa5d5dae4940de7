"""The vault: secrets that must be read again (not passwords) lie in the database sealed.

Fernet (AES-128-CBC with HMAC-SHA256) under one of several keys: the first seals, all of them open.
A sealed text is ``s1.KEY.TOKEN``, where ``KEY`` labels the key, so that what still lies under an
old one can be counted in SQL (``kit/rotation.py``).
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from sync2gear_platform.kit.errors import Refusal

SCHEME: Final = "s1"


class Locked(Refusal):
    """A stored secret cannot be opened: its key is missing in S2G_VAULT_KEYS."""

    kind = "unavailable"
    code = "vault_locked"


class Vault:
    """Seals and opens. ``keys`` are Fernet keys; raises ``ValueError`` for anything else."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("a vault needs a key")
        self._fernets = MultiFernet([Fernet(key) for key in keys])
        self.prefix = f"{SCHEME}.{label(keys[0])}."
        """What everything begins with that the first key has sealed."""

    def seal(self, text: str) -> str:
        """``text`` under the first key; different every time."""
        return self.prefix + self._fernets.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """What was sealed, under whichever key; :class:`Locked` when none opens it."""
        scheme, _, rest = sealed.partition(".")
        token = rest.partition(".")[2]
        if scheme != SCHEME:
            raise Locked
        try:
            return self._fernets.decrypt(token).decode()
        except InvalidToken as error:
            raise Locked from error

    def reseal(self, sealed: str) -> str:
        """The same secret under the first key."""
        return self.seal(self.open(sealed))


def label(key: str) -> str:
    """What names ``key`` without telling anything of it."""
    return sha256(b"sync2gear vault key " + key.encode()).hexdigest()[:8]
