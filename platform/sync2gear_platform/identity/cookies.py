"""The browser's edge of signing in: its cookie, and proof that a request is our own page's."""

from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from sync2gear_platform.identity.sessions import Seat
from sync2gear_platform.identity.tokens import Signer, same
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.kit.web import same_origin

COOKIE: Final = "__Host-s2g"
"""Browsers accept a name with this prefix only from HTTPS (and from this very machine), for all
paths and for no other host (RFC 6265bis, cookie prefixes)."""

CSRF_HEADER: Final = "X-CSRFToken"
CLIENT_HEADER: Final = "X-Client"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class CsrfFailed(Refusal):
    """This request does not prove that it comes from our own page: load the page again."""

    kind = "forbidden"
    code = "csrf_failed"


class ClientSwitched(Refusal):
    """You have switched to another client meanwhile: load the page again."""

    kind = "conflict"
    code = "client_switched"


def keep(response: Response, token: str, seconds: int) -> None:
    """Let the browser keep a session's secret, out of reach of any script."""
    response.set_cookie(
        COOKIE, token, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict"
    )


def forget(response: Response) -> None:
    """Let the browser forget it."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")


def require_own_page(connection: HTTPConnection, signer: Signer, seat: Seat) -> None:
    """Refuse a change by cookie that a foreign page may have caused.

    A request by cookie must carry the session's token in a header, which no foreign page can read
    or set, and come from one of our own origins when it says where it comes from.
    """
    method = connection.scope.get("method", "GET")
    if method in SAFE:
        return
    given = connection.headers.get(CSRF_HEADER, "")
    if not same_origin(connection) or not same(given, signer.csrf(seat.session.id)):
        raise CsrfFailed


def require_same_client(connection: HTTPConnection, seat: Seat) -> None:
    """Refuse a page that still shows another client than the session is in now."""
    shown = connection.headers.get(CLIENT_HEADER)
    if shown and shown != str(seat.client.id if seat.client else ""):
        raise ClientSwitched
