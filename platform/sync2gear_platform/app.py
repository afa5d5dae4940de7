"""The composition root of the API: the only module that knows every domain."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from sync2gear_platform import tables
from sync2gear_platform.admin import routes as admin
from sync2gear_platform.announcements import changes as at_hand
from sync2gear_platform.announcements import provider_routes as providers
from sync2gear_platform.announcements import receiving_routes as receiving
from sync2gear_platform.announcements import routes as announcements
from sync2gear_platform.announcements import text_routes as texts
from sync2gear_platform.announcements import uses as calling
from sync2gear_platform.announcements import voice_routes as voices
from sync2gear_platform.announcements.adapters.opening import opener
from sync2gear_platform.announcements.speech import open_booth
from sync2gear_platform.announcements.studio import Splicer
from sync2gear_platform.audit import routes as audit
from sync2gear_platform.channels import routes as channels
from sync2gear_platform.channels import uses as rotating
from sync2gear_platform.emergencies import joining
from sync2gear_platform.emergencies import routes as emergencies
from sync2gear_platform.emergencies import uses as alarming
from sync2gear_platform.fleet import integration_routes as integrations
from sync2gear_platform.fleet import routes as fleet
from sync2gear_platform.fleet import service as devices
from sync2gear_platform.health import routes as health
from sync2gear_platform.identity import factor_routes as factors
from sync2gear_platform.identity import oidc_routes as oidc
from sync2gear_platform.identity import people_routes as people
from sync2gear_platform.identity import profile_routes as profile
from sync2gear_platform.identity import routes as identity
from sync2gear_platform.identity.avatars import MAX_BYTES
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.rules import KNOWN
from sync2gear_platform.identity.strength import BreachedFile
from sync2gear_platform.identity.tokens import Signer
from sync2gear_platform.jobs.app import open_app
from sync2gear_platform.kit import events, refusals
from sync2gear_platform.kit.blobs import open_blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.guard import Guard
from sync2gear_platform.kit.headers import (
    ASKED_ACROSS,
    DASHBOARD_CSP,
    PREFLIGHT_SECONDS,
    TOLD_ACROSS,
    Pages,
)
from sync2gear_platform.kit.idempotency import install_replays
from sync2gear_platform.kit.joint import Joint
from sync2gear_platform.kit.limits import Limits, quotas
from sync2gear_platform.kit.partials import Partials
from sync2gear_platform.kit.proxies import Proxied
from sync2gear_platform.kit.traffic import Turnstile
from sync2gear_platform.kit.usage import Usage, flushing
from sync2gear_platform.kit.vault import Vault
from sync2gear_platform.kit.web import PAGES, Edge, Paths, install_problems, require_policies
from sync2gear_platform.library import cover_routes as covers
from sync2gear_platform.library import form_routes as forms
from sync2gear_platform.library import link_routes as links
from sync2gear_platform.library import routes as library
from sync2gear_platform.library import rules as library_rules
from sync2gear_platform.library import shelf_routes as shelves
from sync2gear_platform.library import upload_routes as uploads
from sync2gear_platform.library import uses
from sync2gear_platform.library.links import Links
from sync2gear_platform.library.playlists import MAX_BYTES as MAX_PLAYLIST
from sync2gear_platform.notifications import admin_routes as letters
from sync2gear_platform.notifications import routes as notifications
from sync2gear_platform.playback import hub as hubs
from sync2gear_platform.playback import orders, play_routes, socket
from sync2gear_platform.playback import routes as playback
from sync2gear_platform.playback import uses as playing
from sync2gear_platform.playback.schemas import Target
from sync2gear_platform.privacy import routes as privacy
from sync2gear_platform.proof import report_routes
from sync2gear_platform.proof import routes as proof
from sync2gear_platform.schedules import (
    document_routes,
    following,
    outlook_routes,
    plan_routes,
    preview_routes,
    shared_routes,
)
from sync2gear_platform.schedules import routes as schedules
from sync2gear_platform.schedules import uses as planning
from sync2gear_platform.schedules.plan_schemas import ChannelPlayIn
from sync2gear_platform.settings import Settings
from sync2gear_platform.sites import routes as sites
from sync2gear_platform.vaulting import routes as vaulting

__all__ = ["make_app", "tables"]

ROUTERS = (
    identity, factors, oidc, profile, people, audit, vaulting, notifications, sites, library,
    uploads, links, forms, covers, shelves, providers, voices, texts, receiving, announcements,
    channels, preview_routes, outlook_routes, plan_routes, document_routes, schedules,
    shared_routes, playback, proof, report_routes, play_routes, emergencies, fleet, integrations,
    letters, privacy, admin, health,
)  # fmt: skip


BODIES = {
    "/api/v1/auth/me/avatar/": MAX_BYTES,
    "/api/v1/music/files/*/cover/": covers.MAX_SENT,
    "/api/v1/music/folders/*/cover/": covers.MAX_SENT,
    "/api/v1/music/uploads/": library_rules.MAX_BYTES,
    "/api/v1/music/upload/": forms.MAX_FORM,
    "/api/v1/music/folders/*/import/": MAX_PLAYLIST,
    "/api/v1/announcements/uploads/": library_rules.MAX_BYTES,
    "/api/v1/announcements/upload/": forms.MAX_FORM,
    "/api/v1/announcements/recording/": forms.MAX_FORM,
}
"""Paths that take a larger body than usual, in bytes; ``*`` stands for one part."""


async def authenticate(connection: HTTPConnection, ctx: Ctx) -> Actor:
    """A device by Basic credentials, otherwise a person by a bearer token."""
    if connection.headers.get("authorization", "").lower().startswith("basic "):
        return await fleet.authenticate(connection, ctx)
    return await identity.authenticate(connection, ctx)


def make_app(settings: Settings) -> FastAPI:
    """The API and the dashboard as one ASGI application."""
    db = Database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool,
        vault=Vault(settings.vault_key_list),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            open_app(settings.database_url.get_secret_value()) as jobs,
            hubs.hub(db) as hub,
            flushing(app.state.usage, db),
        ):
            app.state.jobs = jobs
            app.state.hub = hub
            yield
        if app.state.oidc is not None:
            await app.state.oidc.close()
        await app.state.speech.close()
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
    app.state.limits = Limits(quotas(settings))
    app.state.usage = Usage()
    app.state.signer = Signer(settings.secret_key.get_secret_value())
    breached = settings.breached_passwords
    app.state.passwords = Passwords(
        settings.argon2_memory_kib, BreachedFile(breached) if breached else None
    )
    app.state.oidc = oidc.provider_of(settings)
    app.state.blobs = open_blobs(settings.blobs_url)
    app.state.links = Links(
        app.state.blobs,
        settings.vault_key_list,
        settings.public_url.rstrip("/"),
        settings.media_base_url,
    )
    app.state.partials = Partials(settings.uploads_path)
    app.state.open_voice = opener(settings.piper_voices)
    app.state.speech = open_booth(settings, app.state.open_voice)
    app.state.splicer = Splicer()
    uses.register("playback", playing.uses)
    uses.register("announcements", calling.uses)
    uses.register("channels", rotating.uses)
    uses.register("schedules", planning.uses)
    events.follow("schedules", following.NOUNS, following.follow)
    events.follow("fleet", {"location"}, devices.moved_in_time)
    events.follow("emergencies", joining.NOUNS, joining.follow)
    uses.register("emergencies", alarming.uses)
    at_hand.register("emergencies", alarming.at_hand)
    app.router.routes.extend(_routes(*ROUTERS))
    orders.offer("schedule", Target, plan_routes.back)
    orders.offer("channel", ChannelPlayIn, plan_routes.put_on)
    install_problems(app)
    install_replays(app)
    refusals.install(app)
    require_policies(app, KNOWN)
    web = settings.web_dir or Path(__file__).parent.parent / "web" / "dist"
    if (web / "index.html").is_file():
        app.mount("/", Dashboard(directory=web, html=True), name="dashboard")
    _surround(app, settings)
    return app


@cache
def _routes(*domains: ModuleType) -> list[BaseRoute]:
    """What all applications of a process route alike: it knows no settings, and takes long."""
    whole = APIRouter()
    for domain in (*domains, socket):
        whole.include_router(domain.router)
    return whole.routes


def _surround(app: FastAPI, settings: Settings) -> None:
    """What every request passes on its way in, the outermost last."""
    app.add_middleware(Pages, paths=PAGES)
    edge = app.state.edge
    app.add_middleware(
        Turnstile,
        limits=app.state.limits,
        joint=Joint(edge.db, quotas(settings)["sign_in"].shared, "sign_in-address"),
        usage=app.state.usage,
        clock=edge.clock,
    )
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=ASKED_ACROSS,
            expose_headers=TOLD_ACROSS,
            max_age=PREFLIGHT_SECONDS,
        )
    app.add_middleware(Guard, https=settings.public_url.startswith("https://"), bodies=BODIES)
    app.add_middleware(Paths)
    app.add_middleware(Proxied, trusted=settings.trusted_proxies)


class Dashboard(StaticFiles):
    """The built dashboard; a path that is no file is the page's own to route."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, as compressed by the build where the browser takes that, or the page."""
        _, found = self.lookup_path(path)
        immutable = path.startswith("assets/") and found is not None
        packed = f"{path}.gz"
        smaller = (
            immutable
            and "gzip" in Headers(scope=scope).get("accept-encoding", "")
            and self.lookup_path(packed)[1] is not None
        )
        if found is None and not path.startswith(("api", "ws")) and self.directory is not None:
            response: Response = FileResponse(Path(self.directory) / "index.html")
        else:
            response = await super().get_response(packed if smaller else path, scope)
        if smaller:
            response.headers["Content-Encoding"] = "gzip"
        if immutable:
            response.headers["Vary"] = "Accept-Encoding"
        response.headers["Content-Security-Policy"] = DASHBOARD_CSP
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if immutable else "no-cache"
        )
        return response
