"""The platform's API in this process, on a real database, spoken to over its own interface."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import psycopg
from fastapi import FastAPI
from pydantic import SecretStr

from support import declared
from support.services import STRATEGY, MosquittoServer, PostgresServer
from sync2gear_platform.app import make_app
from sync2gear_platform.identity import service as identity
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import Database
from sync2gear_platform.settings import Settings

SECRET = "a secret of the tests, long enough to sign with"
PASSWORD = "correct horse battery"
RATES_OFF = {name: "off" for name in Settings.model_fields if name.startswith("rate_")}


@contextmanager
def cloned_database(postgres: PostgresServer) -> Iterator[tuple[str, str]]:
    """``(admin_url, app_url)`` of a fresh copy of the migrated database."""
    name = f"t{secrets.token_hex(8)}"
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE sync2gear OWNER sync2gear_owner STRATEGY {STRATEGY}"
        )
    try:
        yield postgres.for_database(name)
    finally:
        with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def make_settings(
    folder: Path,
    app_url: str,
    admin_url: str,
    mosquitto: MosquittoServer | None = None,
    **more: Any,
) -> Settings:
    """Settings of a test installation that keeps its files in ``folder``.

    Generated matrices ask more often than people do: tests of the rate limits set their own.
    """
    broker: dict[str, Any] = {}
    if mosquitto is not None:
        broker = {
            "mqtt_url": SecretStr(mosquitto.platform_url),
            "mqtt_device_url": mosquitto.device_url,
            "mqtt_password_file": mosquitto.password_file,
            "mqtt_pid_file": mosquitto.pid_file,
        }
    return Settings(
        env="dev",
        data_dir=folder,
        secret_key=SecretStr(SECRET),
        database_url=SecretStr(app_url),
        database_admin_url=SecretStr(admin_url),
        argon2_memory_kib=1024,
        **{"public_url": "http://platform.test", **RATES_OFF, **broker, **more},
    )


@dataclass
class Tenant:
    """A client with a signed-in manager; ``http`` carries the manager's token."""

    id: UUID
    email: str
    http: httpx2.AsyncClient

    async def make(self, path: str, **body: Any) -> dict[str, Any]:
        """POST ``body`` and return what was made; any refusal fails the test."""
        answer = await self.http.post(f"/api/v1{path}", json=body)
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def read(self, path: str, **params: Any) -> dict[str, Any]:
        """GET; any refusal fails the test."""
        answer = await self.http.get(f"/api/v1{path}", params=params)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found


@dataclass
class World:
    """One installation."""

    app: FastAPI
    settings: Settings
    db: Database
    clock: Clock
    passwords: Passwords
    _stack: AsyncExitStack = field(repr=False)

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator["World"]:
        """Start the application and stop it at the end."""
        app = make_app(settings)
        declared.known(app)  # before a test plants more
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(app.router.lifespan_context(app))
            edge = app.state.edge
            yield cls(app, settings, edge.db, edge.clock, app.state.passwords, stack)

    async def http(
        self, token: str | None = None, *, address: str = "127.0.0.1"
    ) -> httpx2.AsyncClient:
        """A client of the API at ``address``, signed in with ``token``."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self._stack.enter_async_context(
            httpx2.AsyncClient(
                transport=httpx2.ASGITransport(
                    app=self.app, raise_app_exceptions=False, client=(address, 40_000)
                ),
                base_url="http://platform.test",
                headers=headers,
                event_hooks={"response": [partial(declared.check, self.app)]},
            )
        )

    @asynccontextmanager
    async def ctx(self, client_id: UUID | None = None) -> AsyncIterator[Ctx]:
        """A touch of the system, as a client or over all of them."""
        actor = Actor(kind="system", id=None, client_id=client_id, label="test")
        door = self.db.tenant(client_id) if client_id else self.db.system()
        async with door as session:
            yield Ctx(db=session, actor=actor, now=self.clock.now(), trace="test")

    async def tenant(self, name: str = "Acme", role: str = "client") -> Tenant:
        """A new client with a location and one user of ``role``, signed in."""
        email = f"{secrets.token_hex(6)}@example.test"
        async with self.ctx() as ctx:
            client = await identity.create_client(ctx, name=name, max_devices=100)
            await identity.create_user(
                ctx,
                self.passwords,
                client_id=client.id,
                email=email,
                name="Manager",
                password=PASSWORD,
                role=role,
            )
        tenant = Tenant(client.id, email, await self.http(await self.token(email)))
        if role == "client":
            await tenant.make("/locations/", name="Main street", timezone="Europe/Berlin")
        return tenant

    async def staff(self, role: str = "admin") -> httpx2.AsyncClient:
        """One of sync2gear's own people, signed in."""
        email = f"{secrets.token_hex(6)}@example.test"
        async with self.ctx() as ctx:
            await identity.create_staff(
                ctx, self.passwords, email=email, name=role, password=PASSWORD, role=role
            )
        return await self.http(await self.token(email))

    async def colleague(
        self, tenant: Tenant, role: str, place: tuple[str, UUID] | None = None
    ) -> httpx2.AsyncClient:
        """Another user of ``tenant``, in one place of it or in all, signed in."""
        email = f"{secrets.token_hex(6)}@example.test"
        async with self.ctx() as ctx:
            await identity.create_user(
                ctx,
                self.passwords,
                client_id=tenant.id,
                email=email,
                name=role,
                password=PASSWORD,
                role=role,
                place=place,
            )
        return await self.http(await self.token(email))

    async def token(self, email: str) -> str:
        """An access token, by signing in."""
        anonymous = await self.http()
        answer = await anonymous.post(
            "/api/v1/auth/login/", json={"email": email, "password": PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access"])
