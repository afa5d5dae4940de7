"""Accounts on the broker: who enters and what each may do, from the database as it changes."""

import asyncio
import os
import secrets
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from sync2gear_broker import access, topics
from sync2gear_platform.fleet.tables import MqttAccount
from sync2gear_platform.identity.tables import Client
from sync2gear_platform.kit import log
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.db import Database
from sync2gear_platform.sites.tables import Device

logger = log.get(__name__)

EVERY_SECONDS: Final = 2.0
"""The broker stands still while it reads its accounts again (60 µs for every connected device)."""

CHECK_SECONDS: Final = 60.0
"""How often the file is compared without being told, which heals a lost signal."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where the broker reads its accounts, in one folder; ``pid`` is its process, if it is near."""

    passwords: Path
    pid: Path | None = None

    @property
    def access(self) -> Path:
        """The access file, beside the passwords."""
        return self.passwords.with_name("acl")


@dataclass(frozen=True, slots=True)
class Known:
    """Whom the broker lets in: ``(client, id, hash)``. ``until`` is when the first one expires."""

    devices: Sequence[tuple[UUID, UUID, str]] = ()
    integrations: Sequence[tuple[UUID, UUID, str]] = ()
    until: datetime | None = None

    def passwords(self) -> str:
        """The text of the password file."""
        names = [(topics.username(str(c), str(d)), h) for c, d, h in self.devices]
        names += [(topics.integration_username(str(a)), h) for _, a, h in self.integrations]
        return "".join(f"{name}:{hashed}\n" for name, hashed in names)

    def access(self, platform_user: str) -> str:
        """The text of the access file."""
        accounts = [(str(c), str(a)) for c, a, _ in self.integrations]
        return access.acl_file([platform_user], accounts)


async def known(db: AsyncSession, now: datetime) -> Known:
    """Everybody who has an account now.

    Also those of a suspended or cancelled client, whose music goes on; only what is deleted goes.
    """
    stands = col(Client.deleted_at).is_(None)
    devices = (
        select(Device.client_id, Device.id, Device.secret_hash)
        .join(Client, col(Client.id) == col(Device.client_id))
        .where(col(Device.revoked_at).is_(None), stands)
        .order_by(col(Device.id))
    )
    expiry = col(MqttAccount.expires_at)
    integrations = (
        select(MqttAccount.client_id, MqttAccount.id, MqttAccount.secret_hash, expiry)
        .join(Client, col(Client.id) == col(MqttAccount.client_id))
        .where(or_(expiry.is_(None), expiry > now), stands)
        .order_by(col(MqttAccount.id))
    )
    found = list((await db.exec(integrations)).all())
    return Known(
        devices=list((await db.exec(devices)).all()),
        integrations=[(client, account, hashed) for client, account, hashed, _ in found],
        until=min((at for *_, at in found if at is not None), default=None),
    )


class Accounts:
    """Keeps ``files`` equal to the database and tells the broker.

    The first change is written at once, others at most every two seconds.
    """

    def __init__(self, db: Database, clock: Clock, files: Files, platform_user: str) -> None:
        self._db = db
        self._clock = clock
        self._files = files
        self._platform_user = platform_user
        self._woken = asyncio.Event()
        self._until: datetime | None = None

    def wake(self) -> None:
        """An account was made, changed or revoked."""
        self._woken.set()

    async def run(self) -> None:
        """Write whenever a file differs, for ever."""
        while True:
            self._woken.clear()
            if await self.write():
                await asyncio.sleep(EVERY_SECONDS)
            try:
                async with asyncio.timeout(self._patience()):
                    await self._woken.wait()
            except TimeoutError:
                continue

    def _patience(self) -> float:
        """Seconds until the files are compared without being told."""
        if self._until is None:
            return CHECK_SECONDS
        left = (self._until - self._clock.now()).total_seconds()
        return min(CHECK_SECONDS, max(0.0, left) + 0.01)

    async def write(self) -> bool:
        """Write what differs; returns whether anything did. The broker reads both files at once."""
        async with self._db.system() as db:
            found = await known(db, self._clock.now())
        self._until = found.until
        # First what an account may do, then that it exists: never the one without the other.
        rules = found.access(self._platform_user)
        changed = await asyncio.to_thread(_replace, self._files.access, rules)
        changed |= await asyncio.to_thread(_replace, self._files.passwords, found.passwords())
        if not changed:
            return False
        logger.info(
            "accounts.written", devices=len(found.devices), integrations=len(found.integrations)
        )
        self._reload()
        return True

    def _reload(self) -> None:
        """Let the broker read its accounts; one that is not there will when it starts."""
        if self._files.pid is None:
            return
        try:
            pid = int(self._files.pid.read_text())
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
