"""Who is logged in where: profiles in a file that only its owner can read, and the environment."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from platformdirs import user_config_path

from sync2gear_cli.failures import SIGNED_OUT, Failure
from sync2gear_cli.services.process import write_file

DEFAULT_URL: Final = "http://127.0.0.1:8080"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_FILE_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Profile:
    """A login that was kept. ``token`` is good until ``expires_at`` (Unix time in seconds) and
    ``refresh`` gets the next one; an older file may have none.
    """

    url: str
    email: str
    client: str
    token: str
    expires_at: int
    refresh: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """Where to speak to and as whom; ``token`` is None before the login.

    ``profile`` names the kept login whose token it is: such a token can be renewed.
    """

    url: str
    token: str | None = None
    profile: str | None = None


def profile_name(chosen: str | None) -> str:
    """``--profile``, else ``S2G_PROFILE``, else ``default``."""
    return chosen or os.environ.get("S2G_PROFILE") or "default"


def sessions_file() -> Path:
    """Where profiles are kept: below ``S2G_CONFIG_DIR``, else in the user's configuration."""
    given = os.environ.get("S2G_CONFIG_DIR")
    return (Path(given) if given else user_config_path("sync2gear")) / "sessions.json"


def checked_url(url: str) -> str:
    """``url`` without a trailing slash; Failure unless it is http(s)://host[:port][/path]."""
    try:
        parts = urlsplit(url)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if wrong or parts.username is not None or parts.query or parts.fragment:
        raise Failure(f"{url[:200]!r} is not an address such as {DEFAULT_URL}", "bad_url")
    return url.rstrip("/")


def is_exposed(url: str) -> bool:
    """Whether a password would travel to ``url`` unencrypted over a network."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


def load() -> dict[str, Profile]:
    """Every profile that is kept, by name; Failure when the file is damaged."""
    file = sessions_file()
    try:
        with file.open("rb") as opened:
            kept = json.loads(opened.read(_FILE_BYTES))
        names = {field.name for field in fields(Profile)}
        return {
            str(name): Profile(**{key: one[key] for key in names & one.keys()})
            for name, one in kept["profiles"].items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Failure(
            f"{file} is damaged; remove it and log in again", "bad_session_file"
        ) from None
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}", "bad_session_file") from None


@contextmanager
def locked() -> Iterator[None]:
    """Within: no other process changes the kept profiles. Two terminals that renew one session at
    once would show the platform one refresh token twice, which ends the session for good.
    """
    file = sessions_file().with_suffix(".lock")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}", "bad_session_file") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def keep(name: str, profile: Profile) -> Path:
    """Write ``profile`` down (mode 0600); returns the file."""
    with locked():
        return put(name, profile)


def put(name: str, profile: Profile) -> Path:
    """As :func:`keep`, by whoever holds the lock already."""
    return _write(load() | {name: profile})


def forget(name: str) -> bool:
    """Remove a profile; False if there was none."""
    if name not in load():
        return False
    with locked():
        _write({one: kept for one, kept in load().items() if one != name})
    return True


def connect(chosen: str | None) -> Connection:
    """Where to speak to and as whom; Failure (status 3) when nobody is logged in there.

    ``S2G_URL`` and ``S2G_TOKEN`` override the profile. A kept token goes only to the address
    that gave it: with another ``S2G_URL`` it is not sent.
    """
    name = profile_name(chosen)
    profile = load().get(name)
    url, token = os.environ.get("S2G_URL"), os.environ.get("S2G_TOKEN")
    url = checked_url(url) if url else profile.url if profile else DEFAULT_URL
    if token:
        return Connection(url, token)
    if profile is None or profile.url != url:
        raise Failure(
            f"nobody is logged in at {url} (profile {name}): run `sync2gear login`",
            "not_logged_in",
            SIGNED_OUT,
        )
    if profile.expires_at <= time.time() and not profile.refresh:
        raise Failure(
            f"the session at {url} has ended: run `sync2gear login`", "session_ended", SIGNED_OUT
        )
    return Connection(url, profile.token, name)


def _write(profiles: dict[str, Profile]) -> Path:
    file = sessions_file()
    kept = {"v": 1, "profiles": {name: asdict(one) for name, one in sorted(profiles.items())}}
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(file, json.dumps(kept, indent=1) + "\n")
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}", "bad_session_file") from None
    return file
