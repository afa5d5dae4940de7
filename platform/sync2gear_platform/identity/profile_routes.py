"""What is a person's own over HTTP: its password, its picture, its address."""

from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response

from sync2gear_platform.identity import avatars, email_change, renewal, service
from sync2gear_platform.identity.factor_routes import by, proved
from sync2gear_platform.identity.factor_schemas import EmailIn
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.routes import answer, my_seat
from sync2gear_platform.identity.schemas import ChangePasswordIn, DoneOut, LinkIn, LoginOut
from sync2gear_platform.identity.tables import Avatar
from sync2gear_platform.kit import drawing
from sync2gear_platform.kit.context import SELF, Ctx
from sync2gear_platform.kit.web import allow, public, recognised, touch

router = APIRouter(prefix="/api/v1", tags=["people"])

Myself = Annotated[Ctx, allow(SELF)]
Anybody = Annotated[Ctx, public()]

ASKED = "If this address is free, we have sent it a link that completes the change."


def _tag(row: Avatar) -> str:
    return f'"{row.sha256[:32]}"'


@router.post("/auth/change-password/", dependencies=[recognised(SELF)])
async def change_password(request: Request, response: Response, body: ChangePasswordIn) -> LoginOut:
    """Change the password. Every other session ends; this one goes on with what is answered."""
    passwords = cast("Passwords", request.app.state.passwords)
    async with proved(request, password=body.current_password.get_secret_value()) as ctx:
        await service.change_password(ctx, passwords, body.new_password.get_secret_value())
        opened = await renewal.renewed(ctx, cast("UUID", ctx.actor.session_id))
        return await answer(ctx, request, response, opened)


@router.put(
    "/auth/me/avatar/",
    status_code=204,
    dependencies=[recognised(SELF)],
    openapi_extra=drawing.BODY,
)
async def put_avatar(request: Request, response: Response) -> None:
    """Send one's picture: JPEG, PNG or WebP as the body, at most 2 MB. It is drawn anew."""
    async with touch(request, SELF) as ctx:
        await my_seat(ctx)
    image = await avatars.draw(await drawing.received(request.stream(), avatars.MAX_BYTES))
    async with touch(request, SELF) as ctx:
        row = await avatars.keep(ctx, cast("UUID", ctx.actor.id), image)
    response.headers["ETag"] = _tag(row)


@router.delete("/auth/me/avatar/", status_code=204)
async def delete_avatar(ctx: Myself) -> None:
    """Remove one's picture."""
    seat = await my_seat(ctx)
    await avatars.remove(ctx, seat.user.id)


@router.get("/users/{user_id}/avatar/", response_class=Response, responses=drawing.SHOWN)
async def get_avatar(
    ctx: Myself, user_id: UUID, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """The picture of a colleague, or one's own."""
    row = await avatars.of(ctx, user_id)
    same = drawing.unchanged(_tag(row), if_none_match)
    return drawing.shown(None if same else row.image, _tag(row))


@router.post("/auth/me/email/", status_code=202, dependencies=[recognised(SELF)])
async def change_email(request: Request, body: EmailIn) -> DoneOut:
    """Ask for another e-mail address: a link is mailed to it."""
    async with proved(request, **by(body)) as ctx:
        await email_change.ask(ctx, body.email)
    return DoneOut(detail=ASKED)


@router.post("/auth/me/email/confirm/", status_code=204)
async def confirm_email(ctx: Anybody, body: LinkIn) -> None:
    """Make the new address one's own by its link. Every session ends; the old address is told."""
    await email_change.confirm(ctx, body.token)
