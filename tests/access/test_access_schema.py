"""Schemathesis over the description, as each role: no bug, and answers as they are described."""

import asyncio
import re
import socket
import sys
from pathlib import Path

import pytest
import uvicorn

from support.world import World

LEFT_OUT = r"/auth/(logout|login|refresh)/|/oidc/|/auth/sessions/|/privacy/exports/|/me/export/"
"""What would end the session that asks, leads to a stranger's provider, or streams an archive."""

CHECKS = ",".join(
    (
        "not_a_server_error", "status_code_conformance", "content_type_conformance",
        "response_schema_conformance",
    )
)  # fmt: skip
"""Refusals too answer with a status, a type and a code that their operation declares."""

ROLES = ("client", "floor", "technician", "auditor", "staff", "admin", "nobody")


PARTS = {"a": "[a]", "b-l": "[b-l]", "m": "[m]", "n-z": "[n-z]"}
"""First letters of what operations are about: each part takes minutes with many examples."""


async def asked(world: World, role: str, examples: int, letters: str = "[a-z]") -> tuple[int, str]:
    """The exit status of ``st run`` as somebody of ``role``, and what it said.

    Of the operations whose path begins with one of ``letters``.
    """
    if role in {"staff", "admin"}:
        http = await world.staff(role)
    elif role == "nobody":
        http = await world.http()
    else:
        tenant = await world.tenant()
        await tenant.make("/zones/", name="Bar")
        http = tenant.http if role == "client" else await world.colleague(tenant, role)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(world.app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        token = http.headers.get("authorization")
        command = [
            str(Path(sys.executable).with_name("st")), "run",
            f"http://127.0.0.1:{port}/api/openapi.json", "--no-color",
            "--checks", CHECKS,
            "--phases", "fuzzing", "--max-examples", str(examples),
            "--generation-deterministic",
            "--include-path-regex", f"^/api/v1/{letters}",
            "--suppress-health-check", "all", "--exclude-path-regex", LEFT_OUT,
            *(["-H", f"Authorization: {token}"] if token else []),
        ]  # fmt: skip
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            said, _ = await process.communicate()
        finally:
            server.should_exit = True
            await serving
    return process.returncode or 0, said.decode(errors="replace")


def faults(said: str) -> str:
    """What was found, without the advice around it."""
    return said.partition(" FAILURES ")[2].partition(" WARNINGS ")[0][:20_000] or said[-6000:]


@pytest.mark.parametrize("role", ROLES)
async def test_no_generated_request_is_a_bug(world: World, role: str) -> None:
    status, said = await asked(world, role, 1)
    assert status == 0, faults(said)
    tested = re.search(r"Tested: (\d+)", said)
    assert tested is not None, said[-3000:]
    assert int(tested[1]) > 120, "nearly every operation was asked"


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("letters", PARTS.values(), ids=PARTS)
async def test_no_request_of_many_is_a_bug(world: World, role: str, letters: str) -> None:
    status, said = await asked(world, role, 60, letters)
    assert status == 0, faults(said)
