"""Passwords: argon2id, off the event loop, and as slow for an unknown e-mail as for a known one."""

import asyncio
from collections.abc import Sequence

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from sync2gear_platform.identity import strength
from sync2gear_platform.identity.strength import MAX_LENGTH, MIN_LENGTH, normal

__all__ = ["MAX_LENGTH", "MIN_LENGTH", "Passwords"]


class Passwords:
    """Hashes, checks and judges. ``memory_kib`` is argon2id's memory cost."""

    def __init__(
        self, memory_kib: int = 65536, breached: strength.BreachedList | None = None
    ) -> None:
        self._hasher = PasswordHash((Argon2Hasher(memory_cost=memory_kib),))
        self._decoy = self._hasher.hash("a password that nobody has")
        self._breached = breached

    async def judge(self, password: str, *, inputs: Sequence[str]) -> None:
        """Refuse a weak password; ``inputs`` is what others know of the person and the client."""
        await asyncio.to_thread(strength.judge, password, inputs=inputs, breached=self._breached)

    async def hash(self, password: str) -> str:
        """The argon2id hash of ``password`` in PHC form."""
        return await asyncio.to_thread(self._hasher.hash, normal(password))

    async def check(self, password: str, hashed: str | None) -> bool:
        """Whether ``password`` is the one; without a hash it takes as long and is not."""
        right = await asyncio.to_thread(self._matches, password, hashed or self._decoy)
        return right and hashed is not None

    def _matches(self, password: str, hashed: str) -> bool:
        # Hashes from before passwords were normalised hold what the keyboard sent. Both are always
        # computed, so that the time tells something about the attempt only, never about the hash.
        spellings = {normal(password), password}
        return sum(self._hasher.verify(spelling, hashed) for spelling in spellings) > 0
