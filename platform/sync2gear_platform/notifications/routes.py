"""The development inbox: pages with the mail that, without a mail server, goes nowhere else.

Whoever reads it can take any account over, so it exists in development only, without a mail
server, and for browsers on this very machine.
"""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Annotated, Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Request, Response
from jinja2 import Environment

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.kit.web import public
from sync2gear_platform.notifications import queries
from sync2gear_platform.settings import Settings

router = APIRouter(prefix="/dev/inbox", include_in_schema=False)

_SOURCES: Final = files("sync2gear_platform.notifications") / "inbox"
_STYLE: Final = (_SOURCES / "style.css").read_text(encoding="utf-8")
_PAGES: Final = Environment(autoescape=True)
_PAGES.globals["style"] = _STYLE
_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()

PAGE_CSP: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'"
)
LETTER_CSP: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "base-uri 'none'; form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""Letters carry their style inline, as mail must; whatever else one holds stays inert."""

_HERE: Final = frozenset({"127.0.0.1", "::1"})
_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def _only_here(request: Request, ctx: Ctx) -> None:
    """404 unless this is a developer's own machine, asked for by one of its own names.

    The name matters: a stranger's page whose name leads to 127.0.0.1 must not read the inbox.
    """
    settings: Settings = request.app.state.settings
    names = _NAMES | {urlsplit(settings.public_url).hostname}
    inbox = settings.env == "dev" and settings.mail_server is None
    if not inbox or ctx.origin.address not in _HERE or request.url.hostname not in names:
        raise NotFound


def _page(name: str, csp: str = PAGE_CSP, **values: Any) -> Response:
    source = (_SOURCES / name).read_text(encoding="utf-8")
    return Response(
        _PAGES.from_string(source).render(values),
        media_type="text/html",
        headers={"Content-Security-Policy": csp, "Cache-Control": "no-store"},
    )


@router.get("")
@router.get("/")
async def inbox(ctx: Annotated[Ctx, public()], request: Request) -> Response:
    """The newest letters."""
    _only_here(request, ctx)
    return _page("list.html", letters=await queries.kept(ctx))


@router.get("/{mail_id}/")
async def letter(ctx: Annotated[Ctx, public()], request: Request, mail_id: UUID) -> Response:
    """One letter: its plain text, and its HTML in a frame."""
    _only_here(request, ctx)
    return _page("letter.html", letter=await queries.kept_letter(ctx, mail_id))


@router.get("/{mail_id}/html/")
async def letter_html(ctx: Annotated[Ctx, public()], request: Request, mail_id: UUID) -> Response:
    """The HTML of one letter, for that frame; its links open beside it."""
    _only_here(request, ctx)
    found = await queries.kept_letter(ctx, mail_id)
    html = found.letter.html.replace("<head>", '<head><base target="_blank">', 1)
    return Response(
        html,
        media_type="text/html",
        headers={
            "Content-Security-Policy": LETTER_CSP,
            "X-Frame-Options": "SAMEORIGIN",
            "Cache-Control": "no-store",
        },
    )
