"""Which adapter speaks for a provider."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sync2gear_platform.announcements.adapters.espeak import Espeak
from sync2gear_platform.announcements.adapters.google import Google
from sync2gear_platform.announcements.adapters.piper import Piper
from sync2gear_platform.announcements.ports import Kind, Opener, Speech


def opener(piper_voices: Path | None) -> Opener:
    """Opens every kind; Piper's voices lie in ``piper_voices``."""

    def opened(kind: Kind, settings: Mapping[str, Any], key: str) -> Speech:
        match kind:
            case "espeak":
                return Espeak()
            case "google":
                return Google(
                    key,
                    transport=settings.get("transport", "rest"),
                    endpoint=settings.get("endpoint", ""),
                )
            case "piper":
                return Piper(piper_voices)

    return opened
