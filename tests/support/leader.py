"""A worker as a process of its own on a database and a broker, and what the broker then holds."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomqtt

from support.services import MosquittoServer, PostgresServer, open_folder, start_mosquitto
from support.stack import Program, eventually
from support.world import Tenant, World, cloned_database, make_settings
from sync2gear_broker import topics

Retained = dict[str, bytes]


@dataclass
class Lab:
    """The API in this process, a broker of its own, and workers that can be killed."""

    world: World
    broker: MosquittoServer
    folder: Path
    workers: list[Program] = field(default_factory=list)

    def worker(self, log_level: str = "info", **more: str) -> Program:
        """Start one more worker, with ``more`` in its environment."""
        settings = self.world.settings
        env = {
            **os.environ,
            "S2G_ENV": "dev",
            "S2G_SECRET_KEY": settings.secret_key.get_secret_value(),
            "S2G_DATA_DIR": str(self.folder),
            "S2G_DATABASE_URL": settings.database_url.get_secret_value(),
            "S2G_MQTT_URL": self.broker.platform_url,
            "S2G_MQTT_PASSWORD_FILE": str(self.broker.password_file),
            "S2G_MQTT_PID_FILE": str(self.broker.pid_file),
            "S2G_PUBLIC_URL": settings.public_url,
            "S2G_LOG_LEVEL": log_level,
            "PYTHONUNBUFFERED": "1",
            **more,
        }
        name = f"worker-{len(self.workers)}"
        command = [sys.executable, "-m", "sync2gear_platform", "worker"]
        program = Program(name, command, env, self.folder / f"{name}.log")
        self.workers.append(program)
        program.start()
        return program

    def logs(self) -> str:
        """The end of every worker's log."""
        return "\n".join(f"== {p.name}\n{p.tail()}" for p in self.workers)

    async def ready(self, of: int = -1) -> None:
        """Wait until the newest worker leads and has told the broker."""
        log = self.workers[of].log

        async def led() -> bool:
            return log.exists() and b"broker.connected" in log.read_bytes()

        await eventually(led, "the worker leads")
        await self.drained()

    async def drained(self, seconds: float = 30) -> None:
        """Wait until nothing waits in the outbox."""
        ready = await self.world.http()

        async def empty() -> bool:
            body = (await ready.get("/api/v1/health/ready/")).json()
            return bool(body.get("leader") and body.get("outbox_waiting") == 0)

        await eventually(empty, "everything is published", seconds)

    def platform_client(self, **more: Any) -> aiomqtt.Client:
        """A connection to the broker that may read everything."""
        at = urlsplit(self.broker.platform_url)
        return aiomqtt.Client(
            at.hostname or "",
            at.port or 0,
            username=at.username,
            password=at.password,
            protocol=aiomqtt.ProtocolVersion.V5,
            **more,
        )

    def device_client(self, credential: dict[str, str], **more: Any) -> aiomqtt.Client:
        """A connection to the broker as a device."""
        at = urlsplit(self.broker.device_url)
        name = topics.username(credential["client"], credential["device"])
        return aiomqtt.Client(
            at.hostname or "",
            at.port or 0,
            username=name,
            password=credential["secret"],
            identifier=name,
            protocol=aiomqtt.ProtocolVersion.V5,
            **more,
        )

    async def retained(self, quiet: float = 0.5) -> Retained:
        """What the broker retains of the platform now."""
        found: Retained = {}
        async with self.platform_client() as client:
            await client.subscribe("s2g/1/#", qos=1)
            try:
                while True:
                    async with asyncio.timeout(quiet):
                        message = await anext(client.messages)
                    if message.retain and isinstance(message.payload, bytes):
                        found[message.topic.value] = message.payload
            except TimeoutError:
                return found

    async def document(self, channel: topics.Channel, **ids: str) -> Any:
        """The retained document of one topic, or None."""
        body = (await self.retained()).get(topics.build(channel, **ids))
        return json.loads(body) if body else None

    async def register(self, tenant: Tenant, name: str, zone: str | None) -> dict[str, str]:
        """A new device; its credential, once the broker lets it in."""
        made = await tenant.make(
            "/devices/register/", name=name, hardware_id=f"hw-{name}", zone_id=zone
        )
        credential: dict[str, str] = made["credential"]

        async def admitted() -> bool:
            try:
                async with self.device_client(credential):
                    return True
            except aiomqtt.MqttError:
                return False

        if self.workers:
            await eventually(admitted, f"the broker lets {name} in", 10)
        return credential


@asynccontextmanager
async def open_lab(postgres: PostgresServer) -> AsyncIterator[Lab]:
    """A lab without any worker yet."""
    folder = open_folder("lab")
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "broker").mkdir(mode=0o755)
        broker = start_mosquitto(folder / "broker")
        stack.callback(lambda: broker.stop() if broker.service.child else None)
        admin_url, app_url = stack.enter_context(cloned_database(postgres))
        settings = make_settings(folder / "data", app_url, admin_url, broker)
        world = await stack.enter_async_context(World.open(settings))
        lab = Lab(world, broker, folder)
        stack.callback(lambda: [worker.stop() for worker in lab.workers])
        try:
            yield lab
        except BaseException as error:
            error.add_note(lab.logs())
            raise
