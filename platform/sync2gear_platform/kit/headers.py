"""The headers that tell a browser what it may do with an answer."""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

RawHeaders = list[tuple[bytes, bytes]]

DASHBOARD_CSP: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
"""What the dashboard's pages may load: nothing inline, nothing from anywhere else."""

API_CSP: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Answers of the API are no pages: should a browser show one, it does nothing."""

ALWAYS: Final = {
    "Content-Security-Policy": API_CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=(), "
    "midi=(), serial=(), display-capture=()",
}
"""On every answer that does not say otherwise itself."""

HSTS: Final = "max-age=31536000"
"""A year. Without includeSubDomains: other services of the operator's domain are not ours."""

ASKED_ACROSS: Final = (
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "Range",
    "Tus-Resumable",
    "Upload-Checksum",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
)
"""Request headers that a page of an allowed origin may send. No cookies: it brings a token."""

TOLD_ACROSS: Final = (
    "ETag",
    "Location",
    "X-Request-Id",
    "Idempotency-Replayed",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Content-Range",
    "Tus-Resumable",
    "Tus-Version",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Checksum-Algorithm",
    "Upload-Offset",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Expires",
)
"""Response headers that such a page may read."""

PREFLIGHT_SECONDS: Final = 7200
"""How long a browser remembers what it may ask; Chromium's own ceiling."""

_INLINE: Final = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)


def docs_csp(html: str) -> str:
    """The policy of a documentation page: our files, and the very scripts written into ``html``.

    Swagger UI and ReDoc style elements as they go, so that inline styles stay allowed there.
    """
    digests = (hashlib.sha256(s.encode()).digest() for s in _INLINE.findall(html))
    hashes = "".join(f" 'sha256-{base64.b64encode(d).decode()}'" for d in digests)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self'{hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src blob:",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def complete(path: str, given: RawHeaders, more: Mapping[str, str], *, https: bool) -> RawHeaders:
    """``given`` and what is missing; what an answer says itself stands.

    ``https``: people reach this installation by it.
    """
    names = {name.lower() for name, _ in given}
    wanted = {**ALWAYS, **more}
    if path.startswith("/api/v1/"):
        # most answers hold what is somebody's; those that never change say so themselves
        wanted["Cache-Control"] = "no-store"
    if https:
        wanted["Strict-Transport-Security"] = HSTS
    extra = [(n.lower().encode(), v.encode()) for n, v in wanted.items()]
    return [*given, *((n, v) for n, v in extra if n not in names)]


class Pages:
    """Gives the pages of documentation, below ``paths``, a policy that fits what they contain."""

    def __init__(self, app: ASGIApp, *, paths: tuple[str, ...]) -> None:
        self.app = app
        self.paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the head of a page back until its only piece of body is known."""
        if scope["type"] != "http" or not scope["path"].startswith(self.paths):
            await self.app(scope, receive, send)
            return
        head: Message = {}

        async def with_policy(message: Message) -> None:
            nonlocal head
            if message["type"] == "http.response.start":
                head = message
                return
            if head:
                csp = docs_csp(message.get("body", b"").decode())
                head["headers"] = [*head["headers"], (b"content-security-policy", csp.encode())]
                await send(head)
                head = {}
            await send(message)

        await self.app(scope, receive, with_policy)
