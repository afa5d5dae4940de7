"""The demonstration: one client with two zones, three speakers and music that plays."""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform import tables
from sync2gear_platform.fleet import service as fleet
from sync2gear_platform.fleet import trust
from sync2gear_platform.identity import service as identity
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.tables import Membership, User
from sync2gear_platform.kit import log
from sync2gear_platform.kit.blobs import open_blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.vault import Vault
from sync2gear_platform.library import importing
from sync2gear_platform.library.demo import ALBUM, make_album
from sync2gear_platform.library.tables import Folder, Import, Track
from sync2gear_platform.playback import queries
from sync2gear_platform.playback import service as playback
from sync2gear_platform.settings import Settings
from sync2gear_platform.sites import service as sites
from sync2gear_platform.sites.tables import Device, Floor, Location, Zone

__all__ = ["seed", "tables"]

logger = log.get(__name__)

EMAIL: Final = "demo@sync2gear.local"
OPERATOR: Final = "operator@sync2gear.local"
CLIENT: Final = "Demo"
ZONES: Final = ("Shop floor", "Café")
SPEAKERS: Final = (
    ("shop-left", ZONES[0]),
    ("shop-right", ZONES[0]),
    ("cafe", ZONES[1]),
)


async def seed(settings: Settings, music: Path | None) -> dict[str, Any]:
    """Make whatever is missing of the demonstration, and let its zones play.

    ``music`` is a folder of audio files; without one a small album is synthesised. Returns
    ``{url, email, password, operator: {email, password}, client, folder, zones: [{id, name}],
    speakers: [{id, name, zone, credential_file}]}``; the operator's password is null but for the
    first time. Safe to repeat: what is there stays, and a zone that plays is left alone.
    """
    db = Database(
        settings.database_url.get_secret_value(),
        pool_size=2,
        vault=Vault(settings.vault_key_list),
    )
    try:
        return await Seed(settings, db).run(music)
    finally:
        await db.close()


class Seed:
    """One run."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings = settings
        self._db = db
        self._clock = Clock()
        self._memory = settings.data_dir / "seed.json"

    @asynccontextmanager
    async def _touch(self, client_id: UUID | None = None) -> AsyncIterator[Ctx]:
        actor = Actor(kind="system", id=None, client_id=client_id, label="seed")
        door = self._db.tenant(client_id) if client_id else self._db.system()
        async with door as session:
            yield Ctx(db=session, actor=actor, now=self._clock.now(), trace="seed")

    async def run(self, music: Path | None) -> dict[str, Any]:
        """See :func:`seed`."""
        client_id, password = await self._client()
        operator = await self._operator()
        async with self._touch(client_id) as ctx:
            zones = await _zones(ctx)
        speakers = [await self._speaker(client_id, name, zones[zone]) for name, zone in SPEAKERS]
        folder = await self._music(client_id, music)
        async with self._touch(client_id) as ctx:
            await _play(ctx, list(zones.values()), folder, insist=music is not None)
        return {
            "url": self._settings.public_url,
            "email": EMAIL,
            "password": password,
            "operator": operator,
            "client": str(client_id),
            "folder": str(folder),
            "zones": [{"id": str(zone.id), "name": zone.name} for zone in zones.values()],
            "speakers": speakers,
        }

    async def _client(self) -> tuple[UUID, str]:
        """The demo client and the manager's password, which only our own file remembers."""
        known = await asyncio.to_thread(_read, self._memory)
        password = str(known.get("password") or secrets.token_urlsafe(12))
        passwords = Passwords(self._settings.argon2_memory_kib)
        async with self._touch() as ctx:
            user = (await ctx.db.exec(select(User).where(col(User.email) == EMAIL))).one_or_none()
            if user is None:
                client = await identity.create_client(
                    ctx, name=CLIENT, max_devices=100, max_storage_gb=100
                )
                client_id = client.id
                await identity.create_user(
                    ctx,
                    passwords,
                    client_id=client_id,
                    email=EMAIL,
                    name="Demo manager",
                    password=password,
                    role="client",
                )
            else:
                seat = select(Membership.client_id).where(col(Membership.user_id) == user.id)
                client_id = (await ctx.db.exec(seat)).one()
                if not await passwords.check(password, user.password_hash):
                    user.password_hash = await passwords.hash(password)
        await asyncio.to_thread(_write, self._memory, {"email": EMAIL, "password": password})
        return client_id, password

    async def _operator(self) -> dict[str, str | None]:
        """An administrator of the installation; its password is told once, and kept nowhere."""
        passwords = Passwords(self._settings.argon2_memory_kib)
        async with self._touch() as ctx:
            known = select(User.id).where(col(User.email) == OPERATOR)
            if (await ctx.db.exec(known)).first() is not None:
                return {"email": OPERATOR, "password": None}
            password = secrets.token_urlsafe(12)
            await identity.create_staff(
                ctx, passwords, email=OPERATOR, name="Operator", password=password, role="admin"
            )
        return {"email": OPERATOR, "password": password}

    async def _speaker(self, client_id: UUID, name: str, zone: Zone) -> dict[str, str]:
        """One registered speaker and the file with its credential."""
        path = self._settings.data_dir / "speakers" / f"{name}.json"
        known = await asyncio.to_thread(_read, path)
        async with self._touch(client_id) as ctx:
            statement = select(Device).where(
                col(Device.client_id) == client_id,
                col(Device.hardware_id) == f"demo-{name}",
                col(Device.revoked_at).is_(None),
            )
            row = (await ctx.db.exec(statement)).one_or_none()
            secret = known.get("secret")
            if row is not None and known.get("device") != str(row.id):
                await fleet.revoke(ctx, row.id)
                row = None
            if row is None or not secret:
                made = await fleet.register(
                    ctx, name=name, hardware_id=f"demo-{name}", zone_id=zone.id, model="software"
                )
                row, secret = made.device, made.secret
        credential = {
            "client": str(client_id),
            "device": str(row.id),
            "secret": secret,
            "mqtt_url": self._settings.mqtt_device_url,
            "http_url": self._settings.public_url,
            "ca": await trust.bundle(self._settings.tls_ca),
        }
        await asyncio.to_thread(_write, path, credential)
        return {
            "id": str(row.id), "name": name, "zone": zone.name, "credential_file": str(path),
        }  # fmt: skip

    async def _music(self, client_id: UUID, music: Path | None) -> UUID:
        """The folder of the library that holds the music."""
        path, name = music, music.name[:255] if music and music.name else ALBUM
        if path is None:
            path = self._settings.data_dir / "demo-music"
            await asyncio.to_thread(make_album, path)
        blobs = open_blobs(self._settings.blobs_url)

        def progress(row: Import) -> None:
            logger.info("seed.import", found=row.found, imported=row.imported)

        done = await importing.import_folder(
            self._db, blobs, client_id, path, name, progress=progress
        )
        logger.info("seed.imported", imported=done.imported, rejected=done.rejected)
        if done.folder_id is None:
            raise RuntimeError("the import made no folder")
        return done.folder_id


async def _zones(ctx: Ctx) -> dict[str, Zone]:
    """The demo zones by name, with the place that they are at."""
    location = await _named(ctx, Location, "Main street", {"timezone": "UTC"})
    floor = await _named(ctx, Floor, "Ground floor", {"location_id": location.id})
    return {
        name: await _named(ctx, Zone, name, {"location_id": location.id, "floor_id": floor.id})
        for name in ZONES
    }


async def _named(ctx: Ctx, table: Any, name: str, values: dict[str, Any]) -> Any:
    statement = select(table).where(col(table.client_id) == ctx.client_id, col(table.name) == name)
    row = (await ctx.db.exec(statement.order_by(col(table.id)).limit(1))).one_or_none()
    return row or await sites.create(ctx, table, {"name": name, **values})


async def _play(ctx: Ctx, zones: list[Zone], folder_id: UUID, *, insist: bool) -> None:
    """Start the folder in each zone that is idle, or plays another one although told which."""
    mine = select(func.count()).where(
        col(Track.client_id) == ctx.client_id, col(Track.folder_id) == folder_id
    )
    if (await ctx.db.exec(mine)).one() == 0:
        name = (await ctx.db.exec(select(Folder.name).where(col(Folder.id) == folder_id))).one()
        logger.warning("seed.no_music", folder=name)
        return
    for view in await queries.views(ctx, [zone.id for zone in zones], ctx.frame):
        if view.status == "idle" or (insist and view.folder_id != folder_id):
            await playback.play(
                ctx,
                zone_ids=[view.zone_id],
                folder_id=folder_id,
                shuffle=view.name != ZONES[0],
            )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, document: dict[str, Any]) -> None:
    """Write ``document`` for its owner's eyes only, as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        os.fchmod(stream.fileno(), 0o600)
        json.dump(document, stream)
    draft.replace(path)
