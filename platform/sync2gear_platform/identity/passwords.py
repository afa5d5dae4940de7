"""Passwords: argon2id, off the event loop, and as slow for an unknown e-mail as for a known one."""

import asyncio

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

MIN_LENGTH = 10
MAX_LENGTH = 200


class Passwords:
    """Hashes and checks. ``memory_kib`` is argon2id's memory cost."""

    def __init__(self, memory_kib: int = 65536) -> None:
        self._hasher = PasswordHash((Argon2Hasher(memory_cost=memory_kib),))
        self._decoy = self._hasher.hash("a password that nobody has")

    async def hash(self, password: str) -> str:
        """The argon2id hash of ``password`` in PHC form."""
        return await asyncio.to_thread(self._hasher.hash, password)

    async def check(self, password: str, hashed: str | None) -> bool:
        """Whether ``password`` is the one; without a hash it takes as long and is not."""
        right = await asyncio.to_thread(self._hasher.verify, password, hashed or self._decoy)
        return right and hashed is not None
