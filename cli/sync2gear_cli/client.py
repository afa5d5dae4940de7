"""The platform's REST API over HTTP: timeouts, retries of reads only, refusals as failures."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

import httpx2

from sync2gear_cli import session
from sync2gear_cli.failures import REFUSED, SIGNED_OUT, UNREACHABLE, Failure
from sync2gear_cli.session import Connection

PATIENT_SECONDS: Final = 60.0
"""The read timeout of what takes the platform long, such as making speech."""

_TIMEOUT: Final = httpx2.Timeout(15.0, connect=5.0)
_PAUSES: Final = (0.2, 0.6, 1.5)
_BUSY: Final = frozenset({502, 503, 504})
_LONGEST_PAUSE: Final = 5.0
_MOST_PAGES: Final = 1000


class Api:
    """One connection to a platform, used as a context manager.

    Every method raises :class:`Failure`: status 1 for a refusal, 3 when the session has ended,
    4 when nothing (or something else) answers.
    """

    def __init__(self, connection: Connection) -> None:
        headers = {"Accept": "application/json"}
        if connection.token:
            headers["Authorization"] = f"Bearer {connection.token}"
        self.connection = connection
        self._http = httpx2.Client(base_url=connection.url, headers=headers, timeout=_TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str, **params: str | int) -> Any:
        """Read ``/api/v1{path}``; asked again when the network or the platform hiccups."""
        return self._read(f"/api/v1{path}", params)

    def pages(self, path: str, **params: str | int) -> Iterator[dict[str, Any]]:
        """Every row of a list, page after page."""
        answer = self._read(f"/api/v1{path}", {"page_size": 200, **params})
        for _ in range(_MOST_PAGES):
            yield from answer["results"]
            if not answer.get("next"):
                return
            answer = self._read(str(answer["next"]), {})

    def post(self, path: str, body: dict[str, Any], *, patient: bool = False) -> Any:
        """Ask for something, once: whether a broken request took effect cannot be known."""
        timeout = httpx2.Timeout(PATIENT_SECONDS, connect=5.0) if patient else _TIMEOUT
        return self._parse(self._send("POST", f"/api/v1{path}", json=body, timeout=timeout))

    def delete(self, path: str) -> None:
        """Remove something."""
        self._parse(self._send("DELETE", f"/api/v1{path}"))

    def _read(self, path: str, params: dict[str, str | int]) -> Any:
        for pause in _PAUSES:
            try:
                answer = self._send("GET", path, params=params)
            except Failure:
                time.sleep(pause)
                continue
            if answer.status_code not in _BUSY:
                return self._parse(answer)
            time.sleep(_retry_after(answer) or pause)
        return self._parse(self._send("GET", path, params=params))

    def _send(self, method: str, path: str, **more: Any) -> httpx2.Response:
        try:
            return self._http.request(method, path, **more)
        except httpx2.TimeoutException:
            reason = "it does not answer in time"
        except httpx2.TransportError as error:
            reason = str(error) or type(error).__name__
        except httpx2.InvalidURL as error:
            reason = str(error)
        except UnicodeEncodeError as error:  # an argument that the terminal's encoding cannot read
            raise Failure("that is not text in this terminal's encoding", "not_text") from error
        raise Failure(f"cannot reach {self.connection.url}: {reason}", "unreachable", UNREACHABLE)

    def _parse(self, answer: httpx2.Response) -> Any:
        if answer.status_code == httpx2.codes.NO_CONTENT:
            return None
        try:
            body = answer.json()
        except (ValueError, RecursionError):
            body = None
        if answer.is_success and isinstance(body, dict):
            return body
        if not isinstance(body, dict) or not isinstance(body.get("code"), str):
            raise Failure(
                f"{self.connection.url} is not a sync2gear platform "
                f"(it answers with status {answer.status_code})",
                "not_sync2gear",
                UNREACHABLE,
            )
        detail, code = str(body.get("detail") or body.get("title")), body["code"]
        raise refusal(answer.status_code, detail, code)


def refusal(status: int, detail: str, code: str) -> Failure:
    """The failure that an HTTP status with a problem's ``detail`` and ``code`` means."""
    if status == httpx2.codes.UNAUTHORIZED:
        hint = "" if code == "wrong_login" else " (run `sync2gear login`)"
        return Failure(f"{detail}{hint}", code, SIGNED_OUT)
    return Failure(detail, code, UNREACHABLE if status in _BUSY else REFUSED)


def _retry_after(answer: httpx2.Response) -> float:
    given = answer.headers.get("Retry-After", "")
    return min(float(given), _LONGEST_PAUSE) if given.isdigit() else 0.0


def open_api(profile: str | None) -> Api:
    """The API as whoever is logged in; Failure when nobody is."""
    return Api(session.connect(profile))
