"""``python -m sync2gear_platform``: the programs, and what is done on their machine."""

import argparse
import asyncio
import gc
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from sync2gear_platform.kit import log, reports
from sync2gear_platform.settings import Settings


@contextmanager
def _loading() -> Iterator[None]:
    """While modules load nothing is garbage: looking for it took a fifth of a program's start.

    What has been loaded stays, and is not looked through again either.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def api(settings: Settings, _: argparse.Namespace) -> None:
    """Serve the REST API, the WebSocket and the dashboard."""
    with _loading():
        from sync2gear_platform.app import make_app
        from sync2gear_platform.kit.serve import Pair, serve

    try:
        pair = None
        if settings.tls_cert is not None and settings.tls_key is not None:
            pair = Pair(settings.tls_cert, settings.tls_key)
    except OSError as error:
        sys.exit(f"S2G_TLS_CERT, S2G_TLS_KEY: {error}")
    began = serve(
        make_app(settings),
        http=(settings.http_host, settings.http_port),
        https=(settings.https_host or settings.http_host, settings.https_port),
        pair=pair,
        ws_max_size=16_384,
    )
    sys.exit(0 if began else 1)


def worker(settings: Settings, _: argparse.Namespace) -> None:
    """Run jobs and, as the leader, everything that speaks MQTT.

    A week's programme is some ten thousand values, none of them garbage: looked through as often as
    Python does by itself, this took a third of the time that compiling takes.
    """
    with _loading():
        from sync2gear_platform.worker import run

    gc.set_threshold(20_000, 20, 20)
    asyncio.run(run(settings))


def migrate(settings: Settings, _: argparse.Namespace) -> None:
    """Bring the database up to date."""
    from sync2gear_platform.migrations.run import migrate as run

    admin = settings.database_admin_url or settings.database_url
    run(admin.get_secret_value(), settings.database_url.get_secret_value())
    _reapply(settings)


def reapply_tombstones(settings: Settings, _: argparse.Namespace) -> None:
    """Delete again what a restored database holds of what was deleted; `migrate` does it too."""
    print(json.dumps(_reapply(settings)))  # noqa: T201 - its answer


def _reapply(settings: Settings) -> list[str]:
    with _loading():
        import sync2gear_platform.tables  # noqa: F401 - every table must be known
        from sync2gear_platform.kit.blobs import open_blobs
        from sync2gear_platform.kit.db import Database
        from sync2gear_platform.privacy import exporting, purging, tombstones

    async def run() -> list[str]:
        db = Database(settings.database_url.get_secret_value(), pool_size=2)
        try:
            place = exporting.open_place(settings, db, open_blobs(settings.blobs_url))
            return [f"{stone.kind} {stone.id}" for stone in await purging.reapply(place)]
        finally:
            await db.close()

    try:
        return asyncio.run(run())
    except tombstones.UnreadableError as error:
        sys.exit(f"S2G_TOMBSTONES: {error}")


def seed(settings: Settings, options: argparse.Namespace) -> None:
    """Make the demonstration: a client, two zones, three speakers, music that plays."""
    with _loading():
        from sync2gear_platform.seed import seed as run

    print(json.dumps(asyncio.run(run(settings, options.music))))  # noqa: T201 - its answer


def rotate_vault(settings: Settings, _: argparse.Namespace) -> None:
    """Put every stored secret under the first key of S2G_VAULT_KEYS; exit 1 if any is left."""
    import sync2gear_platform.tables  # noqa: F401 - every sealed column must be known
    from sync2gear_platform.kit.db import Database
    from sync2gear_platform.kit.vault import Vault
    from sync2gear_platform.vaulting.rotating import Report, rotate

    async def run() -> Report:
        db = Database(settings.database_url.get_secret_value(), pool_size=2)
        try:
            return await rotate(db, Vault(settings.vault_key_list))
        finally:
            await db.close()

    report = asyncio.run(run())
    print(json.dumps(asdict(report)))  # noqa: T201 - its answer
    sys.exit(1 if report.left else 0)


def openapi(settings: Settings, _: argparse.Namespace) -> None:
    """Print the API's description, from which the dashboard's client is generated."""
    from sync2gear_platform.app import make_app

    description = make_app(settings).openapi()
    print(json.dumps(description, indent=2, sort_keys=True))  # noqa: T201 - its answer


def refusals(settings: Settings, options: argparse.Namespace) -> None:
    """Read off the code what each operation can be refused with; write it down, and a table."""
    from sync2gear_platform.app import make_app
    from sync2gear_platform.kit.refusals import gathering

    gathering.write(make_app(settings), options.docs)


def verify_audit(settings: Settings, _: argparse.Namespace) -> None:
    """Follow every chain of the audit trail and hold it to the anchors; exit 1 on a fault."""
    from sync2gear_platform.audit.local import verify

    report = asyncio.run(verify(settings))
    print(json.dumps(report, indent=2))  # noqa: T201 - its answer
    sys.exit(1 if report["faults"] else 0)


def create_admin(settings: Settings, options: argparse.Namespace) -> None:
    """Make an administrator of the installation; prints a one-time link to choose a password."""
    import sync2gear_platform.tables  # noqa: F401 - rows that refer to each other
    from sync2gear_platform.admin.local import create_admin as run
    from sync2gear_platform.kit.errors import Refusal

    try:
        link = asyncio.run(run(settings, options.email, options.name or options.email))
    except Refusal as refusal:
        sys.exit(f"{refusal.detail} ({refusal.code})")
    print(link.url)  # noqa: T201 - its answer
    sys.stderr.write(f"The link works once, until {link.expires_at:%Y-%m-%d %H:%M} UTC.\n")


def report(settings: Settings, options: argparse.Namespace) -> None:
    """Print what each client used in a period: devices, storage, plays, requests, errors."""
    import sync2gear_platform.tables  # noqa: F401 - rows that refer to each other
    from sync2gear_platform.admin.local import report as run
    from sync2gear_platform.kit.errors import Refusal

    try:
        text = asyncio.run(run(settings, options.since, options.until, options.format))
    except Refusal as refusal:
        sys.exit(f"{refusal.detail} ({refusal.code})")
    sys.stdout.write(text)


def sweep(settings: Settings, options: argparse.Namespace) -> None:
    """Remove now what is nobody's: late uploads, unused audio, files of dead writers."""
    import sync2gear_platform.tables  # noqa: F401 - rows that refer to each other
    from sync2gear_platform.kit.blobs import StoreUnavailable
    from sync2gear_platform.library.local import sweep as run

    try:
        found = asyncio.run(run(settings))
    except StoreUnavailable as refusal:
        sys.exit(f"{refusal.detail} ({refusal.code})")
    if options.json:
        print(json.dumps(found))  # noqa: T201 - its answer
        return
    for name, number in found.items():
        print(f"{name.replace('_', ' '):<24}{number:>8}")  # noqa: T201 - its answer


PROGRAMS = (api, worker, migrate, seed)

COMMANDS: dict[str, Callable[[Settings, argparse.Namespace], None]] = {
    command.__name__.replace("_", "-"): command
    for command in (
        *PROGRAMS,
        create_admin,
        report,
        rotate_vault,
        verify_audit,
        sweep,
        reapply_tombstones,
        openapi,
        refusals,
    )
}


def main() -> None:
    """Run one command; exit 2 on settings that cannot work."""
    parser = argparse.ArgumentParser(prog="sync2gear_platform")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.__doc__)
        if name == "seed":
            sub.add_argument("--music", type=Path, help="a folder of audio files")
        elif name == "create-admin":
            sub.add_argument("--email", required=True, help="who it is")
            sub.add_argument("--name", default="", help="by default the e-mail address")
        elif name == "sweep":
            sub.add_argument("--json", action="store_true", help="one JSON object")
        elif name == "refusals":
            sub.add_argument("docs", type=Path, help="the folder of the table")
        elif name == "report":
            day = date.fromisoformat
            sub.add_argument("--from", dest="since", type=day, help="first day, as 2026-11-01")
            sub.add_argument("--to", dest="until", type=day, help="last day; by default today")
            sub.add_argument("--format", choices=("text", "csv"), default="text")
    options = parser.parse_args()
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(f"settings: {'; '.join(e['msg'] for e in error.errors())}")
    report = None
    if settings.sentry_dsn is not None:
        report = reports.start(settings.sentry_dsn.get_secret_value(), settings.env)
    log.configure(level=settings.log_level, json=settings.env == "prod", report=report)
    COMMANDS[options.command](settings, options)


if __name__ == "__main__":
    main()
