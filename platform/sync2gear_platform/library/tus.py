"""tus 1.0 as text: what its headers say, and what is wrong with them (tus.io/protocols)."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.library import rules

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,checksum,termination,expiration"
ALGORITHMS: Final = ("sha1", "sha256", "md5")
CONTENT_TYPE: Final = "application/offset+octet-stream"

MAX_METADATA: Final = 4096
MAX_PAIRS: Final = 32

_KEY: Final = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,64}")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,15}")


class TusRefusal(Refusal):
    """A refusal with a status of the protocol's own."""

    http = 400

    @property
    def status(self) -> int:
        """The status that the protocol asks for."""
        return self.http


class WrongVersion(TusRefusal):
    """This server speaks tus 1.0.0: say so in Tus-Resumable."""

    http = 412
    code = "tus_version"


class WrongType(TusRefusal):
    """The pieces of a file are sent as application/offset+octet-stream."""

    http = 415
    code = "wrong_content_type"


class BadHeader(TusRefusal):
    """A header of tus is missing or makes no sense."""

    code = "bad_tus_header"


class Gone(TusRefusal):
    """This upload was cancelled or has expired: begin a new one."""

    http = 410
    code = "upload_gone"


class BadChecksum(TusRefusal):
    """What arrived is not what was sent: nothing of it was taken, send it again."""

    http = 460
    code = "checksum_mismatch"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to send: ``told`` are its words as they were, for HEAD."""

    purpose: str
    filename: str
    size: int
    title: str = ""
    folder_id: UUID | None = None
    told: str = ""
    via: str = "tus"


def check_version(given: str | None) -> None:
    """Raises :class:`WrongVersion`."""
    if given != VERSION:
        raise WrongVersion


def number(name: str, given: str | None) -> int:
    """A header that holds a number of bytes; raises :class:`BadHeader`."""
    if given is None or not _NUMBER.fullmatch(given):
        raise BadHeader(f"{name} must be a number of bytes.")
    return int(given)


def checksum(given: str) -> tuple[str, bytes]:
    """``Upload-Checksum`` as algorithm and digest; raises :class:`BadHeader`."""
    algorithm, _, encoded = given.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise BadHeader(f"Upload-Checksum may be by {', '.join(ALGORITHMS)}.")
    return algorithm, _decoded("Upload-Checksum", encoded)


def metadata(given: str) -> Mapping[str, bytes]:
    """``Upload-Metadata``: keys that are different, values that are anything at all."""
    if len(given) > MAX_METADATA:
        raise BadHeader(f"Upload-Metadata may be {MAX_METADATA} characters long.")
    found: dict[str, bytes] = {}
    for pair in given.split(",") if given.strip() else ():
        key, _, value = pair.strip(" ").partition(" ")
        if not _KEY.fullmatch(key) or key in found or len(found) == MAX_PAIRS:
            raise BadHeader("Upload-Metadata holds different keys, each with a value in base64.")
        found[key] = _decoded("Upload-Metadata", value)
    return found


def _decoded(name: str, value: str) -> bytes:
    try:
        return base64.b64decode(value.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise BadHeader(f"{name}: this is no base64.") from None


def wish(headers: Mapping[str, str], purposes: tuple[str, ...]) -> Wish:
    """What a creation asks for; ``purposes`` may be named here, the first one need not be.

    Of the metadata ``filename`` (or ``name``), ``purpose``, ``folder_id`` and ``title`` are
    understood; the rest is kept for HEAD and nothing else. Types of files are not believed.
    """
    if "upload-defer-length" in headers:
        raise BadHeader("This server wants to know the length first: send Upload-Length.")
    told = headers.get("upload-metadata", "").strip()
    found = metadata(told)
    size = number("Upload-Length", headers.get("upload-length"))
    purpose = _word("purpose", found.get("purpose", purposes[0].encode()))
    if purpose not in purposes:
        raise BadHeader(f"The purpose of an upload here may be: {', '.join(purposes)}.")
    folder = _word("folder_id", found.get("folder_id", b""))
    try:
        folder_id = UUID(folder) if folder else None
    except ValueError:
        raise BadHeader("folder_id must be the id of a folder.") from None
    name = found.get("filename") or found.get("name") or b""
    title = rules.label(_word("title", found.get("title", b"")), 255)
    return Wish(purpose, file_name(name), size, title=title, folder_id=folder_id, told=told)


def file_name(raw: bytes) -> str:
    """The last part of a path of any system, as inert text."""
    last = re.split(rb"[/\\]", raw)[-1]
    return rules.file_name(last) or "unnamed"


def _word(name: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadHeader(f"{name} must be UTF-8.") from None
