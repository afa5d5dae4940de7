"""What a file of audio is: its sound, tags and cover, found out in a process of its own.

Run as ``python -m sync2gear_platform.library.probe FILE`` it prints one JSON object and exits;
with ``--serve`` it reads one JSON string per line, the path of a file, and answers each with one
line, until its input ends. Files come from strangers: the process has little memory and time,
writes next to nothing, and opens nothing but the file named.
"""

import json
import resource
import signal
import sys
from base64 import b64encode
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av

from sync2gear_platform.library import rules
from sync2gear_platform.library.rules import Unfit
from sync2gear_platform.library.sound import Sound, measure, measure_bytes, opened
from sync2gear_platform.library.tagging import Tags, read_cover, read_tags

__all__ = ["Sound", "Tags", "Unfit", "examine", "measure_bytes"]

MEMORY = 416 << 20
"""Bytes of address space: as many as the libraries take, and 200 MB for a file."""

WRITTEN = 16 << 20
"""Bytes of any file that the process may write: its answers, and a developer's measurements."""


def examine(path: Path) -> dict[str, Any]:
    """All about one file: ``{"sound": …, "tags": …, "cover": …}`` or ``{"code": …}``."""
    try:
        size = path.stat().st_size
        if size == 0:
            return {"code": "empty"}
        _grant_time(rules.OPENING_SECONDS)
        with path.open("rb") as file, opened(file, size) as source:
            tags, cover = read_tags(path, source.tags), read_cover(path)
            _grant_time(rules.time_limit(size))
            sound = measure(source)
        return {
            "sound": {**asdict(sound), "peaks": b64encode(sound.peaks).decode()},
            "tags": asdict(tags),
            "cover": [b64encode(image).decode() for image in cover or ()],
        }
    except Unfit as unfit:
        return {"code": unfit.code}
    except OSError:
        return {"code": "unreadable"}
    except MemoryError:
        return {"code": "decoder_error"}


def _grant_time(seconds: float) -> None:
    """Let this process compute for ``seconds`` from now; then the kernel ends it.

    RLIMIT_CPU counts from the start, in ticks, which drift away from what any clock here tells: by
    seconds after some minutes. A timer starts anew.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _confine() -> None:
    """Give up what reading a file does not need."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end


def main(arguments: list[str]) -> int:
    """One file named as an argument, or ``--serve``."""
    av.logging.set_level(None)
    _confine()
    if arguments == ["--serve"]:
        for line in sys.stdin:
            print(json.dumps(examine(Path(json.loads(line)))), flush=True)  # noqa: T201 - the answer
        return 0
    if len(arguments) != 1:
        print("usage: python -m sync2gear_platform.library.probe FILE", file=sys.stderr)  # noqa: T201 - to a person
        return 2
    print(json.dumps(examine(Path(arguments[0]))))  # noqa: T201 - the answer
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
