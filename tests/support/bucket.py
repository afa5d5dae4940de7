"""S3 as a process of its own: moto's server, which keeps objects and checks no signature."""

import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from sync2gear_cli.services import process

ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "a-secret-key-of-the-tests",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
"""The environment in which a store finds its credentials, and no others."""


@dataclass
class Buckets:
    """A running server. ``url(...)`` is an address for ``S2G_MEDIA_URL`` of a new bucket."""

    port: int
    child: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Any:
        """S3 as boto3 shows it, to look at what lies there."""
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="eu-central-1",
            aws_access_key_id=ACCOUNT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ACCOUNT["AWS_SECRET_ACCESS_KEY"],
            config=Config(s3={"addressing_style": "path"}),
        )

    def make(self) -> str:
        """A new bucket; returns its name."""
        name = f"media-{secrets.token_hex(6)}"
        place = {"LocationConstraint": "eu-central-1"}
        self.client().create_bucket(Bucket=name, CreateBucketConfiguration=place)
        return name

    def url(self, bucket: str, prefix: str = "s2g") -> str:
        return f"s3://{bucket}/{prefix}?region=eu-central-1&endpoint={self.endpoint}"

    def keys(self, bucket: str) -> list[str]:
        """The names of all objects."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [one["Key"] for page in pages for one in page.get("Contents", ())]

    def unfinished(self, bucket: str) -> list[str]:
        """The names of uploads in parts that are neither completed nor aborted."""
        listed = self.client().list_multipart_uploads(Bucket=bucket)
        return [one["Key"] for one in listed.get("Uploads", ())]

    def start(self) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while not self._answers():
            assert self.child.poll() is None, "moto's server ended"
            assert time.monotonic() < until, "moto's server does not answer"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.endpoint}/moto-api/", timeout=5).close()
        except (urllib.error.URLError, OSError):
            return False
        return True

    def stop(self) -> None:
        """End it, and with it everything that it held."""
        if self.child is not None:
            self.child.kill()
            self.child.wait()
            self.child = None


@contextmanager
def buckets() -> Iterator[Buckets]:
    """A server for as long as the context lasts."""
    server = Buckets(process.free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()
