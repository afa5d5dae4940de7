"""`speaker`: list, look at, set, register, run and remove the devices that sound."""

import importlib.util
import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import typer

from sync2gear_cli import commands, health, names, output
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson
from sync2gear_cli.zones import find_zones, read_state

app = commands.new()
group = commands.new("Register speakers, run them and remove them.")
app.add_typer(group, name="speaker")

FIRMWARE: Final = "sync2gear_firmware"
_HEADS: Final = ("speaker", "zone", "status", "volume", "version", "last seen", "id")


class Sink(StrEnum):
    """Where a software speaker's sound goes."""

    CARD = "card"
    PULSE = "pulse"
    FILE = "file"
    NULL = "null"


@group.command("list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the speakers: zone, whether they are online, volume and firmware."""
    with open_api(ctx.obj) as api:
        found = list(api.pages("/devices/"))
        zones = {} if as_json else _zone_names(api)
    if as_json:
        output.emit({"results": found})
    else:
        output.show(_HEADS, [_row(one, zones) for one in found], "There are no speakers yet.")


@group.command(epilog=commands.examples("sync2gear speaker show counter"))
def show(
    ctx: typer.Context,
    speaker: Annotated[str, typer.Argument(help="Name, beginning of a name, or id.")],
    as_json: AsJson = False,
) -> None:
    """Show how a speaker is: settings, figures of its last heartbeat, and what is wrong."""
    with open_api(ctx.obj) as api:
        found = names.find("speaker", list(api.pages("/devices/")), speaker)
        zones = {} if as_json else _zone_names(api)
    if as_json:
        output.emit(found)
    else:
        output.show(("what", "is"), health.lines(found, zones), "")


@group.command(
    name="set",
    epilog=commands.examples(
        "sync2gear speaker set counter --volume 80 --channels mono --trim -20",
        "sync2gear speaker set counter --fetch-rate 250000 --fetch-window 22:00-06:00",
        'sync2gear speaker set counter --fetch-rate 0 --fetch-window ""',
    ),
)
def set_(
    ctx: typer.Context,
    speaker: Annotated[str, typer.Argument(help="Name, beginning of a name, or id.")],
    volume: Annotated[
        int | None, typer.Option(min=0, max=100, help="The loudest that it may be, in percent.")
    ] = None,
    trim: Annotated[
        int | None,
        typer.Option(min=-1000, max=1000, help="Milliseconds that what stands behind it takes."),
    ] = None,
    channels: Annotated[
        health.Channels | None, typer.Option(help="What of the two channels it sounds.")
    ] = None,
    fetch_rate: Annotated[
        int | None, typer.Option(min=0, help="Bytes a second that it may download; 0: any.")
    ] = None,
    fetch_window: Annotated[
        str | None,
        typer.Option(help='Hours of its location for downloads, HH:MM-HH:MM; "": all day.'),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set a speaker's volume, delay, channels and downloads; it has them once it is online."""
    given = {
        "volume": volume,
        "trim_millis": trim,
        "channels": channels.value if channels else None,
        "fetch_rate": fetch_rate,
        "fetch_window": fetch_window,
    }
    body = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise Failure("name at least one thing to set", "nothing_given")
    with open_api(ctx.obj) as api:
        found = names.find("speaker", list(api.pages("/devices/")), speaker)
        changed = api.patch(f"/devices/{found['id']}/", body)
    if as_json:
        output.emit(changed)
    else:
        output.line(f"{changed['name']} is set.")


@group.command(
    epilog=commands.examples(
        "sync2gear speaker register Counter --zone bar --credential counter.json"
    )
)
def register(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What to call it.")],
    credential: Annotated[
        Path, typer.Option(help="The new file (mode 0600) for its secret, which is shown once.")
    ],
    zone: Annotated[str | None, typer.Option(help="The zone that it sounds in.")] = None,
    hardware_id: Annotated[
        str | None, typer.Option(help="What tells its hardware apart, such as a serial number.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a new speaker known and write its credential file."""
    body = {"name": name, "hardware_id": hardware_id or f"software-{uuid4().hex[:12]}"}
    with open_api(ctx.obj) as api:
        if zone is not None:
            body["zone_id"] = find_zones(api, [zone])[0]
        # Made before the speaker: a secret that cannot be kept must not be given out.
        descriptor = _new_file(credential)
        try:
            answer = api.post("/devices/register/", body)
        except BaseException:
            os.close(descriptor)
            credential.unlink()
            raise
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(answer["credential"], indent=1) + "\n")
    if as_json:
        output.emit({"device": answer["device"], "credential_file": str(credential)})
    else:
        output.line(f"{name} is registered; it runs with:")
        output.line(f"  sync2gear speaker run --credential {credential}")


@group.command(
    epilog=commands.examples(
        "sync2gear speaker run --credential counter.json",
        "sync2gear speaker run --credential counter.json --sink file --file heard.wav",
    )
)
def run(
    credential: Annotated[Path, typer.Option(help="The file that `register` wrote.")],
    sink: Annotated[
        Sink, typer.Option(help="The sound card, a WAV file, or silence at the pace of real time.")
    ] = Sink.CARD,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="For audio, plays and state; by default beside the credential file."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="The WAV of --sink file; by default in the data folder.")
    ] = None,
) -> None:
    """Run a software speaker on this machine.

    Its firmware takes over this process: what it writes, Ctrl-C and the exit status are its own.
    """
    if not credential.is_file():
        raise Failure(f"{credential} is not a file", "no_credential")
    if importlib.util.find_spec(FIRMWARE) is None:
        raise Failure("install sync2gear-firmware beside this program", "no_firmware")
    folder = (data_dir or credential.with_suffix(".data")).absolute()
    environment = {
        **os.environ,
        "S2G_SPEAKER_CREDENTIAL": str(credential.absolute()),
        "S2G_SPEAKER_DATA_DIR": str(folder),
        "S2G_SPEAKER_SINK": sink.value,
    }
    if sink is Sink.FILE:
        environment["S2G_SPEAKER_FILE"] = str((file or folder / "played.wav").absolute())
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Failure(f"{folder}: {error.strerror}", "no_data_dir") from None
    os.execve(sys.executable, [sys.executable, "-m", FIRMWARE], environment)  # noqa: S606 - ours


@group.command(epilog=commands.examples("sync2gear speaker remove counter --yes"))
def remove(
    ctx: typer.Context,
    speaker: Annotated[str, typer.Argument(help="Name, beginning of a name, or id.")],
    yes: commands.Yes = False,
    as_json: AsJson = False,
) -> None:
    """Revoke a speaker: it is off the broker within seconds and its credential is worthless."""
    with open_api(ctx.obj) as api:
        found = names.find("speaker", list(api.pages("/devices/")), speaker)
        commands.ask(f"Remove {found['name']} [{found['id']}]?", yes=yes)
        api.delete(f"/devices/{found['id']}/")
    if as_json:
        output.emit({"removed": found["id"], "name": found["name"]})
    else:
        output.line(f"{found['name']} is removed.")


def _new_file(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Failure(f"{path} exists already; choose another name", "file_exists") from None
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", "bad_file") from None


def _zone_names(api: Api) -> dict[str, str]:
    return {view["zone_id"]: view["name"] for view in read_state(api)["results"]}


def _row(one: dict[str, Any], zones: dict[str, str]) -> tuple[object, ...]:
    zone = one["zone_id"]
    return (
        one["name"],
        zones.get(zone, zone) if zone else "-",
        "online" if one["is_online"] else "offline",
        one["volume"],
        one["firmware_version"] or "-",
        output.local_time(one["last_seen"], day=True) if one["last_seen"] else "never",
        one["id"],
    )
