"""The composition root of the API: the only module that knows every domain."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.requests import HTTPConnection
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from sync2gear_platform import tables
from sync2gear_platform.announcements import routes as announcements
from sync2gear_platform.announcements.adapters.espeak import Espeak
from sync2gear_platform.fleet import routes as fleet
from sync2gear_platform.health import routes as health
from sync2gear_platform.identity import routes as identity
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.rules import KNOWN
from sync2gear_platform.identity.tokens import Signer
from sync2gear_platform.jobs.app import open_app
from sync2gear_platform.kit.blobs import open_blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.web import Edge, Guard, Paths, install_problems, require_policies
from sync2gear_platform.library import routes as library
from sync2gear_platform.playback import routes as playback
from sync2gear_platform.playback import socket
from sync2gear_platform.settings import Settings
from sync2gear_platform.sites import routes as sites

__all__ = ["make_app", "tables"]

ROUTERS = (identity, sites, library, announcements, playback, fleet, health)

CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; "
    "connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
"""What the dashboard's pages may load: nothing inline, nothing from anywhere else."""


async def authenticate(connection: HTTPConnection, ctx: Ctx) -> Actor:
    """A device by Basic credentials, otherwise a person by a bearer token."""
    if connection.headers.get("authorization", "").lower().startswith("basic "):
        return await fleet.authenticate(connection, ctx)
    return await identity.authenticate(connection, ctx)


def make_app(settings: Settings) -> FastAPI:
    """The API and the dashboard as one ASGI application."""
    db = Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            open_app(settings.database_url.get_secret_value()) as jobs,
            socket.hub(db) as hub,
        ):
            app.state.jobs = jobs
            app.state.hub = hub
            yield
        await db.close()

    app = FastAPIOffline(
        title="sync2gear",
        version="1",
        description="Runs the sound of a business. Lists are keyset pages, errors problem+json.",
        docs_url="/api/docs/",
        redoc_url="/api/redoc/",
        openapi_url="/api/openapi.json",
        swagger_ui_oauth2_redirect_url="/api/docs/oauth2-redirect",
        static_url="/api/static",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.edge = Edge(db, Clock(), authenticate)
    app.state.signer = Signer(settings.secret_key.get_secret_value())
    app.state.passwords = Passwords(settings.argon2_memory_kib)
    app.state.blobs = open_blobs(settings.blobs_url)
    app.state.speech = Espeak()
    for domain in ROUTERS:
        app.include_router(domain.router)
    app.include_router(socket.router)
    install_problems(app)
    require_policies(app, KNOWN)
    web = settings.web_dir or Path(__file__).parent.parent / "web" / "dist"
    if (web / "index.html").is_file():
        app.mount("/", Dashboard(directory=web, html=True), name="dashboard")
    app.add_middleware(Guard)
    app.add_middleware(Paths)
    return app


class Dashboard(StaticFiles):
    """The built dashboard; a path that is no file is the page's own to route."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, or the page."""
        _, found = self.lookup_path(path)
        if found is None and not path.startswith(("api", "ws")) and self.directory is not None:
            response: Response = FileResponse(Path(self.directory) / "index.html")
        else:
            response = await super().get_response(path, scope)
        response.headers["Content-Security-Policy"] = CSP
        immutable = path.startswith("assets/") and found is not None
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if immutable else "no-cache"
        )
        return response
