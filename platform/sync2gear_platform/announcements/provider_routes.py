"""Providers of voices over HTTP: a client's own below ``/ai-providers``, the installation's below
``/admin/ai-providers``, by the same use cases.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import col, select

from sync2gear_platform.announcements import accounts, providers
from sync2gear_platform.announcements.provider_schemas import (
    ProviderIn,
    ProviderOut,
    ProviderPatch,
    TrialOut,
)
from sync2gear_platform.announcements.speech_tables import AiProvider
from sync2gear_platform.announcements.voice_schemas import UsageLineOut, UsageOut
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx, NoClient
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow

router = APIRouter(prefix="/api/v1")
Months = Annotated[int, Query(ge=1, le=12)]


def _shown(row: AiProvider) -> ProviderOut:
    return ProviderOut.model_validate(
        {**row.model_dump(exclude={"api_key"}), "is_offered": row.client_id is None}
    )


def _tagged(row: AiProvider, response: Response) -> ProviderOut:
    rows.tagged(response, row)
    return _shown(row)


def _in_a_client(ctx: Ctx) -> Ctx:
    """What is one client's is asked in that client, also by sync2gear's own people."""
    if ctx.actor.client_id is None:
        raise NoClient
    return ctx


def _anywhere(ctx: Ctx) -> Ctx:
    return ctx


def _routes(prefix: str, noun: str, tag: str) -> APIRouter:
    """The routes over one owner's providers; ``noun`` names the permissions."""
    made = APIRouter(prefix=prefix, tags=[tag], route_class=Remembering)
    name, here = ("installation_", _anywhere) if noun == "admin" else ("", _in_a_client)
    read: Any = Annotated[Ctx, allow(f"{noun}.read")]
    write: Any = Annotated[Ctx, allow(f"{noun}.write")]
    create: Any = Annotated[Ctx, once(f"{noun}.write")]

    @made.get("/", name=f"list_{name}providers")
    async def list_providers(ctx: read, window: Listing) -> Page[ProviderOut]:
        """List providers of voices: one's own, and those that the installation offers."""
        return await page(
            ctx,
            window,
            select(AiProvider).where(providers.seen(here(ctx))),
            keys={"priority": col(AiProvider.priority), "name": col(AiProvider.name)},
            default="priority",
            tiebreak=col(AiProvider.id),
            search=(AiProvider.name,),
            shape=lambda row: _shown(row[0]),
        )

    @made.post("/", status_code=201, name=f"create_{name}provider")
    async def create_provider(ctx: create, body: ProviderIn, response: Response) -> ProviderOut:
        """Add a provider; its key is sealed and never shown again."""
        return _tagged(await providers.create(here(ctx), body.values_given()), response)

    @made.get("/{provider_id}/", name=f"get_{name}provider")
    async def get_provider(ctx: read, provider_id: UUID, response: Response) -> ProviderOut:
        """Read a provider."""
        return _tagged(await providers.find(here(ctx), provider_id), response)

    @made.patch("/{provider_id}/", name=f"update_{name}provider")
    async def update_provider(
        ctx: write,
        provider_id: UUID,
        body: ProviderPatch,
        response: Response,
        if_match: rows.IfMatch = None,
    ) -> ProviderOut:
        """Change a provider, or give it another key."""
        values = body.values_given()
        return _tagged(
            await providers.update_provider(here(ctx), provider_id, values, if_match), response
        )

    @made.delete("/{provider_id}/", status_code=204, name=f"delete_{name}provider")
    async def delete_provider(ctx: write, provider_id: UUID, if_match: rows.IfMatch = None) -> None:
        """Remove a provider; what it spoke stays."""
        await providers.remove(here(ctx), provider_id, if_match)

    @made.post("/{provider_id}/test/", name=f"test_{name}provider")
    async def test_provider(ctx: write, request: Request, provider_id: UUID) -> TrialOut:
        """Ask a provider for its voices, which costs nothing."""
        trial = await providers.try_out(here(ctx), request.app.state.open_voice, provider_id)
        return TrialOut(ok=trial.ok, voices=trial.voices, code=trial.code, detail=trial.detail)

    return made


own = _routes("/ai-providers", "providers", "announcements")
router.include_router(own)
router.include_router(_routes("/admin/ai-providers", "admin", "admin"))


@router.get("/ai-providers/{provider_id}/usage/", tags=["announcements"])
async def provider_usage(
    ctx: Annotated[Ctx, allow("providers.read")], provider_id: UUID, months: Months = 1
) -> UsageOut:
    """What this client's speech cost at one provider."""
    await providers.find(_in_a_client(ctx), provider_id)
    lines = await accounts.usage(ctx, months=months, provider_id=provider_id)
    return UsageOut(
        results=[UsageLineOut.model_validate(line) for line in lines],
        from_cache=await accounts.saved(ctx),
    )
