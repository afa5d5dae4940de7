"""Signing in over HTTP."""

from typing import Annotated, cast

from fastapi import APIRouter, Request
from starlette.requests import HTTPConnection

from sync2gear_platform.identity import service
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.schemas import ClientOut, LoginIn, LoginOut, MeOut, UserOut
from sync2gear_platform.identity.tokens import ACCESS_LIFETIME, SessionEnded, Signer
from sync2gear_platform.kit.context import SELF, Actor, Ctx
from sync2gear_platform.kit.web import allow, public

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])


def signer_of(connection: HTTPConnection) -> Signer:
    """The application's signer."""
    return cast("Signer", connection.app.state.signer)


def _me(seat: service.Seat) -> MeOut:
    return MeOut(
        user=UserOut(id=seat.user.id, email=seat.user.email, name=seat.user.name),
        client=ClientOut(id=seat.client.id, name=seat.client.name),
        role=seat.membership.role,
        permissions=sorted(seat.actor.permissions),
    )


@router.post("/login/")
async def login(ctx: Annotated[Ctx, public()], request: Request, body: LoginIn) -> LoginOut:
    """Sign in with an e-mail address and a password."""
    passwords = cast("Passwords", request.app.state.passwords)
    seat = await service.log_in(
        ctx, passwords, email=body.email, password=body.password.get_secret_value()
    )
    return LoginOut(
        **_me(seat).model_dump(),
        access=signer_of(request).sign(seat.claims, ctx.now),
        expires_in=int(ACCESS_LIFETIME.total_seconds()),
    )


@router.get("/me/")
async def me(ctx: Annotated[Ctx, allow(SELF)], request: Request) -> MeOut:
    """Who is signed in."""
    return _me(await service.seat_of(ctx, signer_of(request).read(bearer(request) or "")))


def bearer(connection: HTTPConnection) -> str | None:
    """The token of an ``Authorization: Bearer`` header."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def authenticate(connection: HTTPConnection, ctx: Ctx) -> Actor:
    """The person that a bearer token speaks for."""
    token = bearer(connection)
    if not token:
        raise SessionEnded
    return await service.recognise(ctx, signer_of(connection).read(token))
