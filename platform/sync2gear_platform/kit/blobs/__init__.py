"""Blobs by content: bytes named by their SHA-256, put once, read in ranges.

A blob is staged first, read by whoever judges it, and only then kept: what was judged is what is
stored. Names from outside never become part of a path.
"""

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from sync2gear_platform.kit.blobs.folder import Folder
from sync2gear_platform.kit.blobs.port import (
    CHUNK,
    Blobs,
    Direct,
    NotWhole,
    Piece,
    Shown,
    Staged,
    StoreUnavailable,
    TooLarge,
)
from sync2gear_platform.kit.blobs.scratch import hash_file

__all__ = [
    "CHUNK",
    "Blobs",
    "Direct",
    "Folder",
    "NotWhole",
    "Piece",
    "Shown",
    "Staged",
    "StoreUnavailable",
    "TooLarge",
    "hash_file",
    "open_blobs",
]


def open_blobs(url: str) -> Blobs:
    """The store at ``url``; ``ValueError`` for anything else.

    ``file:///absolute/folder``, or ``s3://bucket/prefix?region=...&endpoint=...&scratch=/folder``
    (``&direct=yes`` where whoever uploads may reach the bucket), whose credentials come from the
    environment as boto3 finds them, never from the address.
    """
    try:
        parts = urlsplit(url)
        account = parts.username or parts.password
    except ValueError:
        raise ValueError("S2G_MEDIA_URL: no address") from None
    if parts.scheme == "s3":
        if account:
            raise ValueError("S2G_MEDIA_URL: no credentials here; see AWS_ACCESS_KEY_ID")
        return _bucket(parts.netloc, unquote(parts.path), parts.query)
    if parts.scheme != "file":
        raise ValueError(f"S2G_MEDIA_URL: {parts.scheme or 'no'} scheme; use file:// or s3://")
    path = Path(unquote(parts.path))
    if parts.netloc not in {"", "localhost"} or not path.is_absolute():
        raise ValueError("S2G_MEDIA_URL: a file address needs an absolute path: file:///folder")
    return Folder(path)


def _bucket(bucket: str, path: str, query: str) -> Blobs:
    # boto3 takes a third of a second to load: only for whoever has a bucket.
    from sync2gear_platform.kit.blobs.s3 import S3

    options = {name: values[-1] for name, values in parse_qs(query).items()}
    scratch = Path(options.get("scratch", ""))
    known = {"endpoint", "region", "scratch", "direct"}
    if not bucket or set(options) - known or not scratch.is_absolute():
        raise ValueError(
            "S2G_MEDIA_URL: s3://bucket/prefix with region, endpoint, scratch (an absolute"
            " folder) and direct as options"
        )
    if options.get("direct", "no") not in {"yes", "no"}:
        raise ValueError("S2G_MEDIA_URL: direct is yes or no")
    endpoint = options.get("endpoint")
    if endpoint is not None and urlsplit(endpoint).scheme not in {"http", "https"}:
        raise ValueError("S2G_MEDIA_URL: the endpoint of a bucket is an http(s) address")
    return S3(
        bucket,
        scratch,
        prefix=path.strip("/"),
        endpoint=endpoint,
        region=options.get("region"),
        direct=options.get("direct") == "yes",
    )
