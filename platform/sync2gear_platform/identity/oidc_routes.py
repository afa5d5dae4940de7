"""Signing in with a provider over HTTP: the browser goes there, comes back, and has a session."""

from typing import Annotated, Final, cast
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from sync2gear_platform.identity import attempts, cookies, providers, second_factor, sessions
from sync2gear_platform.identity.adapters.oidc import Provider
from sync2gear_platform.identity.factor_schemas import OidcOut, OtpIn
from sync2gear_platform.identity.oidc import (
    ATTEMPT_LIFETIME,
    Identity,
    OidcRefused,
    Return,
    Sealer,
)
from sync2gear_platform.identity.routes import answer, keep_session, signer_of
from sync2gear_platform.identity.schemas import LoginOut
from sync2gear_platform.identity.tables import User
from sync2gear_platform.kit import log
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.kit.web import edge_of, same_origin, touch, unguarded
from sync2gear_platform.settings import Settings

logger = log.get(__name__)
router = APIRouter(prefix="/api/v1/auth/oidc", tags=["sign-in provider"])

ATTEMPT: Final = "__Host-s2g-oidc"
RETURN: Final = "__Host-s2g-oidc-otp"
CALLBACK: Final = "/api/v1/auth/oidc/callback/"
HOME: Final = "/"
"""Where the browser ends: our own page and nothing that a request names."""

Given = Annotated[str, Query(max_length=4096)]


def provider_of(settings: Settings) -> Provider | None:
    """The provider of this installation, if it has one."""
    if not settings.oidc_issuer:
        return None
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        redirect_uri=settings.public_url.rstrip("/") + CALLBACK,
    )


def _provider(request: Request) -> Provider:
    found = cast("Provider | None", request.app.state.oidc)
    if found is None:
        raise NotFound("This installation has no sign-in provider.", code="oidc_off")
    return found


def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def _sealer(request: Request) -> Sealer:
    return Sealer(_settings(request).secret_key.get_secret_value())


def _to(path: str) -> Response:
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})


@router.get("/", dependencies=[unguarded()])
async def offered(request: Request) -> OidcOut:
    """Whether there is a sign-in provider."""
    host = urlsplit(_settings(request).oidc_issuer).hostname or ""
    return OidcOut(enabled=bool(host), provider=host)


@router.get("/login/", dependencies=[unguarded()], status_code=303, response_class=Response)
async def login(request: Request) -> Response:
    """Send the browser to the provider."""
    now = edge_of(request).clock.now()
    attempt, address = await _provider(request).begin(now)
    response = _to(address)
    # lax: the provider's page sends the browser back from another site
    response.set_cookie(
        ATTEMPT,
        _sealer(request).seal(attempt, now),
        max_age=int(ATTEMPT_LIFETIME.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/callback/", dependencies=[unguarded()], status_code=303, response_class=Response)
async def callback(
    request: Request, code: Given = "", state: Given = "", error: Given = "", iss: Given = ""
) -> Response:
    """Take the browser back, into a session or to the sign-in page with ``?sign-in=CODE``."""
    provider = _provider(request)
    try:
        if error or not code or iss not in {"", provider.issuer}:
            raise OidcRefused
        response = await _come_back(request, provider, code, state)
    except Refusal as refusal:
        logger.info("oidc.refused", code=refusal.code, said=error[:100])
        response = _to(f"{HOME}?sign-in={refusal.code}")
    response.delete_cookie(ATTEMPT, path="/", secure=True, httponly=True, samesite="lax")
    return response


async def _come_back(request: Request, provider: Provider, code: str, state: str) -> Response:
    now = edge_of(request).clock.now()
    attempt = _sealer(request).open(request.cookies.get(ATTEMPT, ""), state, now)
    who = await provider.finish(attempt, code, now)
    async with touch(request) as ctx:
        await providers.take(ctx, state)
        user = await providers.person(ctx, who, _settings(request).oidc_domain_list)
        if await second_factor.is_on(ctx, user.id):
            response = _to(f"{HOME}?sign-in=otp_required")
            response.set_cookie(
                RETURN,
                _sealer(request).seal_return(Return(user.id, who.issuer, who.subject), ctx.now),
                max_age=int(ATTEMPT_LIFETIME.total_seconds()),
                path="/",
                secure=True,
                httponly=True,
                samesite="strict",
            )
            return response
        response = _to(HOME)
        keep_session(ctx, response, await providers.begin(ctx, user, who))
        return response


@router.post("/otp/", dependencies=[unguarded()])
async def otp(request: Request, response: Response, body: OtpIn) -> LoginOut:
    """Complete a sign-in with the provider by a code of one's second factor."""
    if not same_origin(request):
        raise cookies.CsrfFailed
    edge = edge_of(request)
    now = edge.clock.now()
    back = _sealer(request).open_return(request.cookies.get(RETURN, ""), now)
    async with touch(request) as ctx:
        email, address = (await _person(ctx, back)).email, ctx.origin.address
    async with attempts.counted(
        edge.db, account=signer_of(request).account(email), email=email, address=address, now=now
    ) as one:
        async with touch(request) as ctx:
            user = await _person(ctx, back)
            proof = await second_factor.check(ctx, user.id, body.otp)
            one.ok = proof.verdict == "passed"
            if one.ok:
                who = Identity(back.issuer, back.subject, user.email)
                opened = await providers.begin(ctx, user, who)
                await second_factor.note(sessions.acting(ctx, opened.seat), proof)
                response.delete_cookie(RETURN, path="/", secure=True, httponly=True)
                return await answer(ctx, request, response, opened)
        # only now: what counts wrong codes is committed
        raise proof.refusal


async def _person(ctx: Ctx, back: Return) -> User:
    user = await ctx.db.get(User, back.user_id)
    if user is None or not user.is_active or user.deleted_at is not None:
        raise OidcRefused
    return user
