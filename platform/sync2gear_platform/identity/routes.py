"""Signing in over HTTP (founding documents 001, 000 and 003), and who a request speaks for."""

from collections.abc import Sequence
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlmodel import col, select
from starlette.requests import HTTPConnection

from sync2gear_platform.identity import (
    api_tokens,
    attempts,
    cookies,
    members,
    renewal,
    rules,
    second_factor,
    service,
    sessions,
    tickets,
)
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.schemas import (
    AcceptIn,
    ClientOut,
    ConfirmSignupIn,
    CsrfOut,
    DoneOut,
    LinkIn,
    LoginIn,
    LoginOut,
    MeOut,
    OfferOut,
    RefreshIn,
    ResetIn,
    ResetRequestIn,
    SessionOut,
    SessionsOut,
    SignupIn,
    SwitchIn,
    UserOut,
    UserPatch,
)
from sync2gear_platform.identity.tables import Client, Membership, Session, User
from sync2gear_platform.identity.tokens import ACCESS_LIFETIME, SessionEnded, Signer
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import SELF, Actor, Ctx
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.kit.web import allow, edge_of, public, same_origin, touch, unguarded
from sync2gear_platform.settings import Settings

router = APIRouter(prefix="/api/v1", tags=["auth"])

Myself = Annotated[Ctx, allow(SELF)]
Anybody = Annotated[Ctx, public()]

SIGNED_UP = "If this address is new here, we have sent it a link that completes the sign-up."
RESET = "If this address has an account, we have sent it a link to choose a new password."


class SignupClosed(Refusal):
    """Nobody can sign up here: ask the operator for an invitation."""

    kind = "forbidden"
    code = "signup_closed"


def signer_of(connection: HTTPConnection) -> Signer:
    """The application's signer."""
    return cast("Signer", connection.app.state.signer)


def _passwords(request: Request) -> Passwords:
    return cast("Passwords", request.app.state.passwords)


def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def bearer(connection: HTTPConnection) -> str | None:
    """The token of an ``Authorization: Bearer`` header."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def authenticate(connection: HTTPConnection, ctx: Ctx) -> Actor:
    """Whom a request speaks for: an API token, an access token, or a browser's cookie."""
    token = bearer(connection)
    if token and token.startswith(f"{api_tokens.PREFIX}_"):
        return await api_tokens.recognise(ctx, token)
    signer = signer_of(connection)
    if token:
        seat = await sessions.by_claims(ctx, signer.read(token))
    elif cookie := connection.cookies.get(cookies.COOKIE):
        seat = await sessions.by_cookie(ctx, cookie)
        cookies.require_own_page(connection, signer, seat)
    else:
        raise SessionEnded
    cookies.require_same_client(connection, seat)
    return seat.actor


async def my_seat(ctx: Ctx) -> sessions.Seat:
    """The seat of a person who acts; a program has none."""
    if ctx.actor.kind != "user" or ctx.actor.session_id is None:
        raise NotFound("Only a person has this: a token has no profile.", code="only_people")
    return await sessions.seat_of(ctx, ctx.actor.session_id)


async def _me(ctx: Ctx, seat: sessions.Seat) -> MeOut:
    actor = seat.actor
    return MeOut(
        user=UserOut.model_validate(seat.user),
        client=_client(ctx, seat.client) if seat.client else None,
        role=seat.role,
        permissions=sorted(actor.permissions),
        confined={p: sorted(places) for p, places in sorted(actor.confined.items())},
        viewing=seat.session.viewing,
        second_factor_missing=seat.factor_missing,
        clients=[_client(ctx, one) for one in await _clients(ctx, seat.user.id)],
    )


def _client(ctx: Ctx, row: Client) -> ClientOut:
    day = ctx.now.date()
    stands = rules.standing(row.status, row.subscription_start, row.subscription_end, day)
    return ClientOut(id=row.id, name=row.name, standing=stands)


async def _clients(ctx: Ctx, user_id: UUID) -> Sequence[Client]:
    """Where a person may switch to. ``ctx`` is in the system's door."""
    statement = (
        select(Client)
        .join(Membership, col(Membership.client_id) == col(Client.id))
        .where(
            col(Membership.user_id) == user_id,
            col(Membership.is_active),
            col(Client.deleted_at).is_(None),
        )
        .order_by(col(Client.name), col(Client.id))
        .limit(500)
    )
    return (await ctx.db.exec(statement)).all()


async def answer(
    ctx: Ctx, request: Request, response: Response, opened: sessions.Opened
) -> LoginOut:
    """A session as it is handed over: a cookie for a browser, tokens for anybody else."""
    signer, seat = signer_of(request), opened.seat
    me = (await _me(ctx, seat)).model_dump()
    response.headers["Cache-Control"] = "no-store"
    if seat.session.kind == "browser":
        keep_session(ctx, response, opened)
        return LoginOut(**me, csrf_token=signer.csrf(seat.session.id))
    return LoginOut(
        **me,
        access=signer.sign(seat.claims, ctx.now),
        refresh=opened.secret,
        expires_in=int(ACCESS_LIFETIME.total_seconds()),
    )


def keep_session(ctx: Ctx, response: Response, opened: sessions.Opened) -> None:
    """Let the browser keep a session."""
    left = int((opened.seat.session.expires_at - ctx.now).total_seconds())
    cookies.keep(response, opened.secret, left)


@router.post("/auth/login/", dependencies=[unguarded()])
async def login(request: Request, response: Response, body: LoginIn) -> LoginOut:
    """Sign in with an e-mail address and a password."""
    if body.session == "cookie" and not same_origin(request):
        raise cookies.CsrfFailed
    edge = edge_of(request)
    account = signer_of(request).account(body.email)
    async with touch(request) as ctx:
        address, now = ctx.origin.address, ctx.now
    async with attempts.counted(
        edge.db, account=account, email=body.email, address=address, now=now
    ) as one:
        async with touch(request) as ctx:
            user = await service.log_in(
                ctx,
                _passwords(request),
                email=body.email,
                password=body.password.get_secret_value(),
            )
            proof = await second_factor.check(ctx, user.id, body.otp)
            # who sends the right password alone tells nothing new by it
            one.ok = proof.verdict in {"passed", "needed"}
            if proof.verdict == "passed":
                opened = await _begin(ctx, user, body)
                await second_factor.note(sessions.acting(ctx, opened.seat), proof)
                return await answer(ctx, request, response, opened)
        # only now: what counts wrong codes is committed
        raise proof.refusal


async def _begin(ctx: Ctx, user: User, body: LoginIn) -> sessions.Opened:
    try:
        return await sessions.begin(
            ctx,
            user,
            kind="browser" if body.session == "cookie" else "token",
            client_id=body.client_id,
            remember=body.remember,
        )
    except sessions.NoSuchClient as nowhere:
        raise service.WrongLogin from nowhere


@router.post("/auth/refresh/", dependencies=[unguarded()])
async def refresh(request: Request, response: Response, body: RefreshIn) -> LoginOut:
    """The next pair of tokens; a refresh token that comes back later ends its whole family."""
    async with touch(request) as ctx:
        opened = await renewal.refresh(ctx, signer_of(request), body.refresh)
        if opened is not None:
            return await answer(ctx, request, response, opened)
    raise renewal.RefreshReused


@router.post("/auth/logout/", status_code=204)
async def logout(ctx: Myself, request: Request, response: Response) -> None:
    """End this session at once."""
    await my_seat(ctx)
    await sessions.end(ctx, cast("UUID", ctx.actor.session_id))
    if not bearer(request):
        cookies.forget(response)


@router.get("/csrf/", dependencies=[unguarded()])
async def csrf(request: Request, response: Response) -> CsrfOut:
    """What changes by cookie carry as ``X-CSRFToken``."""
    response.headers["Cache-Control"] = "no-store"
    cookie = request.cookies.get(cookies.COOKIE)
    if not cookie:
        return CsrfOut(csrf_token=None)
    async with touch(request) as ctx:
        try:
            seat = await sessions.by_cookie(ctx, cookie)
        except SessionEnded:
            return CsrfOut(csrf_token=None)
    return CsrfOut(csrf_token=signer_of(request).csrf(seat.session.id))


@router.get("/auth/me/")
@router.get("/auth/user/")
async def me(ctx: Myself, response: Response) -> MeOut:
    """Who is signed in."""
    seat = await my_seat(ctx)
    rows.tagged(response, seat.user)
    return await _me(ctx, seat)


@router.patch("/auth/me/")
async def update_me(
    ctx: Myself, body: UserPatch, response: Response, if_match: rows.IfMatch = None
) -> MeOut:
    """Change one's own name, phone, time zone or language."""
    seat = await my_seat(ctx)
    rows.tagged(response, await service.update_me(ctx, rows.given(body), if_match))
    return await _me(ctx, await sessions.seat_of(ctx, seat.session.id))


@router.post("/auth/switch/")
async def switch(ctx: Myself, request: Request, response: Response, body: SwitchIn) -> LoginOut:
    """Act in another client of one's own; sync2gear's own people: look at any client."""
    seat = await my_seat(ctx)
    opened = await sessions.switch(ctx, seat, body.client_id)
    return await answer(ctx, request, response, opened)


@router.get("/auth/sessions/")
async def list_sessions(ctx: Myself) -> SessionsOut:
    """Where one is signed in."""
    seat = await my_seat(ctx)
    found = await sessions.listed(ctx, seat.user.id)
    shown = [SessionOut.model_validate(one) for one in found]
    for one in shown:
        one.current = one.id == seat.session.id
    return SessionsOut(results=shown)


@router.delete("/auth/sessions/{session_id}/", status_code=204)
async def end_session(ctx: Myself, session_id: UUID) -> None:
    """Sign out somewhere else."""
    seat = await my_seat(ctx)
    row = await ctx.db.get(Session, session_id)
    if row is None or row.user_id != seat.user.id or row.ended_at is not None:
        raise NotFound("There is no such session.")
    await sessions.end(ctx, session_id, "ended_elsewhere")


@router.post("/auth/signup/", status_code=202)
async def signup(ctx: Anybody, request: Request, body: SignupIn) -> DoneOut:
    """Sign up a new client: a link is mailed that completes it. The answer is always the same."""
    if _settings(request).signup != "open":
        raise SignupClosed
    await tickets.request_signup(
        ctx,
        _passwords(request),
        email=body.email,
        password=body.password.get_secret_value(),
        name=body.name,
        company=body.company,
        locale=body.locale,
        timezone=body.timezone,
    )
    return DoneOut(detail=SIGNED_UP)


@router.post("/auth/signup/confirm/", status_code=201)
async def confirm_signup(
    ctx: Anybody, request: Request, response: Response, body: ConfirmSignupIn
) -> LoginOut:
    """Complete a sign-up by its link; answers with a first session."""
    in_browser = body.session == "cookie"
    if in_browser and not same_origin(request):
        raise cookies.CsrfFailed
    user = await tickets.confirm_signup(
        ctx, _passwords(request), body.token, body.password.get_secret_value()
    )
    opened = await sessions.begin(ctx, user, kind="browser" if in_browser else "token")
    return await answer(ctx, request, response, opened)


@router.post("/auth/password-reset/", status_code=202)
async def request_reset(ctx: Anybody, body: ResetRequestIn) -> DoneOut:
    """Forget a password: a link is mailed. The answer is always the same."""
    await tickets.request(ctx, "password_reset", body.email, {})
    return DoneOut(detail=RESET)


@router.post("/auth/password-reset/confirm/", status_code=204)
async def confirm_reset(ctx: Anybody, request: Request, body: ResetIn) -> None:
    """Choose a new password by its link: every session ends."""
    await tickets.confirm_reset(
        ctx, _passwords(request), body.token, body.new_password.get_secret_value()
    )


@router.post("/auth/invitations/preview/")
async def preview_invitation(ctx: Anybody, body: LinkIn) -> OfferOut:
    """What an invitation's link offers."""
    found = await members.offer(ctx, body.token)
    row = found.invitation
    return OfferOut(
        client=found.client.name,
        email=row.email,
        role=row.role,
        title=rules.ROLES[row.role].title,
        known=found.known is not None,
    )


@router.post("/auth/invitations/accept/", status_code=204)
async def accept_invitation(ctx: Anybody, request: Request, body: AcceptIn) -> None:
    """Join a client by an invitation's link; then sign in."""
    password = body.password.get_secret_value() if body.password else None
    await members.accept(ctx, _passwords(request), body.token, name=body.name, password=password)
