"""The roots by which devices know the platform's servers."""

import asyncio
from pathlib import Path

from sync2gear_platform.kit.errors import Unavailable


class NoBundle(Unavailable):
    """The roots of this installation cannot be read here: check S2G_TLS_CA."""

    code = "no_trust_bundle"


async def bundle(file: Path | None) -> str:
    """What is in ``file`` now (PEM); empty without one: devices trust whom their systems trust."""
    if file is None:
        return ""
    try:
        return await asyncio.to_thread(file.read_text, encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise NoBundle from error
