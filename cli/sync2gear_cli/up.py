"""`sync2gear up`: everything of one machine as child processes of this one."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from sync2gear_cli.failures import Failure
from sync2gear_cli.services import folder as data
from sync2gear_cli.services import process, stack
from sync2gear_cli.services.merged_log import MergedLog
from sync2gear_cli.services.process import ServiceError
from sync2gear_cli.services.stack import Stack
from sync2gear_cli.services.supervisor import Chore, Program, Supervisor
from sync2gear_cli.tls import authority, names

_SINKS = ("auto", "card", "pulse", "file", "null")
_SOUNDS = {
    "card": "through the sound card",
    "pulse": "through the sound server",
    "file": "into played.wav in its folder",
    "null": "silently (S2G_UP_SINK=pulse, card or file makes it heard)",
}
_POLL_SECONDS = 0.1
_CERTIFICATES_SECONDS = 3600.0


@dataclass
class _Interrupts:
    """Turns SIGINT, SIGTERM and SIGHUP into KeyboardInterrupt: once to end, once more to force."""

    count: int = field(default=0, init=False)

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._handle)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count <= 2:
            raise KeyboardInterrupt


def up(
    music: Annotated[
        Path | None,
        typer.Option(help="Folder of audio files to play; without it a few tones of our own."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of dashboard and API.")
    ] = None,
    lan: Annotated[
        bool,
        typer.Option("--lan", help="Let others in: HTTPS and MQTT over TLS on every address."),
    ] = False,
    no_speakers: Annotated[
        bool, typer.Option("--no-speakers", help="Run no software speakers.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say on stdout, as one JSON line, what runs.")
    ] = False,
) -> None:
    """Run everything here: database, broker, platform, dashboard and software speakers.

    Ends cleanly on Ctrl-C; a second Ctrl-C ends by force.
    """
    _Interrupts().install()
    log = MergedLog(sys.stderr if as_json else sys.stdout, plain=as_json)
    supervisor = Supervisor(log.say)
    status = 0
    try:
        seeded = _start(supervisor, log, music, port, lan=lan, speakers=not no_speakers)
        if as_json:
            log.flush()
            sys.stdout.write(json.dumps(seeded) + "\n")
            sys.stdout.flush()
        else:
            for line in _summary(seeded):
                log.say("up", line)
        supervisor.watch()
    except KeyboardInterrupt:
        log.say("up", "ending; Ctrl-C again ends by force")
    except ServiceError as error:
        log.say("up", f"ERROR: {error}")
        status = 1
    finally:
        supervisor.end()
        log.say("up", "all ended")
        log.close()
    raise typer.Exit(status)


def _start(
    supervisor: Supervisor,
    log: MergedLog,
    music: Path | None,
    port: int | None,
    *,
    lan: bool,
    speakers: bool,
) -> dict[str, Any]:
    """Start all in order; what ``--json`` says: the seed's answer, the ports and the folder."""
    if music is not None and not music.is_dir():
        raise ServiceError(f"{music} is not a folder")
    wish = os.environ.get("S2G_UP_SINK") or "auto"
    if wish not in _SINKS:
        raise ServiceError(f"S2G_UP_SINK is {wish!r}; it must be one of {', '.join(_SINKS)}")
    folder = data.data_folder()
    data.hold(folder)
    plan = stack.compose(folder, os.environ, port, lan=lan)
    log.say("up", f"data in {folder}")
    if "S2G_MQTT_PASSWORD_FILE" not in plan.environment:
        log.say("up", "S2G_MQTT_PASSWORD_FILE is not set: accounts of devices are yours to make")
    _keep_certificates(supervisor, log, plan)
    for program in stack.services(plan):
        _start_one(supervisor, log, program)
    _run_once(supervisor, log, plan, "migrate", [])
    _start_one(supervisor, log, stack.api(plan, log))
    _start_one(supervisor, log, stack.worker(plan, log))
    arguments = [] if music is None else ["--music", str(music.absolute())]
    seeded = _parse_seed(_run_once(supervisor, log, plan, "seed", arguments))
    log.names = {str(zone["id"]): f"'{zone['name']}'" for zone in seeded["zones"]}
    for one, sink in zip(seeded["speakers"], sinks(seeded["speakers"], wish), strict=True):
        one["sink"] = sink
        if speakers:
            program = stack.speaker(plan, log, one["name"], Path(one["credential_file"]), sink)
            supervisor.start(program)
    safe = f"https://{plan.https_host}:{plan.https_port}"
    if plan.https_host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        safe = f"https://{names.outward() or 'localhost'}:{plan.https_port}"
    return {
        **seeded,
        "url": plan.url,
        "https_url": safe,
        "data_dir": str(folder),
        "ports": _ports(plan),
    }


def _keep_certificates(supervisor: Supervisor, log: MergedLog, plan: Stack) -> None:
    """Certificates that are missing or due are made now and while all runs; the broker is told."""

    def make() -> None:
        if plan.tls_folder is not None:
            try:
                for line in authority.ready(plan.tls_folder, datetime.now(UTC)):
                    log.say("up", line)
            except Failure as failure:
                raise ServiceError(failure.detail) from None

    def tell() -> None:
        if plan.broker is not None and plan.broker.refresh():
            log.say("up", "the broker reads its new certificate")

    make()
    chores = [Chore("certificates", _CERTIFICATES_SECONDS, make), Chore("broker", 2.0, tell)]
    soon = time.monotonic() + _CERTIFICATES_SECONDS
    chores[0].again_at = soon
    supervisor.chores = chores


def _start_one(supervisor: Supervisor, log: MergedLog, program: Program) -> None:
    began = time.monotonic()
    supervisor.start(program)
    log.say("up", f"{program.name} runs ({time.monotonic() - began:.1f} s)")


def _run_once(
    supervisor: Supervisor, log: MergedLog, plan: Stack, verb: str, arguments: list[str]
) -> str:
    """Run ``sync2gear_platform VERB`` to its end while the rest is watched; its stdout."""
    began = time.monotonic()
    answer_file = plan.folder / f"{verb}.out"
    with answer_file.open("wb") as answer:
        child = process.spawn(
            [*stack.PLATFORM, verb, *arguments],
            log=answer,
            errors=subprocess.PIPE,
            env=plan.environment,
        )
    if child.stderr is not None:
        log.follow(verb, child.stderr)
    try:
        while child.poll() is None:
            supervisor.check()
            time.sleep(_POLL_SECONDS)
    finally:
        process.stop(child, signal.SIGTERM, 5)
        text = answer_file.read_text(errors="replace")
        answer_file.unlink()
    if child.returncode:
        raise ServiceError(f"{verb} failed with status {child.returncode}: see the lines above")
    log.say("up", f"{verb} done ({time.monotonic() - began:.1f} s)")
    return text


def _parse_seed(text: str) -> dict[str, Any]:
    """The seed's answer: its last line on stdout, with ``zones`` and ``speakers``."""
    lines = text.strip().splitlines()
    try:
        answer = json.loads(lines[-1] if lines else "")
    except ValueError:
        raise ServiceError(f"seed answered no JSON: {text[-200:]!r}") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("speakers"), list):
        raise ServiceError(f"seed answered something else: {text[-200:]!r}")
    return answer


def sinks(speakers: list[dict[str, Any]], wish: str) -> list[str]:
    """Where each speaker sounds, by ``S2G_UP_SINK``, one of ``_SINKS``.

    ``auto`` gives the sound server or card, where there is one, to the first speaker only: two
    zones through one card would be a muddle. A named sink goes to the first speaker of each zone.
    All others render into nothing, at the pace of real time.
    """
    if wish == "auto":
        first = stack.way_to_sound() if speakers else "null"
        return [first if number == 0 else "null" for number in range(len(speakers))]
    chosen: list[str] = []
    seen: set[str] = set()
    for one in speakers:
        chosen.append("null" if one["zone"] in seen else wish)
        seen.add(one["zone"])
    return chosen


def _ports(plan: Stack) -> dict[str, int]:
    ports = {"http": plan.http_port, "https": plan.https_port}
    if plan.database:
        ports["postgres"] = plan.database.port
    if plan.broker:
        ports["mqtt_devices"] = plan.broker.device_port
        ports["mqtt_platform"] = plan.broker.platform_port
        if plan.broker.tls:
            ports["mqtt_tls"] = plan.broker.tls.port
    return ports


def _operator(one: dict[str, Any]) -> list[str]:
    """The installation's own account, whose password is told when it is made and never again."""
    if one["password"] is None:
        return []
    told = f"  operator   {one['email']}   password {one['password']}"
    return [f"{told}   (all clients; shown this once)"]


def _summary(seeded: dict[str, Any]) -> list[str]:
    """What a person needs to know now."""
    ports = ", ".join(f"{name} {number}" for name, number in seeded["ports"].items())
    zones = ", ".join(str(zone["name"]) for zone in seeded["zones"])
    return [
        "",
        f"  dashboard  {seeded['url']}/",
        f"  encrypted  {seeded['https_url']}/   (sync2gear ca trust: what browsers are to trust)",
        f"  log in     {seeded['email']}   password {seeded['password']}",
        *_operator(seeded["operator"]),
        f"  zones      {zones}",
        *(
            f"  speaker    {one['name']} in {one['zone']}: {_SOUNDS[one['sink']]}"
            for one in seeded["speakers"]
        ),
        f"  ports      {ports}",
        f"  data       {seeded['data_dir']}",
        "",
        "Ctrl-C ends everything.",
    ]
