"""``python -m sync2gear_platform verify-audit``: every chain, on the machine of the platform."""

from dataclasses import asdict
from typing import Any

from sync2gear_platform.audit import verify as verification
from sync2gear_platform.kit import log
from sync2gear_platform.kit.db import Database
from sync2gear_platform.settings import Settings

logger = log.get(__name__)


async def verify(settings: Settings) -> dict[str, Any]:
    """``{chains, entries, anchors, faults}``; ``anchors`` is null where there is no file of them.

    Every chain is followed to its own first fault, so that one fault hides no other chain's.
    """
    db = Database(settings.database_url.get_secret_value(), pool_size=2)
    path = settings.anchors_path
    chains, entries, anchors, faults = 0, 0, None, []
    try:
        async for step in verification.verify_all(db.system, anchors_file=path):
            if not step.done:
                logger.info("audit.verifying", chain=str(step.chain), seq=step.place.seq)
                continue
            if step.fault is not None:
                faults.append({**asdict(step.fault), "detail": step.fault.detail})
            if step.anchored is not None:
                anchors = step.anchored.compared
            chains += step.head > 0
            entries += step.place.seq
    finally:
        await db.close()
    if anchors is None and not faults:
        logger.warning("audit.no_anchors", path=str(path))
    return {
        "chains": chains,
        "entries": entries,
        "anchors": anchors,
        "faults": [_plain(f) for f in faults],
    }


def _plain(fault: dict[str, Any]) -> dict[str, Any]:
    return {k: v if isinstance(v, (int, str, type(None))) else str(v) for k, v in fault.items()}
