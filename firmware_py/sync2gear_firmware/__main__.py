"""The speaker as a process: ``python -m sync2gear_firmware``; SIGTERM ends it with a bye."""

import gc
import logging
import signal
import sys
import time

from pydantic import ValidationError

from sync2gear_firmware.agent import Agent
from sync2gear_firmware.settings import Settings, read_credential


def main() -> int:
    """Run one speaker until SIGTERM or SIGINT; 0, or 2 where the set-up is wrong."""
    try:
        settings = Settings()
        _log_to_stderr(settings.log_level)
        agent = Agent(settings, read_credential(settings.credential))
    except (ValidationError, ValueError, OSError) as error:
        print(f"sync2gear speaker: cannot start: {error}", file=sys.stderr)  # noqa: T201 - to a person
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    gc.freeze()  # what is here now stays: no collection needs to go through it again, in mid block
    agent.run()
    return 0


def _log_to_stderr(level: str) -> None:
    formatter = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ level=%(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler])
    for chatty in ("httpx2", "httpx", "httpcore", "httpcore2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
