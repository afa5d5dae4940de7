"""The library's work for later: reading a folder, and forgetting what nothing refers to."""

from pathlib import Path
from uuid import UUID

from procrastinate import Blueprint

from sync2gear_platform.jobs.app import RETRY
from sync2gear_platform.kit import log
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.library import housekeeping, importing, service
from sync2gear_platform.library.prober import Prober

logger = log.get(__name__)

IMPORT = "library:import_folder"
"""The task's name as jobs carry it."""


def blueprint(db: Database, blobs: Blobs, import_dir: Path | None) -> Blueprint:
    """The tasks of the namespace ``library``; register each blueprint with one app."""
    tasks = Blueprint()
    prober = Prober()

    @tasks.task(name="import_folder", retry=RETRY)
    async def import_folder(client_id: str, import_id: str, folder: str) -> None:
        """Read ``folder`` of the import folder into the library, going on where it stopped."""
        client, row = UUID(client_id), UUID(import_id)
        try:
            path = service.source(import_dir, folder)
            await service.import_folder(
                db, blobs, client, path, folder, import_id=row, prober=prober
            )
        except (service.NoImports, service.NoSuchSource):
            await importing.give_up(db, client, row)
        except NotFound as error:  # the client, the folder or the import was removed meanwhile
            logger.info("import dropped", import_id=import_id, reason=error.detail)

    @tasks.periodic(cron="41 * * * *")
    @tasks.task(name="collect", queueing_lock="library:collect")
    async def collect(timestamp: int) -> None:
        """Once an hour, for all clients: forget audio that nothing refers to."""
        await housekeeping.collect(db, blobs, Clock())

    return tasks
