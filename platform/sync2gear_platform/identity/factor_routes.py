"""The second factor over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, cast

from fastapi import APIRouter, Request, Response

from sync2gear_platform.identity import attempts, second_factor
from sync2gear_platform.identity.factor_schemas import (
    OtpIn,
    PasswordIn,
    ProofIn,
    RecoveryCodesOut,
    TotpOfferOut,
    TotpOut,
)
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.routes import my_seat, signer_of
from sync2gear_platform.kit.context import SELF, Ctx
from sync2gear_platform.kit.web import allow, edge_of, recognised, touch

router = APIRouter(prefix="/api/v1/auth/totp", tags=["second factor"])

Myself = Annotated[Ctx, allow(SELF)]
ONCE = {"Cache-Control": "no-store"}


@asynccontextmanager
async def proved(
    request: Request, *, password: str | None = None, otp: str | None = None
) -> AsyncIterator[Ctx]:
    """Within: one touch of somebody who has just proved again who it is; tries are counted."""
    async with touch(request, SELF) as ctx:
        await my_seat(ctx)
        email, address, now = ctx.actor.label, ctx.origin.address, ctx.now
    account = signer_of(request).account(email)
    async with attempts.counted(
        edge_of(request).db, account=account, email=email, address=address, now=now
    ) as one:
        async with touch(request, SELF) as ctx:
            passwords = cast("Passwords", request.app.state.passwords)
            refusal = await second_factor.proved(ctx, passwords, password=password, code=otp)
            if refusal is None:
                one.ok = True
                yield ctx
        # only now: what counts wrong codes is committed
        if refusal is not None:
            raise refusal


def by(body: ProofIn) -> dict[str, str | None]:
    """The proof in a body, as :func:`proved` takes it."""
    return {
        "password": body.password.get_secret_value() if body.password else None,
        "otp": body.otp,
    }


@router.get("/")
async def status(ctx: Myself) -> TotpOut:
    """Whether one signs in with a second factor."""
    seat = await my_seat(ctx)
    found = await second_factor.status(ctx, seat.user.id)
    return TotpOut(
        enabled=found.since is not None,
        since=found.since,
        recovery_codes_left=found.codes_left,
        required=bool(seat.client and seat.client.require_second_factor),
    )


@router.post("/setup/", dependencies=[recognised(SELF)])
async def set_up(request: Request, response: Response, body: PasswordIn) -> TotpOfferOut:
    """Begin: a secret for an authenticator app. Repeated, it makes a new one."""
    async with proved(request, password=body.password.get_secret_value()) as ctx:
        offer = await second_factor.set_up(ctx)
    response.headers.update(ONCE)
    return TotpOfferOut(secret=offer.secret, uri=offer.uri, svg=offer.picture)


@router.post("/confirm/")
async def confirm(ctx: Myself, response: Response, body: OtpIn) -> RecoveryCodesOut:
    """Switch it on with a first code of the app; answers with the recovery codes, once."""
    await my_seat(ctx)
    codes = await second_factor.confirm(ctx, body.otp)
    response.headers.update(ONCE)
    return RecoveryCodesOut(recovery_codes=codes)


@router.post("/disable/", status_code=204, dependencies=[recognised(SELF)])
async def disable(request: Request, body: ProofIn) -> None:
    """Switch it off."""
    async with proved(request, **by(body)) as ctx:
        await second_factor.switch_off(ctx)


@router.post("/recovery-codes/", dependencies=[recognised(SELF)])
async def recovery_codes(request: Request, response: Response, body: ProofIn) -> RecoveryCodesOut:
    """New recovery codes in place of all old ones."""
    async with proved(request, **by(body)) as ctx:
        codes = await second_factor.renew_codes(ctx)
    response.headers.update(ONCE)
    return RecoveryCodesOut(recovery_codes=codes)
