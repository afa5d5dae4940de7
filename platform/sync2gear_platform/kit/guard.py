"""What every request gets before a route sees it: a trace, limits in size, depth and time."""

import asyncio
import re
from collections.abc import Mapping
from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync2gear_platform.kit import headers, log
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.kit.ids import uuid7
from sync2gear_platform.kit.web import problem

logger = log.get(__name__)

MAX_BODY: Final = 1_000_000
"""Bytes of a request body, unless the application allows a path more (uploads)."""

MAX_DEPTH: Final = 32
"""Arrays and objects within each other in a JSON body."""

MAX_URL: Final = 8_192
MAX_HEADERS: Final = 32_768
MAX_HEADER_COUNT: Final = 100
BODY_SECONDS: Final = 60.0
"""For a body of ``MAX_BODY``; a larger one has as much longer as it may be larger."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_TEXT: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKET: Final = re.compile(rb"[\[\]{}]")


def depth_of(body: bytes, limit: int = MAX_DEPTH) -> int:
    """How many arrays and objects of JSON contain each other; counting ends beyond ``limit``."""
    if body.count(b"[") + body.count(b"{") <= limit:
        return min(limit, body.count(b"[") + body.count(b"{"))
    deepest = depth = 0
    for found in _BRACKET.finditer(_TEXT.sub(b'""', body)):
        depth += 1 if found[0] in b"[{" else -1
        deepest = max(deepest, depth)
        if deepest > limit:
            break
    return deepest


def refused_head(scope: Scope) -> tuple[int, Refusal] | None:
    """Status and refusal of a request whose method, address or headers are beyond all measure."""
    if scope["method"] not in METHODS:
        return 405, Refusal("No route takes this method.", code="method_not_allowed")
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_URL:
        return 414, Refusal(f"At most {MAX_URL} bytes of address fit here.", code="url_too_long")
    lines = scope["headers"]
    size = sum(len(name) + len(value) for name, value in lines)
    if size > MAX_HEADERS or len(lines) > MAX_HEADER_COUNT:
        return 431, Refusal(
            f"At most {MAX_HEADERS} bytes in {MAX_HEADER_COUNT} headers fit here.",
            code="headers_too_large",
        )
    return None


class Guard:
    """The outermost of what answers: whatever happens within, this makes a decent answer of it."""

    def __init__(
        self, app: ASGIApp, *, https: bool, bodies: Mapping[str, int] | None = None
    ) -> None:
        self.app = app
        self.https = https
        self.bodies = {
            re.compile(re.escape(path).replace(r"\*", "[^/]+")): limit
            for path, limit in (bodies or {}).items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Bind the trace, refuse what is beyond measure, add the headers, answer for bugs."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        trace = uuid7().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(trace=trace)
        if "parent" in state:
            structlog.contextvars.bind_contextvars(parent=state["parent"])
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        started = False

        async def headed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                more = {"X-Request-Id": trace, **state.get("rate", {})}
                message["headers"] = headers.complete(
                    scope["path"], message["headers"], more, https=self.https
                )
            await send(message)

        try:
            await self._answer(scope, receive, headed)
        except Exception:
            logger.exception("a request failed")
            if not started:
                refusal = Refusal("This is our fault: tell us the trace.", code="internal")
                await problem(refusal, status=500)(scope, receive, headed)
            raise

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = refused_head(scope)
        limit = next((n for p, n in self.bodies.items() if p.match(scope["path"])), MAX_BODY)
        if refused is None and _declared_length(scope) > limit:
            refused = 413, _too_large(limit)
        if refused is not None:
            await problem(refused[1], status=refused[0])(scope, receive, send)
            return
        bounded = Body(receive, limit, is_json=_is_json(scope))
        await self.app(scope, bounded.receive, send)


class Body:
    """The body of one request as it comes in: so large, so deep and so slow at most."""

    def __init__(self, receive: Receive, limit: int, *, is_json: bool) -> None:
        self._receive = receive
        self._limit = limit
        self._kept: list[bytes] | None = [] if is_json else None
        self._received = 0
        self._seconds = BODY_SECONDS * max(1, limit / MAX_BODY)
        self._until: float | None = None
        self._complete = False

    async def receive(self) -> Message:
        """The next message; raises ``HTTPException`` for what is too much."""
        if self._complete:
            return await self._receive()
        if self._until is None:
            self._until = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "The body took too long.") from None
        chunk = message.get("body", b"")
        self._received += len(chunk)
        if self._received > self._limit:
            raise HTTPException(413, _too_large(self._limit).detail)
        self._complete = not message.get("more_body", False)
        if self._kept is not None:
            self._kept.append(chunk)
            if self._complete and depth_of(b"".join(self._kept)) > MAX_DEPTH:
                raise HTTPException(400, f"JSON may be {MAX_DEPTH} levels deep.")
        return message


def _too_large(limit: int) -> Refusal:
    return Refusal(f"At most {limit} bytes fit here.", kind="too_large", code="too_large")


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((value for name, value in scope["headers"] if name == wanted), b"")


def _declared_length(scope: Scope) -> int:
    value = _header(scope, b"content-length")
    return int(value) if value.isdigit() else 0


def _is_json(scope: Scope) -> bool:
    return b"json" in _header(scope, b"content-type").lower()
