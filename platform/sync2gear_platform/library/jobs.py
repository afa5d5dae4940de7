"""The library's work for later: uploads, reading a folder, forgetting what nothing refers to."""

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from uuid import UUID

from procrastinate import Blueprint, JobContext

from sync2gear_platform.jobs.app import RETRY, see_through
from sync2gear_platform.kit import log
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.kit.partials import Partials
from sync2gear_platform.library import housekeeping, importing, measuring, service, sweeping
from sync2gear_platform.library import ingest as ingesting
from sync2gear_platform.library.ingest import Finisher, Kitchen, track_finisher
from sync2gear_platform.library.prober import Prober

logger = log.get(__name__)

IMPORT = "library:import_folder"
"""The task's name as jobs carry it."""


def blueprint(
    db: Database,
    blobs: Blobs,
    import_dir: Path | None,
    partials: Partials,
    finishers: Mapping[str, Finisher] | None = None,
) -> Blueprint:
    """The tasks of the namespace ``library``; register each blueprint with one app.

    ``finishers``: what other domains make of uploads, by purpose.
    """
    tasks = Blueprint()
    prober = Prober()
    known = {"track": track_finisher(blobs), **(finishers or {})}
    kitchen = Kitchen(db, blobs, partials, prober, known, Clock())

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

    @tasks.task(name="ingest", retry=RETRY, pass_context=True)
    async def ingest(context: JobContext, client_id: str, upload_id: str) -> None:
        """Make of an upload what it is for."""
        about = kitchen, UUID(client_id), UUID(upload_id)
        await see_through(context, ingesting.ingest(*about), partial(ingesting.give_up, *about))

    @tasks.periodic(cron="*/10 * * * *")
    @tasks.task(name="sweep_uploads", queueing_lock="library:sweep_uploads")
    async def sweep_uploads(timestamp: int) -> None:
        """For all clients: end uploads that expired, and remove bytes that are nobody's."""
        await sweeping.sweep(kitchen)

    @tasks.periodic(cron="41 * * * *")
    @tasks.task(name="collect", queueing_lock="library:collect")
    async def collect(timestamp: int) -> None:
        """Once an hour, for all clients: forget audio that nothing refers to."""
        await housekeeping.collect(db, blobs, Clock())

    @tasks.periodic(cron="53 * * * *")
    @tasks.task(name="measure", queueing_lock="library:measure")
    async def measure(timestamp: int) -> None:
        """Once an hour, for all clients: measure what was taken in before it could be."""
        began = time.monotonic()
        first = f"{timestamp // 3600 % 256:02x}"  # elsewhere each time: some files cannot be read
        await measuring.measure(
            db, blobs, prober, Clock(), elapsed=lambda: time.monotonic() - began, first=first
        )

    return tasks
