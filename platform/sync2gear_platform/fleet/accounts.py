"""Device accounts on the broker: the password file, made from the database whenever it differs."""

import asyncio
import os
import secrets
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlmodel import col, select

from sync2gear_broker import topics
from sync2gear_platform.identity.tables import Client
from sync2gear_platform.kit import log
from sync2gear_platform.kit.db import Database
from sync2gear_platform.sites.tables import Device

logger = log.get(__name__)

EVERY_SECONDS: Final = 2.0
"""The broker stands still while it reads its accounts again (60 µs for every connected device)."""

CHECK_SECONDS: Final = 60.0
"""How often the file is compared without being told, which heals a lost signal."""


def render(accounts: Sequence[tuple[UUID, UUID, str]]) -> str:
    """The password file of ``(client, device, hash)``."""
    return "".join(f"{topics.username(str(c), str(d))}:{h}\n" for c, d, h in accounts)


class Accounts:
    """Keeps ``file`` equal to the database and tells the broker, whose pid is in ``pid_file``.

    The first change is written at once, others at most every two seconds.
    """

    def __init__(self, db: Database, file: Path, pid_file: Path | None) -> None:
        self._db = db
        self._file = file
        self._pid_file = pid_file
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """An account was made, changed or revoked."""
        self._woken.set()

    async def run(self) -> None:
        """Write whenever the file differs, for ever."""
        while True:
            self._woken.clear()
            if await self.write():
                await asyncio.sleep(EVERY_SECONDS)
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def write(self) -> bool:
        """Write the file if it differs; returns whether it did."""
        async with self._db.system() as db:
            statement = (
                select(Device.client_id, Device.id, Device.secret_hash)
                .join(Client, col(Client.id) == col(Device.client_id))
                .where(col(Device.revoked_at).is_(None), col(Client.status) == "active")
                .order_by(col(Device.id))
            )
            accounts = list((await db.exec(statement)).all())
        text = render(accounts)
        if not await asyncio.to_thread(_replace, self._file, text):
            return False
        logger.info("accounts.written", devices=len(accounts))
        self._reload()
        return True

    def _reload(self) -> None:
        """Let the broker read its accounts; one that is not there will when it starts."""
        if self._pid_file is None:
            return
        try:
            pid = int(self._pid_file.read_text())
            if Path(f"/proc/{pid}/comm").read_text().strip() != "mosquitto":
                raise ProcessLookupError(f"process {pid} is not the broker")
            os.kill(pid, signal.SIGHUP)
        except (OSError, ValueError) as error:
            logger.warning("accounts.broker_not_told", error=str(error)[:300])


def _replace(file: Path, text: str) -> bool:
    """Put ``text`` in ``file`` as a whole, readable by the folder's group; False if it is there."""
    try:
        if file.read_text() == text:
            return False
    except FileNotFoundError:
        logger.info("accounts.new_file", file=str(file))
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    try:
        with os.fdopen(descriptor, "w") as stream:
            os.fchmod(stream.fileno(), 0o640)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return True
