"""``python -m sync2gear_platform``: api, worker, migrate, seed and openapi."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from sync2gear_platform.kit import log
from sync2gear_platform.settings import Settings


def api(settings: Settings, _: argparse.Namespace) -> None:
    """Serve the REST API, the WebSocket and the dashboard."""
    import uvicorn

    from sync2gear_platform.app import make_app

    uvicorn.run(
        make_app(settings),
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        ws_max_size=16_384,
        timeout_graceful_shutdown=5,
        proxy_headers=False,
    )


def worker(settings: Settings, _: argparse.Namespace) -> None:
    """Run jobs and, as the leader, everything that speaks MQTT."""
    from sync2gear_platform.worker import run

    asyncio.run(run(settings))


def migrate(settings: Settings, _: argparse.Namespace) -> None:
    """Bring the database up to date."""
    from sync2gear_platform.migrations.run import migrate as run

    admin = settings.database_admin_url or settings.database_url
    run(admin.get_secret_value(), settings.database_url.get_secret_value())


def seed(settings: Settings, options: argparse.Namespace) -> None:
    """Make the demonstration: a client, two zones, three speakers, music that plays."""
    from sync2gear_platform.seed import seed as run

    print(json.dumps(asyncio.run(run(settings, options.music))))  # noqa: T201 - its answer


def openapi(settings: Settings, _: argparse.Namespace) -> None:
    """Print the API's description, from which the dashboard's client is generated."""
    from sync2gear_platform.app import make_app

    description = make_app(settings).openapi()
    print(json.dumps(description, indent=2, sort_keys=True))  # noqa: T201 - its answer


COMMANDS: dict[str, Callable[[Settings, argparse.Namespace], None]] = {
    command.__name__: command for command in (api, worker, migrate, seed, openapi)
}


def main() -> None:
    """Run one command; exit 2 on settings that cannot work."""
    parser = argparse.ArgumentParser(prog="sync2gear_platform")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.__doc__)
        if name == "seed":
            sub.add_argument("--music", type=Path, help="a folder of audio files")
    options = parser.parse_args()
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(f"settings: {'; '.join(e['msg'] for e in error.errors())}")
    log.configure(level=settings.log_level, json=settings.env == "prod")
    COMMANDS[options.command](settings, options)


if __name__ == "__main__":
    main()
