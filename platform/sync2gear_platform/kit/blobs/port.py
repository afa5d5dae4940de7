"""What a store of blobs is asked to do, whichever it is."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol
from uuid import UUID

from sync2gear_platform.kit.errors import Refusal, Unavailable

CHUNK: Final = 1 << 20
SHA256: Final = re.compile(r"[0-9a-f]{64}")


class TooLarge(Refusal):
    """This is larger than what is taken here."""

    kind = "too_large"
    code = "too_large"


class StoreUnavailable(Unavailable):
    """The store of audio does not answer: try again shortly."""

    code = "media_unavailable"


class Staged(Protocol):
    """Bytes on their way into the store: readable at ``path``, gone again unless kept."""

    @property
    def sha256(self) -> str:
        """The digest of exactly the bytes at ``path``."""
        ...

    @property
    def size(self) -> int:
        """How many bytes there are."""
        ...

    @property
    def path(self) -> Path:
        """A local file with the bytes, under a name of the store's own making."""
        ...

    async def prepare(self) -> None:
        """Do what is slow about keeping, before a transaction begins. Keeping stays necessary."""
        ...

    async def keep(self) -> None:
        """Store the bytes durably under their digest; storing the same twice is no error."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """How a store of its own address gives a blob out."""

    content_type: str
    disposition: str


class Blobs(Protocol):
    """A store of immutable bytes. ``sha256`` arguments that are no digest name nothing.

    Where a store is elsewhere, everything raises :class:`StoreUnavailable` when it does not answer.
    """

    @property
    def direct(self) -> "Direct | None":
        """How a browser sends bytes to the store itself, where it can."""
        ...

    def stage(
        self, source: Path | bytes, *, limit: int = ...
    ) -> AbstractAsyncContextManager[Staged]:
        """Copy and hash ``source``; a context manager of :class:`Staged`.

        Raises :class:`TooLarge` beyond ``limit`` bytes and ``OSError`` where ``source`` cannot be
        read or the store cannot be written.
        """
        ...

    def local(self, sha256: str) -> AbstractAsyncContextManager[Path]:
        """A local file with the bytes of a blob, to read while the context lasts.

        ``FileNotFoundError`` for none.
        """
        ...

    async def size(self, sha256: str) -> int | None:
        """The bytes of a blob, or ``None`` where there is none."""
        ...

    def read(self, sha256: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Bytes ``start`` to ``stop`` (excluded) in pieces; ``FileNotFoundError`` for none."""
        ...

    async def delete(self, sha256: str) -> None:
        """Forget a blob; forgetting none is no error."""
        ...

    async def sweep(self) -> int:
        """Remove what writers that died left half-written; returns how many files."""
        ...

    def digests(self) -> AsyncIterator[list[str]]:
        """The digests of all blobs, some at a time."""
        ...

    async def address(
        self, sha256: str, shown: Shown, *, method: Literal["GET", "HEAD"], seconds: int
    ) -> str | None:
        """A signed address of the store itself; ``None`` where it has none (ours are given then).

        It says nothing about whether there is such a blob.
        """
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A part that lies in the store: ``tag`` is what its PUT answered as ETag."""

    number: int
    size: int
    tag: str


class Unequal(StoreUnavailable):
    """The store of audio does not take these parts for what it holds."""


class NotWhole(Refusal):
    """These are not the parts that lie in the store: ask which are there, and send the others."""

    kind = "conflict"
    code = "parts_differ"


class Direct(Protocol):
    """Uploads that go from a browser to the store, in parts, by addresses signed beforehand.

    ``name`` is the caller's own; one object lies under it until it is dropped. ``upload`` is what
    the store calls an upload; ``FileNotFoundError`` for one that it does not know any more.
    """

    async def begin(self, name: UUID) -> str:
        """Begin an upload; returns what the store calls it."""
        ...

    async def address(self, name: UUID, upload: str, number: int, size: int, seconds: int) -> str:
        """The address to PUT part ``number`` (from 1), of exactly ``size`` bytes, to."""
        ...

    async def parts(self, name: UUID, upload: str) -> list[Piece]:
        """The parts that are there."""
        ...

    async def complete(self, name: UUID, upload: str, tags: Sequence[str]) -> int:
        """Put the parts together, one by each tag in their order; returns the bytes of all.

        Completing what is complete is no error. :class:`NotWhole` for other parts than those there.
        """
        ...

    async def size(self, name: UUID) -> int | None:
        """The bytes of what was put together; ``None`` before that."""
        ...

    def staged(self, name: UUID, *, limit: int) -> AbstractAsyncContextManager[Staged]:
        """What was put together, staged; ``FileNotFoundError``, :class:`TooLarge`."""
        ...

    async def drop(self, name: UUID) -> None:
        """Forget parts and object, if any."""
        ...

    async def names(self) -> list[UUID]:
        """Under which names something lies, whole or in parts."""
        ...
