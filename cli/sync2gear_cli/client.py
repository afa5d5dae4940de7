"""The platform's REST API over HTTP: timeouts, retries of reads only, refusals as failures."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, NoReturn, Self

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
_REFRESH: Final = "/api/v1/auth/refresh/"
_EARLY_SECONDS: Final = 60
"""So long before its end a token is renewed: clocks differ, and a request takes a while."""


class Api:
    """One connection to a platform, used as a context manager.

    Every method raises :class:`Failure`: status 1 for a refusal, 3 when the session has ended,
    4 when nothing (or something else) answers.
    """

    def __init__(self, connection: Connection) -> None:
        headers = {"Accept": "application/json"}
        self._http = httpx2.Client(base_url=connection.url, headers=headers, timeout=_TIMEOUT)
        self._speak_as(connection)

    def _speak_as(self, connection: Connection) -> None:
        self.connection = connection
        if connection.token:
            self._http.headers["Authorization"] = f"Bearer {connection.token}"

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

    def post(
        self, path: str, body: dict[str, Any], *, patient: bool = False, if_match: str | None = None
    ) -> Any:
        """Ask for something, once: whether a broken request took effect cannot be known."""
        timeout = httpx2.Timeout(PATIENT_SECONDS, connect=5.0) if patient else _TIMEOUT
        headers = {} if if_match is None else {"If-Match": f'"{if_match}"'}
        url = f"/api/v1{path}"
        return self._parse(self._send("POST", url, json=body, timeout=timeout, headers=headers))

    def fetch(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        """Ask for something that is no JSON, such as a sound, once; its answer as it is."""
        timeout = httpx2.Timeout(PATIENT_SECONDS, connect=5.0)
        answer = self._send("POST", f"/api/v1{path}", json=body, timeout=timeout)
        return answer if answer.is_success else self.refuse(answer)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """Change what ``body`` names."""
        return self._parse(self._send("PATCH", f"/api/v1{path}", json=body))

    def put_in(self, path: str, content: bytes) -> Any:
        """Hand in a document as it is, once."""
        headers = {"Content-Type": "application/octet-stream"}
        timeout = httpx2.Timeout(PATIENT_SECONDS, connect=5.0)
        url = f"/api/v1{path}"
        return self._parse(
            self._send("POST", url, content=content, headers=headers, timeout=timeout)
        )

    def renew(self, *, refused: bool = False) -> bool:
        """Get the next token of a kept session where this one ends soon, or was ``refused``.

        False where there is nothing to renew. One process renews at a time, and the others take
        what it got. An answer that is lost is asked for again at once: the platform repeats it
        for some seconds.
        """
        name, token = self.connection.profile, self.connection.token
        if name is None:
            return False
        kept = session.load().get(name)
        if not refused and kept and kept.expires_at > time.time() + _EARLY_SECONDS:
            return False
        with session.locked():
            kept = session.load().get(name)
            if kept is None or kept.url != self.connection.url:
                return False
            if kept.token == token or kept.expires_at <= time.time() + _EARLY_SECONDS:
                if not kept.refresh:
                    return False
                began = int(time.time())
                answer = self._next(kept.refresh)
                kept = replace(
                    kept,
                    token=answer["access"],
                    refresh=answer["refresh"],
                    expires_at=began + int(answer["expires_in"]),
                )
                session.put(name, kept)
        self._speak_as(replace(self.connection, token=kept.token))
        return True

    def _next(self, refresh: str) -> Any:
        body, quick = {"refresh": refresh}, httpx2.Timeout(4.0)
        for last in (False, True):
            try:
                return self._parse(self._once("POST", _REFRESH, json=body, timeout=quick))
            except Failure as failure:
                if last or failure.status != UNREACHABLE:
                    raise
        raise AssertionError("one of two tries answers or raises")

    def stream(self, path: str, **params: str | int) -> Iterator[bytes]:
        """Read ``/api/v1{path}`` in pieces, as a document that may be long; it is asked once."""
        self.renew()
        try:
            with self._http.stream("GET", f"/api/v1{path}", params=params) as answer:
                if not answer.is_success:
                    answer.read()
                    self._parse(answer)
                yield from answer.iter_bytes()
        except httpx2.TransportError as error:
            raise Failure(
                f"cannot read on from {self.connection.url}: {error}", "unreachable", UNREACHABLE
            ) from error

    def exchange(
        self, method: str, path: str, headers: dict[str, str], content: Iterator[bytes] | None
    ) -> httpx2.Response:
        """One request as it is, whatever is answered; for protocols that live in headers."""
        self.renew()
        timeout = httpx2.Timeout(PATIENT_SECONDS, connect=5.0)
        return self._once(method, path, headers=headers, content=content, timeout=timeout)

    def refuse(self, answer: httpx2.Response) -> NoReturn:
        """Raise the failure that ``answer`` means."""
        if answer.content:
            self._parse(answer)
        raise refusal(answer.status_code, "the platform does not take this", "refused")

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
        self.renew()
        answer = self._once(method, path, **more)
        if answer.status_code == httpx2.codes.UNAUTHORIZED and self.renew(refused=True):
            answer = self._once(method, path, **more)  # what was refused had no effect
        return answer

    def _once(self, method: str, path: str, **more: Any) -> httpx2.Response:
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
        if code == "in_use" and isinstance(body.get("used_by"), list):
            users = ", ".join(f"{one['kind']} {one['name']}" for one in body["used_by"])
            detail = f"it is used by {users}; --force goes on all the same"
        raise refusal(answer.status_code, detail, code, body)


def refusal(status: int, detail: str, code: str, extra: Mapping[str, Any] | None = None) -> Failure:
    """The failure that an HTTP status with a problem's ``detail`` and ``code`` means."""
    if status == httpx2.codes.UNAUTHORIZED:
        at_login = code in {"wrong_login", "otp_required", "wrong_otp"}
        hint = "" if at_login else " (run `sync2gear login`)"
        return Failure(f"{detail}{hint}", code, SIGNED_OUT)
    return Failure(detail, code, UNREACHABLE if status in _BUSY else REFUSED, extra)


def _retry_after(answer: httpx2.Response) -> float:
    given = answer.headers.get("Retry-After", "")
    return min(float(given), _LONGEST_PAUSE) if given.isdigit() else 0.0


def open_api(profile: str | None) -> Api:
    """The API as whoever is logged in; Failure when nobody is."""
    return Api(session.connect(profile))
