"""The data folder of one machine: where it is, who holds it, its secrets and remembered ports."""

import fcntl
import json
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_data_path

from sync2gear_cli.services import process
from sync2gear_cli.services.process import ServiceError


def data_folder() -> Path:
    """``S2G_DATA_DIR``, else /var/lib/sync2gear for root, else the user's own data folder."""
    if chosen := os.environ.get("S2G_DATA_DIR"):
        return Path(chosen).absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/sync2gear")
    return user_data_path("sync2gear")


def hold(folder: Path) -> int:
    """Take ``folder`` for this process until it ends; ServiceError if another one holds it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Services that run as other accounts must reach their own folders below.
        folder.chmod(0o755 if os.geteuid() == 0 else 0o700)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ServiceError(
            f"the data folder {folder} cannot be used ({error.strerror}); "
            f"set S2G_DATA_DIR to a folder of your own"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise ServiceError(
            f"{folder} is in use by another `sync2gear up` (process {holder}); "
            f"stop that one, or set S2G_DATA_DIR to another folder"
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def new_token() -> str:
    """256 bits from the system, as text."""
    return secrets.token_urlsafe(32)


def new_vault_key() -> str:
    """A key as S2G_VAULT_KEYS takes it: 256 bits from the system, in padded base64 (Fernet's)."""
    return urlsafe_b64encode(secrets.token_bytes(32)).decode()


def secret(path: Path, make: Callable[[], str] = new_token) -> str:
    """The secret kept in ``path`` (mode 0600), made when missing."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        value = make()
        process.write_file(path, value)
        return value


def port(folder: Path, name: str, preferred: int) -> int:
    """The port of ``name``, remembered in ``ports.json``; a new one is free."""
    file = folder / "ports.json"
    try:
        known = json.loads(file.read_text())
    except FileNotFoundError:
        known = {}
    except ValueError:
        raise ServiceError(f"{file} is damaged; remove it, new ports will be chosen") from None
    number = known.get(name) if isinstance(known, dict) else None
    if isinstance(number, int) and 0 < number < 65536:
        return number
    taken = {value for value in known.values() if isinstance(value, int)}
    number = preferred
    while number in taken or not process.is_free(number):
        number = process.free_port()
    known[name] = number
    process.write_file(file, json.dumps(known, indent=1) + "\n", 0o644)
    return number
