"""Signed addresses of audio: what one allows, and that it allows nothing else."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from support import audio
from support.bucket import Buckets
from support.services import PostgresServer
from support.world import Tenant, World, cloned_database, make_settings
from sync2gear_platform.kit.blobs import Shown, open_blobs
from sync2gear_platform.library import links, service, shelving
from sync2gear_platform.library.links import Grant, LinkExpired, LinkRefused, Links

NAME = 'Ärger "im" Takt.wav'


def files(folder: Path) -> None:
    folder.mkdir()
    (folder / NAME).write_bytes(audio.tiny_wav(0))
    (folder / "other.wav").write_bytes(audio.tiny_wav(1))


async def stock(world: World, tenant: Tenant, folder: Path) -> list[dict[str, str]]:
    """Two tracks of ``tenant``, the first of them called :data:`NAME`."""
    files(folder)
    await service.import_folder(world.db, world.app.state.blobs, tenant.id, folder, "Stock")
    listed = (await tenant.read("/music/files/"))["results"]
    return sorted(listed, key=lambda t: t["filename"] != NAME)


def path_of(url: str) -> str:
    assert url.startswith("http://platform.test/api/v1/media/signed/")
    return urlsplit(url).path


async def test_a_link_is_heard_without_a_credential_in_parts_and_again(
    world: World, tmp_path: Path
) -> None:
    tenant = await world.tenant()
    track, _ = await stock(world, tenant, tmp_path / "in")
    link = await tenant.read(f"/music/files/{track['id']}/link/")
    path, content, tag = path_of(link["url"]), audio.tiny_wav(0), f'"{track["sha256"]}"'
    anybody = await world.http()
    whole = await anybody.get(path)
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["etag"] == tag
    assert whole.headers["content-type"] == "audio/wav"
    assert whole.headers["content-disposition"] == (
        'attachment; filename="_rger _im_ Takt.wav"'
        "; filename*=UTF-8''%C3%84rger%20%22im%22%20Takt.wav"
    )
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-security-policy"] == "sandbox"
    assert whole.headers["cross-origin-resource-policy"] == "cross-origin"
    rest = await anybody.get(path, headers={"Range": "bytes=100-", "If-Range": tag})
    assert (rest.status_code, rest.content) == (206, content[100:])
    other = await anybody.get(path, headers={"Range": "bytes=100-", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, content)
    known = await anybody.get(path, headers={"If-None-Match": tag})
    assert known.status_code == 304
    head = await tenant.read(f"/music/files/{track['id']}/link/", method="HEAD")
    answer = await anybody.head(path_of(head["url"]))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(content))


async def test_a_link_allows_one_method_on_one_object_of_one_client(
    world: World, tmp_path: Path
) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    first, second = await stock(world, mine, tmp_path / "in")
    await stock(world, theirs, tmp_path / "theirs")
    anybody = await world.http()
    path = path_of((await mine.read(f"/music/files/{first['id']}/link/"))["url"])
    token = path.removesuffix("/").rpartition("/")[2]
    payload, _, mac = token.partition(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert said[2:4] == [str(mine.id), first["sha256"]]

    def forged(at: int, value: object) -> str:
        """The same signature below something else."""
        other = [*said[:at], value, *said[at + 1 :]]
        data = json.dumps(other, separators=(",", ":")).encode()
        return f"{base64.urlsafe_b64encode(data).rstrip(b'=').decode()}.{mac}"

    foreign = Links(world.app.state.blobs, [Fernet.generate_key().decode()], "")
    grant = Grant("GET", mine.id, first["sha256"], said[4], said[5], said[6])
    tokens = {
        "method": forged(1, "HEAD"),
        "client": forged(2, str(theirs.id)),
        "object": forged(3, second["sha256"]),
        "expiry": forged(4, said[4] + 1),
        "type": forged(5, "text/html"),
        "name": forged(6, 'inline; filename="x.html"'),
        "scheme": forged(0, 2),
        "another key": foreign.sign(grant),
        "no signature": payload,
        "empty signature": f"{payload}.",
        "short signature": token[:-2],
        "another spelling": f"{token}=",
        "not base64": "%C3%A4.%C3%A4",
        "nothing": "..-",
    }
    answers = {name: await anybody.get(f"/api/v1/media/signed/{t}/") for name, t in tokens.items()}
    assert {name: (a.status_code, a.json()["code"]) for name, a in answers.items()} == (
        dict.fromkeys(tokens, (403, "link_refused"))
    )
    assert (await anybody.head(path)).status_code == 403
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await anybody.request(method, path)).status_code == 405
    # Somebody else's credential makes it neither more nor less.
    assert (await theirs.http.get(path)).content == audio.tiny_wav(0)
    # The bytes are there still, as another client's: this client's link is not for them.
    await mine.http.delete(f"/api/v1/music/files/{first['id']}/")
    async with world.db.system() as session:
        await session.execute(
            text("DELETE FROM media WHERE client_id = :c AND sha256 = :s"),
            {"c": mine.id, "s": first["sha256"]},
        )
    assert (await anybody.get(path)).status_code == 404


async def test_a_link_ends(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    track, _ = await stock(world, tenant, tmp_path / "in")
    for expires in ("0", "3601", "-1"):
        answer = await tenant.http.get(f"/api/v1/music/files/{track['id']}/link/?expires={expires}")
        assert answer.status_code == 422
    made = world.app.state.links
    grant = Grant("GET", tenant.id, track["sha256"], 0, "audio/wav", "attachment")
    answer = await (await world.http()).get(f"/api/v1/media/signed/{made.sign(grant)}/")
    assert (answer.status_code, answer.json()["code"]) == (403, "link_expired")
    now = world.clock.now()
    async with world.ctx(tenant.id) as ctx:
        link = await made.link(ctx, await service.media(ctx, track["sha256"]), expires=60)
    token = link.url.removesuffix("/").rpartition("/")[2]
    assert timedelta(seconds=58) < link.expires_at - now <= timedelta(seconds=61)
    assert made.read(token, "GET", link.expires_at - timedelta(seconds=1)).client_id == tenant.id
    with pytest.raises(LinkExpired):
        made.read(token, "GET", link.expires_at)


async def test_links_are_only_made_of_what_one_may_hear(world: World, tmp_path: Path) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    track, _ = await stock(world, mine, tmp_path / "in")
    path = f"/api/v1/music/files/{track['id']}/link/"
    assert (await theirs.http.get(path)).status_code == 404
    assert (await (await world.http()).get(path)).status_code == 401


def test_links_outlive_a_rotation_of_the_keys(tmp_path: Path) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    blobs = open_blobs(tmp_path.as_uri())
    grant = Grant("GET", UUID(int=1), "0" * 64, 2_000_000_000, "audio/wav", "attachment")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    token = Links(blobs, [old], "").sign(grant)
    assert Links(blobs, [new, old], "").read(token, "GET", now) == grant
    assert Links(blobs, [new, old], "").sign(grant) == Links(blobs, [new], "").sign(grant)
    with pytest.raises(LinkRefused):
        Links(blobs, [new], "").read(token, "GET", now)


async def test_a_bucket_signs_its_own_links(
    postgres: PostgresServer, s3: Buckets, tmp_path: Path
) -> None:
    with cloned_database(postgres) as (admin_url, app_url):
        settings = make_settings(
            tmp_path,
            app_url,
            admin_url,
            media_url=s3.url(s3.make()),
            media_base_url="https://cdn.test/audio",
        )
        async with World.open(settings) as world:
            tenant = await world.tenant()
            track, _ = await stock(world, tenant, tmp_path / "in")
            link = await tenant.read(f"/music/files/{track['id']}/link/")
            assert link["url"].startswith("https://cdn.test/audio/media-")
            assert "X-Amz-Expires=300&" in link["url"]
            # Here the bytes come through the api, for a page that may load nothing from elsewhere.
            heard = await tenant.http.get(f"/api/v1/music/files/{track['id']}/audio/")
            assert heard.content == audio.tiny_wav(0)
            shown = Shown("audio/wav", links.disposition("x.wav"))
            bare = await world.app.state.blobs.address(
                track["sha256"], shown, method="GET", seconds=9
            )
            assert bare.startswith(s3.endpoint)


async def test_usage_is_what_counts_against_the_limit(world: World, tmp_path: Path) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    await stock(world, mine, tmp_path / "in")
    size = len(audio.tiny_wav(0)) + len(audio.tiny_wav(1))
    used = await mine.read("/music/usage/")
    assert used["kinds"]["music"] == {"files": 2, "bytes": size}
    assert (used["files"], used["bytes"]) == (2, size)
    async with world.ctx(mine.id) as ctx:
        assert used["limit"] - used["bytes"] == await shelving.room_left(ctx)
    nothing = await theirs.read("/music/usage/")
    assert (nothing["files"], nothing["bytes"]) == (0, 0)
