"""Blobs in a bucket of S3 or of what speaks like it: ``PREFIX/blobs/<sha256>``.

boto3 blocks, so that every call is made in a thread of the store's own: a bucket that does not
answer must not take the threads that check passwords. Its credentials are found by boto3 in the
environment, and never appear in an address or a line of the log.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from sync2gear_platform.kit import log
from sync2gear_platform.kit.blobs.parts import Parts
from sync2gear_platform.kit.blobs.port import (
    CHUNK,
    SHA256,
    Shown,
    Staged,
    StoreUnavailable,
    Unequal,
)
from sync2gear_platform.kit.blobs.scratch import Draft, Scratch
from sync2gear_platform.kit.clock import Clock

logger = log.get(__name__)
T = TypeVar("T")

PART = 16 << 20
"""Bytes of one part; what is not larger is sent at once."""

STALE: Final = timedelta(days=1)
"""How old an upload in parts is that nobody will complete."""

PAGE = 1000
THREADS: Final = 16

MISSING: Final = frozenset({"404", "NoSuchKey", "NoSuchUpload", "NotFound"})
UNEQUAL: Final = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall"})
BEYOND: Final = frozenset({"416", "InvalidRange"})


class S3:
    """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`. ``scratch`` is a local folder."""

    def __init__(
        self,
        bucket: str,
        scratch: Path,
        *,
        prefix: str = "",
        endpoint: str | None = None,
        region: str | None = None,
        direct: bool = False,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._scratch = Scratch(scratch)
        self._now = now or Clock().now
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="s3")
        self._s3: Any = boto3.session.Session().client(
            "s3", endpoint_url=endpoint, region_name=region, config=_CONFIG
        )

        self._direct = Parts(self) if direct else None

    @property
    def direct(self) -> "Parts | None":
        """See :class:`~sync2gear_platform.kit.blobs.port.Direct`."""
        return self._direct

    @property
    def client(self) -> Any:
        """S3 as boto3 shows it; call it by :meth:`call`."""
        return self._s3

    @property
    def prefix(self) -> str:
        """What all keys begin with."""
        return self._prefix

    @asynccontextmanager
    async def fetched(self, key: str, limit: int) -> AsyncIterator[Draft]:
        """A local copy of an object, as something to keep; gone at the end."""
        draft = await asyncio.to_thread(self._scratch.draft, self)
        try:
            async for data in self.pieces(key):
                await asyncio.to_thread(draft.write, data, limit)
            await asyncio.to_thread(draft.sync)
            yield draft
        finally:
            draft.drop()

    def key(self, sha256: str) -> str:
        """The name of a blob in the bucket; ``FileNotFoundError`` for what is no digest."""
        if not SHA256.fullmatch(sha256):
            raise FileNotFoundError("no such blob")
        return f"{self._prefix}blobs/{sha256}"

    def stage(
        self, source: Path | bytes, *, limit: int = 1 << 40
    ) -> AbstractAsyncContextManager[Staged]:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        return self._scratch.stage(self, source, limit)

    async def prepare(self, draft: Draft) -> None:
        """Send the bytes, which nobody names yet: should a sweep take them, keeping sends again."""
        await self.keep(draft)

    async def keep(self, draft: Draft) -> None:
        """Send the bytes unless they are there: an object is complete, or it is not there."""
        if await self.size(draft.sha256) != draft.size:
            await self.call(self._send, draft.path, draft.sha256, draft.size)

    @asynccontextmanager
    async def local(self, sha256: str) -> AsyncIterator[Path]:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        async with self.fetched(self.key(sha256), 1 << 40) as draft:
            if draft.sha256 != sha256:
                logger.error("media.damaged", sha256=sha256, found=draft.sha256)
                raise StoreUnavailable("The store gives other bytes than it was given.")
            yield draft.path

    async def size(self, sha256: str) -> int | None:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        try:
            return await self.length(self.key(sha256))
        except FileNotFoundError:  # it is no digest
            return None

    async def length(self, key: str) -> int | None:
        """The bytes of an object, or ``None``."""
        try:
            head = await self.call(self._s3.head_object, Bucket=self.bucket, Key=key)
        except FileNotFoundError:
            return None
        return int(head["ContentLength"])

    def read(self, sha256: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        return self.pieces(self.key(sha256), start, stop)

    async def pieces(
        self, key: str, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[bytes]:
        """Bytes of an object; ``FileNotFoundError`` for none."""
        if stop is not None and stop <= start:
            return
        span = f"bytes={start}-" + ("" if stop is None else str(stop - 1))
        try:
            found = await self.call(self._s3.get_object, Bucket=self.bucket, Key=key, Range=span)
        except EOFError:
            return
        body = found["Body"]
        try:
            while data := await self.call(body.read, CHUNK):
                yield data
        finally:
            # At once: whoever stopped reading may be gone before a thread is free.
            body.close()

    async def delete(self, sha256: str) -> None:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        with suppress(FileNotFoundError):
            await self.call(self._s3.delete_object, Bucket=self.bucket, Key=self.key(sha256))

    async def sweep(self) -> int:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        return await asyncio.to_thread(self._scratch.sweep) + await self.call(
            self._abort_stale, self._now() - STALE
        )

    async def digests(self) -> AsyncIterator[list[str]]:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        prefix = f"{self._prefix}blobs/"
        more: dict[str, str] = {}
        while True:
            listed = await self.call(
                self._s3.list_objects_v2, Bucket=self.bucket, Prefix=prefix, MaxKeys=PAGE, **more
            )
            names = (str(one["Key"]).removeprefix(prefix) for one in listed.get("Contents", ()))
            if found := [name for name in names if SHA256.fullmatch(name)]:
                yield found
            if not listed.get("IsTruncated"):
                return
            more = {"ContinuationToken": listed["NextContinuationToken"]}

    async def address(
        self, sha256: str, shown: Shown, *, method: Literal["GET", "HEAD"], seconds: int
    ) -> str | None:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        params = {
            "Bucket": self.bucket,
            "Key": self.key(sha256),
            "ResponseContentType": shown.content_type,
            "ResponseContentDisposition": shown.disposition,
            "ResponseCacheControl": "private, max-age=31536000, immutable",
        }
        if method == "HEAD":
            params = {"Bucket": params["Bucket"], "Key": params["Key"]}
        # In a thread: credentials of a machine's role are fetched when they are first needed.
        return str(
            await self.call(
                self._s3.generate_presigned_url,
                f"{method.lower()}_object",
                Params=params,
                ExpiresIn=seconds,
                HttpMethod=method,
            )
        )

    async def call(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """``call`` in a thread; what it raises as what a store raises."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, lambda: call(*args, **kwargs))
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in MISSING:
                raise FileNotFoundError("no such blob") from error
            if code in UNEQUAL:
                raise Unequal from error
            if code in BEYOND:
                raise EOFError from error
            logger.warning("media.refused", bucket=self.bucket, code=code, error=str(error)[:300])
            raise StoreUnavailable from error
        except (BotoCoreError, HTTPClientError) as error:
            # Its words may hold a signed address: the type says enough.
            logger.warning("media.no_answer", bucket=self.bucket, error=type(error).__name__)
            raise StoreUnavailable from error

    def _send(self, path: Path, sha256: str, size: int) -> None:
        target = {"Bucket": self.bucket, "Key": self.key(sha256)}
        with path.open("rb") as file:
            if size <= PART:
                checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
                self._s3.put_object(
                    **target, Body=file, ContentLength=size, ChecksumSHA256=checksum
                )
                return
            begun = self._s3.create_multipart_upload(**target, ChecksumAlgorithm="SHA256")
            target["UploadId"] = begun["UploadId"]
            try:
                parts: list[dict[str, Any]] = []
                while data := file.read(PART):
                    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
                    part = {"PartNumber": len(parts) + 1, "ChecksumSHA256": digest}
                    sent = self._s3.upload_part(**target, **part, Body=data)
                    parts.append({**part, "ETag": sent["ETag"]})
                self._s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
            except BaseException:
                with suppress(BotoCoreError, ClientError):
                    self._s3.abort_multipart_upload(**target)
                raise

    def _abort_stale(self, before: datetime) -> int:
        aborted = 0
        pages = self._s3.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=self.bucket, Prefix=f"{self._prefix}blobs/"):
            for one in page.get("Uploads", ()):
                if one["Initiated"] < before:
                    with suppress(ClientError):  # completed or aborted meanwhile
                        self._s3.abort_multipart_upload(
                            Bucket=self.bucket, Key=one["Key"], UploadId=one["UploadId"]
                        )
                        aborted += 1
        return aborted


_CONFIG: Final = Config(
    signature_version="s3v4",
    s3={"addressing_style": "path"},
    connect_timeout=3,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=THREADS,
    # We say each checksum ourselves, SHA-256; what else speaks S3 may not know boto3's own.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
