"""What is done on the machine of the platform: removing now what nothing refers to."""

from sync2gear_platform.kit.blobs import open_blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.partials import Partials
from sync2gear_platform.library import housekeeping, sweeping
from sync2gear_platform.library.ingest import Kitchen
from sync2gear_platform.library.prober import Prober
from sync2gear_platform.settings import Settings


async def sweep(settings: Settings) -> dict[str, int]:
    """Do once what the worker does by the clock; what was removed, and what was kept.

    Safe beside everything that runs, and to repeat. Raises ``StoreUnavailable``.
    """
    db = Database(settings.database_url.get_secret_value(), pool_size=2)
    try:
        blobs, clock = open_blobs(settings.blobs_url), Clock()
        partials = Partials(settings.uploads_path)
        swept = await sweeping.sweep(Kitchen(db, blobs, partials, Prober(), {}, clock))
        collected = await housekeeping.collect(db, blobs, clock)
        return {
            "uploads_expired": swept.late,
            "uploads_interrupted": swept.stranded,
            "upload_files_removed": swept.files,
            "upload_files_kept": len(await partials.keys()),
            "staged_files_removed": swept.staged,
            "media_forgotten": collected.media,
            "blobs_removed": collected.blobs,
            "blobs_kept": collected.looked_at - collected.blobs,
        }
    finally:
        await db.close()
