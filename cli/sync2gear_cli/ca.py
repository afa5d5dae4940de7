"""`ca`: the installation's own certificates, in the folder `tls` of the data folder."""

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from cryptography import x509

from sync2gear_cli import commands, output
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson
from sync2gear_cli.services.folder import data_folder
from sync2gear_cli.services.process import write_file
from sync2gear_cli.tls import authority, certificates, names
from sync2gear_cli.tls.authority import Server, Trusted
from sync2gear_cli.tls.names import Name

app = commands.new()
group = commands.new("Certificates of our own: make, issue, renew, replace, hand out.")
app.add_typer(group, name="ca")

NAME: Final = "tls"
_HEADS: Final = ("certificate", "signed by", "ends", "days", "names")
_DER: Final = ".der", ".cer"

_STEPS: Final = {
    "none": "",
    "prepared": "A new root waits. When every speaker, phone and computer trusts it: "
    "sync2gear ca roll --switch",
    "switched": "The new root signs. When nobody uses the old bundle any more: "
    "sync2gear ca roll --finish",
}


def _days(default: int) -> Any:
    return typer.Option(min=1, max=36_500, help=f"How long it is valid ({default}).")


Names = Annotated[
    list[str] | None,
    typer.Option("--name", help="A host name or address besides this machine's own."),
]


@group.command()
def init(
    name: Names = None,
    days: Annotated[int, _days(certificates.ROOT_DAYS)] = certificates.ROOT_DAYS,
    as_json: AsJson = False,
) -> None:
    """Make the authority: a root for this installation's own names and networks only."""
    folder = _folder()
    with authority.held(folder):
        root = authority.init(folder, _now(), more=_parse(name), days=days)
    if as_json:
        output.emit({"folder": str(folder), "root": _root_view(root)})
        return
    output.line(f"The authority is in {folder}.")
    output.line(f"Its root: {certificates.fingerprint(root.certificate)}")
    output.note("Keep root.pem secret and backed up. Next: sync2gear ca issue, sync2gear ca trust")


@group.command(epilog=commands.examples("sync2gear ca issue", "sync2gear ca issue --name 10.0.0.7"))
def issue(
    server: Annotated[
        list[str] | None, typer.Argument(help="api, broker, or both (the default).")
    ] = None,
    name: Names = None,
    days: Annotated[int, _days(certificates.SERVER_DAYS)] = certificates.SERVER_DAYS,
    as_json: AsJson = False,
) -> None:
    """Make new server certificates, for this machine's names and addresses."""
    wanted = list(server or authority.SERVERS)
    if unknown := sorted(set(wanted) - set(authority.SERVERS)):
        raise typer.BadParameter(f"{unknown[0]} is neither api nor broker", param_hint="SERVER")
    folder = _folder()
    with authority.held(folder):
        made = authority.issue(folder, wanted, _now(), more=_parse(name), days=days)
    _tell(made, as_json)


@group.command()
def renew(
    within: Annotated[
        int, typer.Option(min=0, help="Renew what ends within so many days.")
    ] = authority.RENEW_DAYS,
    every: Annotated[bool, typer.Option("--all", help="Renew whatever there is.")] = False,
    begin: Annotated[
        bool, typer.Option("--init", help="Make the authority where there is none.")
    ] = False,
    days: Annotated[int, _days(certificates.SERVER_DAYS)] = certificates.SERVER_DAYS,
    as_json: AsJson = False,
) -> None:
    """Make new server certificates where they end soon or lack a name of this machine."""
    folder = _folder()
    with authority.held(folder):
        if begin and not authority.exists(folder):
            authority.init(folder, _now(), days=certificates.ROOT_DAYS)
        reasons = authority.due(folder, _now(), within)
        wanted = list(authority.SERVERS if every else reasons)
        made = authority.issue(folder, wanted, _now(), days=days) if wanted else []
    if not as_json:
        for one in made:
            output.line(f"{one.name}: renewed ({reasons.get(one.name, 'asked for')})")
    _tell(made, as_json)


@group.command(epilog=commands.examples("sync2gear ca device --credential counter.json"))
def device(
    credential: Annotated[Path, typer.Option(help="The file that `speaker register` wrote.")],
    days: Annotated[int, _days(certificates.DEVICE_DAYS)] = certificates.DEVICE_DAYS,
    as_json: AsJson = False,
) -> None:
    """Give a device a certificate of its own, inside its credential file.

    Needed where the broker asks for one (S2G_MQTT_REQUIRE_CERTIFICATE); name and secret stay what
    they are. The bundle that it trusts comes with it.
    """
    folder = _folder()
    known = _read_credential(credential)
    with authority.held(folder):
        made = authority.device(folder, f"{known['client']}/{known['device']}", _now(), days=days)
        trust = authority.trust_file(folder).read_text()
    more = {"ca": trust, "certificate": made.certificate_pem(), "key": made.key_pem()}
    _guard(credential, lambda: write_file(credential, json.dumps({**known, **more}, indent=1)))
    if as_json:
        view = _view("device", made.certificate, "current")
        output.emit({"credential_file": str(credential), **view})
    else:
        output.line(f"{credential} has a certificate until {_day(made.certificate)}.")


@group.command()
def show(as_json: AsJson = False) -> None:
    """Show roots and certificates: fingerprints, names, and what ends when."""
    folder = _folder()
    roots, servers = authority.trusted(folder), authority.servers(folder)
    step = _step(roots)
    reasons = authority.due(folder, _now())
    if as_json:
        output.emit(
            {
                "folder": str(folder),
                "trust_file": str(authority.trust_file(folder)),
                "roll": step,
                "roots": [_root_view(root) for root in roots],
                "certificates": [_server_view(server) for server in servers],
                "due": reasons,
            }
        )
        return
    rows = [_row(f"root ({root.role})", root.certificate, "itself", []) for root in roots]
    rows += [
        _row(s.name, s.certificate, s.signed_by or "?", certificates.names_of(s.certificate))
        for s in servers
    ]
    output.show(_HEADS, rows, "")
    for root in roots:
        output.line(f"root ({root.role}): {certificates.fingerprint(root.certificate)}")
    for name, reason in reasons.items():
        output.note(f"{name} is due: {reason} (sync2gear ca renew)")
    if _STEPS[step]:
        output.note(_STEPS[step])


@group.command(
    epilog=commands.examples(
        "sync2gear ca roll", "sync2gear ca roll --switch", "sync2gear ca roll --finish"
    )
)
def roll(
    switch: Annotated[bool, typer.Option("--switch", help="Second: the new root signs.")] = False,
    finish: Annotated[bool, typer.Option("--finish", help="Third: forget the old one.")] = False,
    name: Names = None,
    as_json: AsJson = False,
) -> None:
    """Replace the root in three steps, so that everybody trusts the new one before it is used.

    First (without an option) the new root joins the bundle. Second it signs the servers'
    certificates. Third the old root leaves the bundle. Between them speakers fetch the bundle by
    themselves within the hour; phones and computers need the new root installed.
    """
    if switch and finish:
        raise typer.BadParameter("one step at a time", param_hint="--switch, --finish")
    if name and (switch or finish):
        raise typer.BadParameter("only when the new root is made", param_hint="--name")
    folder = _folder()
    with authority.held(folder):
        if switch:
            authority.switch_roll(folder, _now(), days=certificates.SERVER_DAYS)
        elif finish:
            authority.finish_roll(folder)
        else:
            authority.prepare_roll(folder, _now(), more=_parse(name), days=certificates.ROOT_DAYS)
        roots = authority.trusted(folder)
    step = _step(roots)
    if as_json:
        output.emit({"roll": step, "roots": [_root_view(root) for root in roots]})
        return
    for root in roots:
        output.line(f"root ({root.role}): {certificates.fingerprint(root.certificate)}")
    output.note(_STEPS[step] or "The roll is over: only the current root is trusted.")


@group.command(
    epilog=commands.examples("sync2gear ca trust > roots.pem", "sync2gear ca trust --out root.cer")
)
def trust(
    out: Annotated[
        Path | None,
        typer.Option(help="A new file; .der and .cer hold the newest root as phones take it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write what phones, computers and speakers are to trust.

    iPhone: send them the .cer, install the profile, then Settings > General > About > Certificate
    Trust Settings. Android: Settings > Security > Install a certificate > CA certificate. Windows:
    open the .cer, install it under Trusted Root Certification Authorities. macOS: open it in
    Keychain Access, trust it. Debian: copy the PEM to /usr/local/share/ca-certificates/NAME.crt,
    then update-ca-certificates. Firefox keeps a list of its own: Settings > Certificates.
    """
    folder = _folder()
    roots = authority.trusted(folder)
    newest = max((root.certificate for root in roots), key=lambda one: one.not_valid_before_utc)
    bundle = "".join(certificates.pem(root.certificate) for root in roots)
    if out is not None and out.suffix in _DER:
        _write_new(out, certificates.der(newest))
    elif out is not None:
        _write_new(out, bundle.encode())
    if as_json:
        output.emit({"roots": [_root_view(root) for root in roots], "pem": bundle})
    elif out is None:
        sys.stdout.write(bundle)
    else:
        output.line(f"{out}: {certificates.fingerprint(newest)}")


def _folder() -> Path:
    return data_folder() / NAME


def _now() -> datetime:
    return datetime.now(UTC)


def _parse(given: list[str] | None) -> list[Name]:
    try:
        return [names.parse(one) for one in given or ()]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--name") from None


def _step(roots: list[Trusted]) -> str:
    roles = {root.role for root in roots}
    return "prepared" if "next" in roles else "switched" if "old" in roles else "none"


def _tell(made: list[Server], as_json: bool) -> None:
    if as_json:
        output.emit({"certificates": [_server_view(server) for server in made]})
        return
    for one in made:
        listed = ", ".join(map(str, certificates.names_of(one.certificate)))
        output.line(f"{one.file}: until {_day(one.certificate)}, for {listed}")
    if made:
        output.note(
            "A running api and `sync2gear up` load it within seconds; "
            "a broker of your own does at SIGHUP."
        )
    else:
        output.line("Nothing is due.")


def _view(name: str, certificate: x509.Certificate, signed_by: str | None) -> dict[str, Any]:
    return {
        "name": name,
        "fingerprint": certificates.fingerprint(certificate),
        "signed_by": signed_by,
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "names": [str(one) for one in certificates.names_of(certificate)],
    }


def _server_view(server: Server) -> dict[str, Any]:
    return {**_view(server.name, server.certificate, server.signed_by), "file": str(server.file)}


def _root_view(root: Trusted) -> dict[str, Any]:
    permitted = certificates.permitted_by(root.certificate)
    return {
        "role": root.role,
        "fingerprint": certificates.fingerprint(root.certificate),
        "not_after": root.certificate.not_valid_after_utc.isoformat(),
        "permitted": permitted,
    }


def _row(
    title: str, certificate: x509.Certificate, signed_by: str, listed: list[Name]
) -> tuple[object, ...]:
    left = (certificate.not_valid_after_utc - _now()).days
    short = ", ".join(map(str, listed))
    return (title, signed_by, _day(certificate), left, short)


def _day(certificate: x509.Certificate) -> str:
    return f"{certificate.not_valid_after_utc:%Y-%m-%d}"


def _read_credential(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text())
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", "no_credential") from None
    except ValueError:
        known = None
    if not isinstance(known, dict) or not {"client", "device", "secret"} <= known.keys():
        raise Failure(f"{path} is not a device's credential", "no_credential")
    return known


def _write_new(path: Path, data: bytes) -> None:
    def write() -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)

    if path.exists():
        raise Failure(f"{path} exists already; choose another name", "file_exists")
    _guard(path, write)


def _guard(path: Path, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", "bad_file") from None
