"""What every store of blobs does: a folder, and a bucket of S3 (moto's server)."""

import asyncio
import hashlib
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support.bucket import ACCOUNT, Buckets, buckets
from sync2gear_platform.kit.blobs import Blobs, StoreUnavailable, TooLarge, open_blobs
from sync2gear_platform.kit.blobs import s3 as s3_store
from sync2gear_platform.kit.blobs.port import Shown
from sync2gear_platform.settings import Settings

SHOWN = Shown("audio/mpeg", 'attachment; filename="a b.mp3"')


def opened(url: str, scratch: Path) -> Blobs:
    """As the programs open it: the settings say where what is on its way lies."""
    return open_blobs(Settings(env="dev", media_url=url, data_dir=scratch).blobs_url)


@pytest.fixture(params=["folder", "bucket"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return (tmp_path / "media").as_uri()
    server: Buckets = request.getfixturevalue("s3")
    return server.url(server.make())


@pytest.fixture
def blobs(url: str, tmp_path: Path) -> Blobs:
    return opened(url, tmp_path)


async def put(blobs: Blobs, data: bytes | Path) -> str:
    async with blobs.stage(data) as staged:
        await staged.keep()
        return staged.sha256


async def got(blobs: Blobs, sha256: str, *span: int) -> bytes:
    return b"".join([data async for data in blobs.read(sha256, *span)])


async def all_of(blobs: Blobs) -> set[str]:
    return {one async for some in blobs.digests() for one in some}


def left_over(tmp_path: Path) -> list[Path]:
    """Local files on their way somewhere."""
    found = [tmp_path / "media" / "staging", tmp_path / "media-scratch"]
    return [file for folder in found for file in folder.glob("*")]


async def test_what_is_kept_is_there_whole_and_in_parts(blobs: Blobs, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    file = tmp_path / "a"
    file.write_bytes(data)
    async with blobs.stage(file) as staged:
        assert staged.path.read_bytes() == data
        assert (staged.sha256, staged.size) == (hashlib.sha256(data).hexdigest(), len(data))
        assert await blobs.size(staged.sha256) is None
        await staged.prepare()
        await staged.keep()
        sha256 = staged.sha256
    assert left_over(tmp_path) == []
    assert await blobs.size(sha256) == len(data)
    assert await got(blobs, sha256) == data
    for span in [(0, 1), (5,), (1_000_000, 2_100_000), (2_999_999, 9_999_999), (7, 7)]:
        assert await got(blobs, sha256, *span) == data[slice(*span) if span[1:] else slice(5, None)]
    assert await got(blobs, sha256, len(data)) == b""
    assert await all_of(blobs) == {sha256}
    async with blobs.local(sha256) as path:
        assert path.read_bytes() == data
    assert left_over(tmp_path) == []


async def test_keeping_again_and_at_once_is_one_blob(blobs: Blobs) -> None:
    names = await asyncio.gather(*(put(blobs, b"the same bytes") for _ in range(8)))
    assert await all_of(blobs) == set(names)
    assert len(set(names)) == 1
    assert await got(blobs, names[0]) == b"the same bytes"


async def test_what_is_not_kept_is_gone(blobs: Blobs, tmp_path: Path) -> None:
    async with blobs.stage(b"judged unfit") as staged:
        sha256 = staged.sha256
    with pytest.raises(TooLarge):
        async with blobs.stage(b"12345", limit=4):
            pytest.fail("too large")
    with pytest.raises(FileNotFoundError):
        async with blobs.stage(tmp_path / "missing"):
            pytest.fail("missing")
    assert await blobs.size(sha256) is None
    assert await all_of(blobs) == set()
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("name", ["0" * 64, "0" * 63, "A" * 64, "", "../secret", "0" * 64 + "\n"])
async def test_what_names_nothing_is_nothing(blobs: Blobs, name: str) -> None:
    await put(blobs, b"something else")
    assert await blobs.size(name) is None
    with pytest.raises(FileNotFoundError):
        await got(blobs, name)
    with pytest.raises(FileNotFoundError):
        async with blobs.local(name):
            pytest.fail("there is none")
    await blobs.delete(name)
    assert len(await all_of(blobs)) == 1


async def test_forgotten_is_forgotten(blobs: Blobs) -> None:
    sha256, other = await put(blobs, b"one"), await put(blobs, b"two")
    await blobs.delete(sha256)
    await blobs.delete(sha256)
    assert await blobs.size(sha256) is None
    assert await all_of(blobs) == {other}
    assert await put(blobs, b"one") == sha256
    assert await got(blobs, sha256) == b"one"


async def test_a_sweep_leaves_writers_that_live_alone(blobs: Blobs, tmp_path: Path) -> None:
    async with blobs.stage(b"still being judged") as staged:
        (staged.path.parent / "of a writer that died").write_bytes(b"half")
        assert await blobs.sweep() == 1
        await staged.keep()
    assert await got(blobs, staged.sha256) == b"still being judged"
    assert left_over(tmp_path) == []


# What only a bucket does


@pytest.fixture
def bucket(s3: Buckets, tmp_path: Path) -> tuple[Blobs, str]:
    name = s3.make()
    return opened(s3.url(name), tmp_path), name


async def test_what_is_large_goes_in_parts(
    bucket: tuple[Blobs, str], s3: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs, name = bucket
    monkeypatch.setattr(s3_store, "PART", 5 << 20)
    data = os.urandom((11 << 20) + 1)
    sha256 = await put(blobs, data)
    assert await got(blobs, sha256) == data
    head = s3.client().head_object(Bucket=name, Key=f"s2g/blobs/{sha256}")
    assert head["ETag"].endswith('-3"')
    assert s3.unfinished(name) == []


async def test_more_than_a_page_of_blobs_is_listed(
    bucket: tuple[Blobs, str], s3: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs, name = bucket
    monkeypatch.setattr(s3_store, "PAGE", 3)
    client = s3.client()
    expected = {hashlib.sha256(bytes([n])).hexdigest() for n in range(7)}
    for sha256 in expected:
        client.put_object(Bucket=name, Key=f"s2g/blobs/{sha256}", Body=b"x")
    client.put_object(Bucket=name, Key="s2g/blobs/notes.txt", Body=b"not ours")
    client.put_object(Bucket=name, Key="elsewhere/" + "0" * 64, Body=b"not ours")
    pages = [page async for page in blobs.digests()]
    assert {one for page in pages for one in page} == expected
    assert len(pages) == 3


async def test_stale_uploads_in_parts_are_aborted(s3: Buckets, tmp_path: Path) -> None:
    name = s3.make()
    client = s3.client()
    client.create_multipart_upload(Bucket=name, Key="s2g/blobs/" + "0" * 64)
    client.create_multipart_upload(Bucket=name, Key="another program's")
    today = datetime(2010, 11, 11, tzinfo=UTC)  # moto's uploads all began the evening before
    store = s3_store.S3(
        name,
        tmp_path,
        prefix="s2g",
        endpoint=s3.endpoint,
        region="eu-central-1",
        now=lambda: today,
    )
    assert await store.sweep() == 0
    today += timedelta(days=1)
    assert await store.sweep() == 1
    assert await store.sweep() == 0
    assert s3.unfinished(name) == ["another program's"]


async def test_a_signed_address_is_what_aws_would_check(bucket: tuple[Blobs, str]) -> None:
    """moto checks no signature: botocore's own signer makes it again from the address alone."""
    blobs, name = bucket
    sha256 = await put(blobs, b"some audio")
    address = await blobs.address(sha256, SHOWN, method="GET", seconds=120)
    assert address is not None
    parts = urlsplit(address)
    assert parts.path == f"/{name}/s2g/blobs/{sha256}"
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    assert query["X-Amz-Expires"] == "120"
    assert query["X-Amz-SignedHeaders"] == "host"
    assert query["response-content-type"] == "audio/mpeg"
    assert query["response-content-disposition"] == SHOWN.disposition
    assert ACCOUNT["AWS_SECRET_ACCESS_KEY"] not in address

    def signature(url: str, method: str = "GET") -> str:
        """What AWS would find for this request, computed from the address without its signature."""
        bare = url[: url.index("&X-Amz-Signature=")]
        signer = S3SigV4QueryAuth(
            Credentials(ACCOUNT["AWS_ACCESS_KEY_ID"], ACCOUNT["AWS_SECRET_ACCESS_KEY"]),
            "s3",
            "eu-central-1",
        )
        request = AWSRequest(method, bare, headers={"host": parts.netloc})
        request.context["timestamp"] = query["X-Amz-Date"]
        canonical = signer.canonical_request(request)
        return str(signer.signature(signer.string_to_sign(request, canonical), request))

    assert signature(address) == query["X-Amz-Signature"]
    assert signature(address, "HEAD") != query["X-Amz-Signature"]
    assert signature(address.replace("=120", "=121")) != query["X-Amz-Signature"]
    assert signature(address.replace(sha256, "0" * 64)) != query["X-Amz-Signature"]


async def test_a_folder_has_no_address_of_its_own(tmp_path: Path) -> None:
    blobs = opened(tmp_path.as_uri(), tmp_path)
    assert await blobs.address(await put(blobs, b"x"), SHOWN, method="GET", seconds=60) is None


async def test_a_bucket_that_dies_is_said_to_be_away(
    s3: Buckets, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with buckets() as dying:
        blobs = opened(dying.url(dying.make()), tmp_path)
        sha256 = await put(blobs, os.urandom(3 << 20))
        reading = blobs.read(sha256)
        await anext(reading)
        killer = threading.Thread(target=dying.stop)
        async with blobs.stage(b"half way") as staged:
            killer.start()
            killer.join()
            with pytest.raises(StoreUnavailable) as refused:
                await staged.keep()
        assert (refused.value.status, refused.value.code) == (503, "media_unavailable")
        for attempt in (blobs.size(sha256), blobs.delete(sha256), blobs.sweep(), all_of(blobs)):
            with pytest.raises(StoreUnavailable):
                await attempt
        with pytest.raises(StoreUnavailable):
            async with blobs.local(sha256):
                pytest.fail("the bucket is away")
    assert left_over(tmp_path) == []
    assert ACCOUNT["AWS_SECRET_ACCESS_KEY"] not in caplog.text


async def test_a_bucket_that_is_not_there_is_no_empty_one(s3: Buckets, tmp_path: Path) -> None:
    blobs = opened(s3.url("no-such-bucket"), tmp_path)
    with pytest.raises(StoreUnavailable):
        await put(blobs, b"x")
    with pytest.raises(StoreUnavailable):
        await all_of(blobs)


async def test_bytes_that_changed_in_the_bucket_are_not_believed(
    bucket: tuple[Blobs, str], s3: Buckets
) -> None:
    blobs, name = bucket
    sha256 = await put(blobs, b"true bytes")
    s3.client().put_object(Bucket=name, Key=f"s2g/blobs/{sha256}", Body=b"else bytes")
    with pytest.raises(StoreUnavailable):
        async with blobs.local(sha256):
            pytest.fail("other bytes")


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///prefix",
        "s3://key:secret@bucket/prefix",
        "s3://bucket/?endpoint=ftp://host",
        "s3://bucket/?acl=public-read",
        "s3://bucket/?scratch=relative",
        "s3://[",
        "gs://bucket",
    ],
)
def test_an_address_that_is_no_store_is_named_without_its_secret(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="S2G_MEDIA_URL") as refused:
        opened(url, tmp_path)
    assert "secret" not in str(refused.value)
