"""Every request passes here: refused when an address asks too often, counted when answered."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.joint import Joint
from sync2gear_platform.kit.limits import Limits, TooMany, traffic_of
from sync2gear_platform.kit.usage import Usage
from sync2gear_platform.kit.web import problem


class Turnstile:
    """Admits by address before anything is read, and counts for the client that it proved to be."""

    def __init__(
        self, app: ASGIApp, *, limits: Limits, joint: Joint, usage: Usage, clock: Clock
    ) -> None:
        self.app = app
        self.limits = limits
        self.joint = joint
        self.usage = usage
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit, pass on, count."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        method = scope.get("method", "GET")
        traffic = traffic_of(method, scope["path"], Headers(scope=scope))
        state["traffic"] = traffic
        address = scope["client"][0] if scope.get("client") else ""
        try:
            self.limits.admit_address(state, traffic, address)
            if traffic == "sign_in":
                await self.joint.admit(state, address)
        except TooMany as error:
            # Starlette's answers refuse a WebSocket too, before it is accepted
            answer = problem(error, {"Retry-After": str(error.extra["retry_after"])})
            await answer(scope, receive, send)
            return
        status, sent = 500, 0

        async def counted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            sent += len(message.get("body", b"") or b"")
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            client_id = state.get("client_id")
            if client_id is not None:
                day = self.clock.now().date()
                self.usage.count(client_id, day, traffic, failed=status >= 400, sent=sent)
