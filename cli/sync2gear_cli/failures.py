"""How a command fails: what a person reads, a stable code and the exit status."""

from collections.abc import Mapping
from typing import Any, Final

REFUSED: Final = 1
"""The platform refused, or the command failed."""
USAGE: Final = 2
"""The command line makes no sense."""
SIGNED_OUT: Final = 3
"""Nobody is logged in, or the session has ended."""
UNREACHABLE: Final = 4
"""The platform does not answer, or cannot work right now."""
INTERRUPTED: Final = 130
"""Ctrl-C."""


class Failure(Exception):  # noqa: N818 - its message is an answer to a person
    """A command that ends with ``error: detail (code)`` on stderr and ``status``."""

    def __init__(
        self, detail: str, code: str, status: int = REFUSED, extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.status = status
        self.extra = extra or {}
        """What else a refusal of the platform says."""
