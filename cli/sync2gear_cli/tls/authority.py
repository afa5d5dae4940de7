"""The authority's folder: who signs now, next and before, what clients trust, and the servers.

``root.pem`` (0600) is the root with its key, ``next.pem`` the one that takes over, ``old.crt`` the
one before. ``trust.pem`` is what clients are to trust, always all of them, so that nobody meets a
server that he does not trust yet. ``api`` and ``broker`` are ``NAME.crt`` and ``NAME.key``.
"""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from cryptography import x509

from sync2gear_cli.failures import Failure
from sync2gear_cli.services.process import write_file
from sync2gear_cli.tls import certificates, names
from sync2gear_cli.tls.certificates import Signed
from sync2gear_cli.tls.names import Name

SERVERS: Final = ("api", "broker")
RENEW_DAYS: Final = 30

Role = Literal["current", "next", "old"]


@dataclass(frozen=True, slots=True)
class Trusted:
    """A root that clients trust."""

    role: Role
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class Server:
    """A server's certificate as it lies in the folder."""

    name: str
    file: Path
    certificate: x509.Certificate
    signed_by: Role | None


def trust_file(folder: Path) -> Path:
    """The bundle of ``folder``."""
    return folder / "trust.pem"


def server_files(folder: Path, name: str) -> tuple[Path, Path]:
    """Certificate and key of a server."""
    return folder / f"{name}.crt", folder / f"{name}.key"


def exists(folder: Path) -> bool:
    """Whether there is an authority in ``folder``."""
    return (folder / "root.pem").exists()


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Change ``folder`` alone: `sync2gear up` renews by itself while a person rolls."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(folder, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    except OSError as error:
        raise _unusable(folder, error) from None
    finally:
        os.close(descriptor)


def init(folder: Path, now: datetime, *, more: Sequence[Name] = (), days: int) -> Trusted:
    """Make the root and what clients trust; refuses where there is one."""
    if exists(folder):
        raise Failure(
            f"{folder} has an authority already; `sync2gear ca roll` replaces its root",
            "authority_exists",
        )
    _write_names(folder, more)
    root = _new_root(more, now, days)
    _write_root(folder / "root.pem", root)
    _write_trust(folder)
    return Trusted("current", root.certificate)


def trusted(folder: Path) -> list[Trusted]:
    """The roots that clients trust, the one that signs first."""
    found = [Trusted("current", _root(folder).certificate)]
    if (folder / "next.pem").exists():
        found.append(Trusted("next", _root(folder, "next.pem").certificate))
    with contextlib.suppress(FileNotFoundError):
        old = certificates.read((folder / "old.crt").read_text())[0]
        if old != found[0].certificate:  # a switch that was cut short before it renamed
            found.append(Trusted("old", old))
    return found


def servers(folder: Path) -> list[Server]:
    """The servers that have certificates."""
    roots = trusted(folder)
    found = []
    for name in SERVERS:
        file, _ = server_files(folder, name)
        with contextlib.suppress(FileNotFoundError):
            one = certificates.read(file.read_text())[0]
            by = (r.role for r in roots if certificates.is_signed_by(one, r.certificate))
            found.append(Server(name, file, one, next(by, None)))
    return found


def issue(
    folder: Path, wanted: Sequence[str], now: datetime, *, more: Sequence[Name] = (), days: int
) -> list[Server]:
    """New keys and certificates for ``wanted`` servers; ``more`` names are remembered."""
    root = _root(folder)
    remembered = list(dict.fromkeys([*_read_names(folder), *more]))
    permitted = certificates.permitted_by(root.certificate)
    foreign = [str(name) for name in remembered if not names.is_within(name, permitted)]
    if foreign:
        raise Failure(
            f"this root may not vouch for {', '.join(foreign)}; "
            f"`sync2gear ca roll --name {foreign[0]}` makes one that may",
            "name_not_permitted",
        )
    if more:
        _write_names(folder, remembered)
    own = [name for name in names.own() if names.is_within(name, permitted)]
    for name in wanted:
        made = certificates.make_server(root, list(dict.fromkeys([*remembered, *own])), now, days)
        file, key = server_files(folder, name)
        # Whoever reads both between these two lines sees that they are no pair and reads again.
        write_file(key, made.key_pem())
        write_file(file, made.certificate_pem(), 0o644)
    return [server for server in servers(folder) if server.name in wanted]


def due(folder: Path, now: datetime, within: int = RENEW_DAYS) -> dict[str, str]:
    """Server -> why it needs a new certificate."""
    root = _root(folder)
    permitted = certificates.permitted_by(root.certificate)
    wanted = {n for n in (*_read_names(folder), *names.own()) if names.is_within(n, permitted)}
    found = {server.name: server for server in servers(folder)}
    reasons = {}
    for name in SERVERS:
        server = found.get(name)
        if server is None:
            reasons[name] = "it has none"
        elif server.certificate.not_valid_after_utc < now + timedelta(days=within):
            reasons[name] = f"it ends {server.certificate.not_valid_after_utc:%Y-%m-%d}"
        elif not certificates.is_signed_by(server.certificate, root.certificate):
            reasons[name] = "another root has signed it"
        elif lacking := wanted - set(certificates.names_of(server.certificate)):
            reasons[name] = f"it lacks {', '.join(sorted(map(str, lacking)))}"
    return reasons


def ready(folder: Path, now: datetime) -> list[str]:
    """Make whatever is missing or due: root, bundle, servers' certificates. What was done."""
    with held(folder):
        made = not exists(folder)
        if made:
            init(folder, now, days=certificates.ROOT_DAYS)
        reasons = due(folder, now)
        if reasons:
            issue(folder, list(reasons), now, days=certificates.SERVER_DAYS)
    if made:
        return [f"a new root is in {folder}"]
    return [f"new certificate for {name}: {reason}" for name, reason in reasons.items()]


def prepare_roll(folder: Path, now: datetime, *, more: Sequence[Name] = (), days: int) -> None:
    """Make the next root, which everybody trusts from now on and which signs nothing yet."""
    if (folder / "old.crt").exists():
        raise Failure(
            "the last roll is not over; end it with `sync2gear ca roll --finish`", "roll_not_over"
        )
    if (folder / "next.pem").exists():
        raise Failure(
            "the next root waits already; `sync2gear ca roll --switch` lets it sign, "
            "as soon as everybody has the new bundle",
            "roll_begun",
        )
    _root(folder)
    _write_root(folder / "next.pem", _new_root([*_read_names(folder), *more], now, days))
    if more:
        _write_names(folder, [*_read_names(folder), *more])
    _write_trust(folder)


def switch_roll(folder: Path, now: datetime, *, days: int) -> list[Server]:
    """Let the next root sign: new certificates for the servers; the old root is trusted still."""
    if not (folder / "next.pem").exists():
        raise Failure("there is no next root; `sync2gear ca roll` makes one", "no_next_root")
    write_file(folder / "old.crt", certificates.pem(_root(folder).certificate), 0o644)
    _write_trust(folder)
    (folder / "next.pem").replace(folder / "root.pem")
    _write_trust(folder)
    return issue(folder, [server.name for server in servers(folder)] or SERVERS, now, days=days)


def finish_roll(folder: Path) -> None:
    """Trust the old root no more."""
    if not (folder / "old.crt").exists():
        raise Failure("there is no old root to forget", "no_old_root")
    late = [server.name for server in servers(folder) if server.signed_by != "current"]
    if late:
        raise Failure(
            f"{', '.join(late)} still shows a certificate of the old root; "
            f"`sync2gear ca renew` makes a new one",
            "old_root_in_use",
        )
    (folder / "old.crt").unlink()
    _write_trust(folder)


def device(folder: Path, username: str, now: datetime, *, days: int) -> Signed:
    """A certificate with which the device ``username`` may open a connection."""
    return certificates.make_device(_root(folder), username, now, days)


def _new_root(more: Sequence[Name], now: datetime, days: int) -> Signed:
    own = [name for name in (*names.own(), *more) if not names.is_within(name, _always())]
    permitted = [*_always(), *(_permit(name) for name in own)]
    return certificates.make_root(
        f"sync2gear {socket.gethostname()} {now:%Y-%m-%d %H:%M:%S}",
        list(dict.fromkeys(permitted)),
        now,
        days,
    )


def _always() -> list[str]:
    return [*names.LOCAL, *map(str, names.PRIVATE)]


def _permit(name: Name) -> str:
    if isinstance(name, str):
        return name.removeprefix("*.")
    return f"{name}/{name.max_prefixlen}"


def _root(folder: Path, file: str = "root.pem") -> Signed:
    try:
        return certificates.read_signed((folder / file).read_text())
    except FileNotFoundError:
        raise Failure(
            f"there is no authority in {folder}; `sync2gear ca init` makes one", "no_authority"
        ) from None
    except ValueError as error:
        raise Failure(f"{folder / file} is damaged: {error}", "authority_damaged") from None
    except OSError as error:
        raise _unusable(folder, error) from None


def _write_root(file: Path, root: Signed) -> None:
    write_file(file, root.certificate_pem() + root.key_pem())


def _write_trust(folder: Path) -> None:
    text = "".join(certificates.pem(one.certificate) for one in trusted(folder))
    write_file(trust_file(folder), text, 0o644)


def _read_names(folder: Path) -> list[Name]:
    try:
        lines = (folder / "names").read_text().split()
    except FileNotFoundError:
        return []
    try:
        return [names.parse(line) for line in lines]
    except ValueError as error:
        raise Failure(f"{folder / 'names'}: {error}", "authority_damaged") from None


def _write_names(folder: Path, wanted: Sequence[Name]) -> None:
    lines = dict.fromkeys(f"{name}\n" for name in wanted)
    write_file(folder / "names", "".join(lines), 0o644)


def _unusable(folder: Path, error: OSError) -> Failure:
    where = error.filename or folder
    return Failure(f"{where}: {error.strerror or error}", "tls_folder")
