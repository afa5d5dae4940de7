"""Uploads in tests: what a tus client says, and the worker's part done here and now."""

import base64
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2

from support.world import Tenant, World
from sync2gear_platform.announcements.receiving import finishers
from sync2gear_platform.kit.blobs import open_blobs
from sync2gear_platform.kit.partials import Partials
from sync2gear_platform.library.ingest import Kitchen, ingest, track_finisher
from sync2gear_platform.library.prober import Prober

PATH = "/api/v1/music/uploads/"
VERSION = {"Tus-Resumable": "1.0.0"}
PIECE = {**VERSION, "Content-Type": "application/offset+octet-stream"}


def metadata(**values: str | bytes) -> str:
    """``Upload-Metadata``."""
    raw = {k: v.encode() if isinstance(v, str) else v for k, v in values.items()}
    return ",".join(f"{k} {base64.b64encode(v).decode()}".strip() for k, v in raw.items())


async def begin(
    http: httpx2.AsyncClient,
    size: int,
    /,
    headers: dict[str, str] | None = None,
    path: str = PATH,
    **values: str,
) -> httpx2.Response:
    """POST a creation."""
    sent = {**VERSION, "Upload-Length": str(size), "Upload-Metadata": metadata(**values)}
    return await http.post(path, headers=sent | (headers or {}))


async def begun(http: httpx2.AsyncClient, size: int, /, **values: str) -> str:
    """The address of a new upload."""
    answer = await begin(http, size, **values)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


async def send(
    http: httpx2.AsyncClient, place: str, at: int, data: Any, **headers: str
) -> httpx2.Response:
    """PATCH one piece."""
    sent = {**PIECE, "Upload-Offset": str(at), **headers}
    return await http.patch(place, headers=sent, content=data)


async def sent(tenant: Tenant, data: bytes, /, **values: str) -> str:
    """The id of an upload, all of which is here."""
    place = await begun(tenant.http, len(data), **values)
    answer = await send(tenant.http, place, 0, data)
    assert answer.status_code == 204, answer.text
    return place.strip("/").rpartition("/")[2]


def kitchen(world: World) -> Kitchen:
    """The worker's tools, in the folders of this installation."""
    blobs = open_blobs(world.settings.blobs_url)
    return Kitchen(
        world.db,
        blobs,
        Partials(world.settings.uploads_path),
        Prober(),
        {"track": track_finisher(blobs), **finishers(blobs)},
        world.clock,
    )


async def ingested(
    world: World, tenant: Tenant, upload_id: str, of: str = "music"
) -> dict[str, Any]:
    """The upload once ingest is through with it."""
    await ingest(kitchen(world), tenant.id, UUID(upload_id))
    return await tenant.read(f"/{of}/uploads/{upload_id}/")


def parts(world: World) -> list[Path]:
    """The bytes that lie there unfinished."""
    return list(world.settings.uploads_path.glob("*"))
