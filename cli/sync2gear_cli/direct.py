"""Sending a file straight into the platform's bucket, in parts, where the platform offers it."""

from typing import Any, Final

import httpx2

from sync2gear_cli import tus
from sync2gear_cli.client import Api
from sync2gear_cli.failures import UNREACHABLE, Failure

_TIMEOUT: Final = httpx2.Timeout(60.0, connect=5.0)
_GONE: Final = frozenset({"upload_gone", "not_found"})


def offered(api: Api, place: str) -> bool:
    """Whether files for ``place``, such as :data:`tus.MUSIC`, may go straight into the bucket."""
    return bool(api.get(f"{place}direct/")["direct"])


def send(api: Api, memory: tus.Memory, source: tus.Source, progress: tus.Progress) -> str:
    """Send a file, going on with the parts that are missing of an earlier call; the upload's id.

    Raises :class:`Failure` where the platform refuses it, or nothing gets through for long.
    """
    key = f"direct {source.key(api.connection.url)}"
    patience = tus.Patience()
    with httpx2.Client(timeout=_TIMEOUT) as bucket:
        while True:
            try:
                asked = _parts(api, memory, key, source)
                for part in asked["parts"]:
                    _put(bucket, part, source, progress)
                    patience.got_through()
                return _together(api, memory, key, source.place, asked)
            except Failure as failure:
                if failure.status != UNREACHABLE:
                    raise
            patience.pause(None)


def _parts(api: Api, memory: tus.Memory, key: str, source: tus.Source) -> dict[str, Any]:
    """The upload with its parts: the one that was begun, or a new one."""
    known = memory.get(key)
    if known:
        try:
            found: dict[str, Any] = api.get(f"{known.removeprefix('/api/v1')}parts/")
        except Failure as failure:
            if failure.code not in _GONE:
                raise
            memory.put(key, None)
        else:
            return found
    told = {name: value for name, value in source.told if value}
    body = {"filename": source.path.name, "size": source.size, **told}
    begun: dict[str, Any] = api.post(f"{source.place}direct/", body)
    memory.put(key, f"/api/v1{source.place}{begun['upload']['id']}/")
    return begun


def _put(
    bucket: httpx2.Client, part: dict[str, Any], source: tus.Source, progress: tus.Progress
) -> None:
    """Put a part that is not there yet, and note its ``etag``.

    Whatever breaks or is refused counts as out of reach: an address works for an hour, so what is
    missing is asked for anew, with others.
    """
    start, size = part["start"], part["size"]
    if part["etag"] is None and part["url"] is not None:
        body = tus.read(source, start, size, progress)
        try:
            answer = bucket.put(part["url"], content=body, headers={"Content-Length": str(size)})
            answer.raise_for_status()
        except httpx2.HTTPError as error:
            raise Failure("the bucket takes nothing", "unreachable", UNREACHABLE) from error
        part["etag"] = answer.headers["ETag"]
    progress(start + size)


def _together(api: Api, memory: tus.Memory, key: str, place: str, asked: dict[str, Any]) -> str:
    """Have the parts put together, unless that was done and only its answer was lost."""
    upload = asked["upload"]
    if upload["state"] == "receiving":
        etags = [part["etag"] for part in asked["parts"]]
        api.post(f"{place}{upload['id']}/complete/", {"etags": etags}, patient=True)
    memory.put(key, None)
    return str(upload["id"])
