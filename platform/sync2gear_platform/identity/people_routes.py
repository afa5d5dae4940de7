"""People of a client over HTTP: its members, invitations, API tokens, and the client itself."""

from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlmodel import col, select

from sync2gear_platform.identity import api_tokens, members, rules, service
from sync2gear_platform.identity.schemas import (
    AssignmentOut,
    ClientPatch,
    ClientProfileOut,
    InvitationIn,
    InvitationOut,
    MemberOut,
    MemberPatch,
    RoleOut,
    RolesOut,
    TokenIn,
    TokenMade,
    TokenOut,
)
from sync2gear_platform.identity.tables import (
    ApiToken,
    Client,
    Invitation,
    Membership,
    RoleAssignment,
    User,
)
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.settings import Settings

router = APIRouter(prefix="/api/v1", tags=["people"], route_class=Remembering)

ReadUsers = Annotated[Ctx, allow("users.read")]
WriteUsers = Annotated[Ctx, allow("users.write")]
ReadTokens = Annotated[Ctx, allow("tokens.read")]
Invite = Annotated[Ctx, once("users.write")]
MakeToken = Annotated[Ctx, once("tokens.write")]
WriteTokens = Annotated[Ctx, allow("tokens.write")]


def _member(membership: Membership, user: User, roles: tuple[RoleAssignment, ...]) -> MemberOut:
    return MemberOut(
        id=user.id,
        email=user.email,
        name=user.name,
        phone=user.phone,
        is_active=membership.is_active and user.is_active,
        roles=[AssignmentOut.model_validate(role) for role in roles],
        created_at=membership.created_at,
        updated_at=membership.updated_at,
    )


@router.get("/users/")
async def list_users(ctx: ReadUsers, window: Listing) -> Page[MemberOut]:
    """List the members of this client."""
    statement: Any = (
        select(User, Membership)
        .options(members.WITHOUT_SECRETS)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(col(Membership.client_id) == ctx.client_id)
    )
    found: Page[Any] = await page(
        ctx,
        window,
        statement,
        keys={"name": col(User.name), "email": col(User.email)},
        default="name",
        tiebreak=col(User.id),
        search=(User.name, User.email),
        shape=lambda row: row,
    )
    roles = await members.assignments(ctx, [row[1].id for row in found.results])
    shown = [_member(m, u, roles.get(m.id, ())) for u, m in found.results]
    return Page(results=shown, next=found.next, previous=found.previous, count=found.count)


@router.get("/roles/")
async def list_roles(_: ReadUsers) -> RolesOut:
    """List the roles that a member may have, and what each may do."""
    return RolesOut(
        results=[
            RoleOut(role=name, title=role.title, permissions=sorted(role.permissions))
            for name, role in rules.ROLES.items()
            if role.held_by == "member"
        ]
    )


def _one(found: members.Member, response: Response) -> MemberOut:
    rows.tagged(response, found.membership)
    return _member(found.membership, found.user, found.assignments)


@router.get("/users/{user_id}/")
async def get_user(ctx: ReadUsers, user_id: UUID, response: Response) -> MemberOut:
    """Read a member."""
    return _one(await members.member(ctx, user_id), response)


@router.patch("/users/{user_id}/")
async def update_user(
    ctx: WriteUsers,
    user_id: UUID,
    body: MemberPatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> MemberOut:
    """Change a member's roles, or keep it out."""
    given = rows.given(body)
    roles = [one.model_dump(exclude_none=True) for one in body.roles] if "roles" in given else None
    found = await members.update(
        ctx, user_id, is_active=given.get("is_active"), roles=roles, if_match=if_match
    )
    return _one(found, response)


@router.delete("/users/{user_id}/", status_code=204)
async def remove_user(ctx: WriteUsers, user_id: UUID, if_match: rows.IfMatch = None) -> None:
    """Take a person out of this client."""
    await members.remove(ctx, user_id, if_match)


@router.get("/invitations/")
async def list_invitations(ctx: ReadUsers, window: Listing) -> Page[InvitationOut]:
    """List open invitations, the newest first."""
    return await page(
        ctx,
        window,
        select(Invitation).where(
            col(Invitation.client_id) == ctx.client_id,
            col(Invitation.accepted_at).is_(None),
            col(Invitation.revoked_at).is_(None),
        ),
        keys={"created_at": col(Invitation.created_at)},
        default="-created_at",
        tiebreak=col(Invitation.id),
        search=(Invitation.email,),
        shape=lambda row: InvitationOut.model_validate(row[0]),
    )


@router.post("/invitations/", status_code=201)
async def invite(ctx: Invite, request: Request, body: InvitationIn) -> InvitationOut:
    """Invite somebody by e-mail; a new invitation of the same address replaces the old one."""
    settings = cast("Settings", request.app.state.settings)
    row = await members.invite(
        ctx,
        email=body.email,
        role=body.role,
        locale=body.locale,
        public_url=settings.public_url,
        **body.place,
    )
    return InvitationOut.model_validate(row)


@router.delete("/invitations/{invitation_id}/", status_code=204)
async def revoke_invitation(ctx: WriteUsers, invitation_id: UUID) -> None:
    """Take an invitation back."""
    await members.revoke_invitation(ctx, invitation_id)


@router.get("/tokens/")
async def list_tokens(ctx: ReadTokens, window: Listing) -> Page[TokenOut]:
    """List API tokens, the newest first."""
    return await page(
        ctx,
        window,
        select(ApiToken).where(
            col(ApiToken.client_id) == ctx.client_id, col(ApiToken.revoked_at).is_(None)
        ),
        keys={"created_at": col(ApiToken.created_at), "name": col(ApiToken.name)},
        default="-created_at",
        tiebreak=col(ApiToken.id),
        search=(ApiToken.name,),
        shape=lambda row: TokenOut.model_validate(row[0]),
    )


@router.post("/tokens/", status_code=201)
async def create_token(ctx: MakeToken, body: TokenIn, response: Response) -> TokenMade:
    """Make an API token; its text is in this answer and nowhere else."""
    made = await api_tokens.create(
        ctx,
        name=body.name,
        permissions=body.permissions,
        expires_at=body.expires_at,
        **body.place,
    )
    response.headers["Cache-Control"] = "no-store"
    return TokenMade(**TokenOut.model_validate(made.row).model_dump(), token=made.token)


@router.delete("/tokens/{token_id}/", status_code=204)
async def revoke_token(ctx: WriteTokens, token_id: UUID) -> None:
    """Revoke an API token at once."""
    await api_tokens.revoke(ctx, token_id)


def _profile(client: Client, response: Response) -> ClientProfileOut:
    rows.tagged(response, client)
    return ClientProfileOut.model_validate(client)


@router.get("/client/")
async def get_client(
    ctx: Annotated[Ctx, allow("client.read")], response: Response
) -> ClientProfileOut:
    """Read one's own client."""
    return _profile(await service.own_client(ctx), response)


@router.patch("/client/")
async def update_client(
    ctx: Annotated[Ctx, allow("client.write")],
    body: ClientPatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> ClientProfileOut:
    """Change the name, e-mail or phone of one's own client."""
    return _profile(await service.update_client(ctx, rows.given(body), if_match), response)
