"""Uploads straight into a bucket: ``PREFIX/uploads/<name>``, in parts, by signed addresses.

A name is ours, so that a key never holds a word from outside. What an address allows is one part of
one length: the length is signed as well.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sync2gear_platform.kit.blobs.port import NotWhole, Piece, Staged, Unequal

if TYPE_CHECKING:
    from sync2gear_platform.kit.blobs.s3 import S3


class Parts:
    """See :class:`~sync2gear_platform.kit.blobs.port.Direct`."""

    def __init__(self, store: "S3") -> None:
        self._store = store
        self._s3: Any = store.client
        self._folder = f"{store.prefix}uploads/"

    async def begin(self, name: UUID) -> str:
        """See :class:`~sync2gear_platform.kit.blobs.port.Direct`."""
        begun = await self._store.call(self._s3.create_multipart_upload, **self._at(name))
        return str(begun["UploadId"])

    async def address(self, name: UUID, upload: str, number: int, size: int, seconds: int) -> str:
        """See :class:`~sync2gear_platform.kit.blobs.port.Direct`."""
        part = {"UploadId": upload, "PartNumber": number, "ContentLength": size}
        signed = await self._store.call(
            self._s3.generate_presigned_url,
            "upload_part",
            Params={**self._at(name), **part},
            ExpiresIn=seconds,
        )
        return str(signed)

    async def parts(self, name: UUID, upload: str) -> list[Piece]:
        """See :class:`~sync2gear_platform.kit.blobs.port.Direct`."""
        return await self._store.call(self._listed, name, upload)

    async def complete(self, name: UUID, upload: str, tags: Sequence[str]) -> int:
        """See :class:`~sync2gear_platform.kit.blobs.port.Direct`."""
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
        try:
            with suppress(FileNotFoundError):  # it may be complete
                await self._store.call(
                    self._s3.complete_multipart_upload,
                    **self._at(name),
                    UploadId=upload,
                    MultipartUpload={"Parts": parts},
                )
        except Unequal as error:
            raise NotWhole from error
        size = await self.size(name)
        if size is None:
            raise FileNotFoundError("no such upload")
        return size

    async def size(self, name: UUID) -> int | None:
        """See :class:`~sync2gear_platform.kit.blobs.port.Direct`."""
        return await self._store.length(self._at(name)["Key"])

    def staged(self, name: UUID, *, limit: int) -> AbstractAsyncContextManager[Staged]:
        """See :class:`~sync2gear_platform.kit.blobs.port.Direct`."""
        return self._store.fetched(self._at(name)["Key"], limit)

    async def drop(self, name: UUID) -> None:
        """See :class:`~sync2gear_platform.kit.blobs.port.Direct`."""
        at = self._at(name)
        for key, upload in await self._store.call(self._unfinished, at["Key"]):
            if key == at["Key"]:
                with suppress(FileNotFoundError):  # completed or aborted meanwhile
                    await self._store.call(self._s3.abort_multipart_upload, **at, UploadId=upload)
        with suppress(FileNotFoundError):
            await self._store.call(self._s3.delete_object, **at)

    async def names(self) -> list[UUID]:
        """See :class:`~sync2gear_platform.kit.blobs.port.Direct`."""
        keys = [key for key, _ in await self._store.call(self._unfinished, self._folder)]
        keys += await self._store.call(self._whole)
        found = set()
        for key in keys:
            with suppress(ValueError):  # somebody else's
                found.add(UUID(key.removeprefix(self._folder)))
        return sorted(found)

    def _at(self, name: UUID) -> dict[str, str]:
        return {"Bucket": self._store.bucket, "Key": f"{self._folder}{name}"}

    def _listed(self, name: UUID, upload: str) -> list[Piece]:
        pages = self._s3.get_paginator("list_parts").paginate(**self._at(name), UploadId=upload)
        return [
            Piece(int(one["PartNumber"]), int(one["Size"]), str(one["ETag"]))
            for page in pages
            for one in page.get("Parts", ())
        ]

    def _unfinished(self, prefix: str) -> list[tuple[str, str]]:
        pages = self._s3.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._store.bucket, Prefix=prefix
        )
        return [
            (str(one["Key"]), str(one["UploadId"]))
            for page in pages
            for one in page.get("Uploads", ())
        ]

    def _whole(self) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._store.bucket, Prefix=self._folder
        )
        return [str(one["Key"]) for page in pages for one in page.get("Contents", ())]
