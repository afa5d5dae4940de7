"""Refusals: what the product says no to, with a kind, a stable code and a way out."""

from typing import Any, Final, Literal

Kind = Literal[
    "invalid", "unauthenticated", "forbidden", "not_found", "conflict", "stale", "limited",
    "too_large", "unavailable",
]  # fmt: skip

STATUS: dict[Kind, int] = {
    "invalid": 422,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "stale": 412,
    "limited": 429,
    "too_large": 413,
    "unavailable": 503,
}

HTTP_CODES: Final = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
}
"""The codes of what the framework itself refuses."""


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """A request that is refused. ``code`` is stable; ``detail`` says what to do about it."""

    kind: Kind = "invalid"
    code: str = "invalid"

    def __init__(
        self,
        detail: str = "",
        *,
        kind: Kind | None = None,
        code: str | None = None,
        **extra: Any,
    ) -> None:
        self.kind = kind or self.kind
        self.code = code or self.code
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.extra = extra
        super().__init__(self.detail)

    @property
    def status(self) -> int:
        """The HTTP status of this kind."""
        return STATUS[self.kind]


class NotFound(Refusal):
    """There is no such thing here."""

    kind: Kind = "not_found"
    code = "not_found"


class Stale(Refusal):
    """The thing has changed since you read it: read it again and repeat your change."""

    kind: Kind = "stale"
    code = "stale"


class Unavailable(Refusal):
    """A service that this needs does not answer: try again shortly."""

    kind: Kind = "unavailable"
    code = "unavailable"
