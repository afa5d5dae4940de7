"""Speaking: one text to the best voice that answers, paid once, kept, and counted.

What is done here has transactions of its own, on connections of its own: what was paid for stays,
whatever becomes of the request that asked for it. So a caller must not hold locks on the client's
storage or budget when it calls :meth:`Booth.render`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from sync2gear_platform.announcements import accounts, rules
from sync2gear_platform.announcements.breaker import Breaker
from sync2gear_platform.announcements.ports import (
    PLAIN,
    Kind,
    Opener,
    Prosody,
    Said,
    Speech,
    SpeechTooLong,
    SpeechUnavailable,
    UnknownVoice,
    Voice,
)
from sync2gear_platform.announcements.preferences import Preferred, active, preferred
from sync2gear_platform.announcements.speech_tables import AiProvider, Rendered
from sync2gear_platform.announcements.ssml import Markup
from sync2gear_platform.announcements.turns import Turns
from sync2gear_platform.kit import log
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.kit.ids import uuid7
from sync2gear_platform.kit.vault import Locked, Vault
from sync2gear_platform.library import probe
from sync2gear_platform.library import service as library
from sync2gear_platform.library.tables import Media
from sync2gear_platform.settings import Settings

logger = log.get(__name__)

REMOTE: Final = frozenset({"google"})
"""Kinds that are somebody else's service: a breaker stands before each."""

PASSED_ON: Final = (
    SpeechUnavailable, SpeechTooLong, UnknownVoice, accounts.BudgetExceeded, Locked,
)  # fmt: skip
"""Refusals of one provider after which the next one is asked."""

CONNECTIONS: Final = 4
"""Kept open by each process, twice as many at most: turns hold up to half of these."""

LIST_SECONDS: Final = 5.0
LISTED_SECONDS: Final = 3600.0
"""How long a list of voices is believed; an older one is better than none."""


class NothingSpoken(Refusal):
    """There is nothing in this text that can be spoken."""

    code = "text_empty"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be spoken, and as whom; what is empty, the client's defaults say.

    ``provider_id`` is asked first. ``purpose`` stands in the account of what was paid.
    """

    said: Said
    voice: str = ""
    language: str = ""
    prosody: Prosody | None = None
    provider_id: UUID | None = None
    purpose: str = "announcement"

    @property
    def canonical(self) -> str:
        """What is said, in one spelling."""
        return f"ssml:{self.said.canonical}" if isinstance(self.said, Markup) else self.said


@dataclass(frozen=True, slots=True)
class Rendering:
    """The sound of a text, who spoke it, and what it cost now, in millionths of a unit."""

    media: Media
    provider: str
    kind: str
    voice: str
    cached: bool
    cost: int


@dataclass(frozen=True, slots=True)
class Offered:
    """A voice and the provider that has it."""

    voice: Voice
    provider: AiProvider


class Booth:
    """Where texts are spoken, once for each process: engines that are open, and their breakers.

    ``db`` is its own: its few connections are never those that a waiting request holds.
    """

    def __init__(
        self, db: Database, opened: Opener, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._db = db
        self._opened = opened
        self._clock = clock
        self._turns = Turns(db)
        self._engines: dict[UUID, tuple[int, Speech]] = {}
        self._retired: list[Speech] = []
        self._listed: dict[UUID, tuple[int, float, list[Voice]]] = {}
        self._breakers: dict[UUID, Breaker] = {}

    async def close(self) -> None:
        """Let everything go."""
        for engine in (*self._retired, *(engine for _, engine in self._engines.values())):
            await engine.close()
        self._engines.clear()
        await self._db.close()

    async def render(self, ctx: Ctx, blobs: Blobs, wanted: Wanted) -> Rendering:
        """``wanted`` as sound, by the first of the client's providers that can.

        Raises the refusal of the first that was asked: :class:`SpeechUnavailable`,
        :class:`UnknownVoice`, :class:`SpeechTooLong`, :class:`NothingSpoken`,
        :class:`~sync2gear_platform.announcements.accounts.BudgetExceeded`.
        """
        first: Refusal | None = None
        wanted, chain = await self._prepared(ctx, wanted)
        for provider, voice in chain:
            try:
                return await self._by(ctx, blobs, provider, voice, wanted)
            except PASSED_ON as no:
                logger.warning("speech.passed_on", provider=provider.name, code=no.code)
                first = first or no
        raise first or SpeechUnavailable("No provider of voices is active.")

    async def known(self, ctx: Ctx, blobs: Blobs, wanted: Wanted) -> Rendering | None:
        """``wanted`` if whom we would ask first spoke it before; nobody is given the text.

        Raises :class:`UnknownVoice`.
        """
        wanted, chain = await self._prepared(ctx, wanted)
        for provider, voice in chain[:1]:
            kept = await self._kept(ctx, blobs, _key(wanted, voice, provider))
            if kept is not None:
                return await _rendering(ctx, kept, provider, voice)
        return None

    async def offered(
        self, ctx: Ctx, *, provider_id: UUID | None = None
    ) -> tuple[list[Offered], list[AiProvider]]:
        """Every voice of the active providers, and the providers that do not answer now."""
        found: list[Offered] = []
        silent: list[AiProvider] = []
        for provider in await active(ctx):
            if provider_id not in {None, provider.id}:
                continue
            voices = await self._voices(ctx, provider)
            if voices is None:
                silent.append(provider)
            found += [Offered(voice, provider) for voice in voices or ()]
        return found, silent

    def engine(self, ctx: Ctx, provider: AiProvider) -> Speech:
        """What speaks for a provider as it is now; it stays open until the provider changes."""
        version, engine = self._engines.get(provider.id, (0, None))
        if engine is None or version != provider.version:
            key = ctx.vault.open(provider.api_key) if provider.api_key else ""
            if engine is not None:  # somebody may be listening to it still
                self._retired.append(engine)
            engine = self._opened(cast("Kind", provider.kind), provider.settings, key)
            self._engines[provider.id] = provider.version, engine
            self._breakers.pop(provider.id, None)
        return engine

    async def _prepared(
        self, ctx: Ctx, wanted: Wanted
    ) -> tuple[Wanted, list[tuple[AiProvider, str]]]:
        """``wanted`` in the client's manner, and whom to ask in turn."""
        defaults = await preferred(ctx)
        wanted = replace(wanted, prosody=wanted.prosody or defaults.prosody)
        return wanted, await self._chain(ctx, wanted, defaults)

    async def _chain(
        self, ctx: Ctx, wanted: Wanted, defaults: Preferred
    ) -> list[tuple[AiProvider, str]]:
        """Whom to ask in turn, each with the voice to ask for."""
        providers = await active(ctx, first=wanted.provider_id or defaults.provider_id)
        if wanted.provider_id is not None and wanted.provider_id not in {p.id for p in providers}:
            raise NotFound("There is no such provider here.")
        lists = [(p, await self._voices(ctx, p)) for p in providers]
        asked = wanted.voice or defaults.voice
        language = wanted.language or rules.language_of(asked) or defaults.language
        knowing = [(p, asked) for p, voices in lists if asked in {v.id for v in voices or ()}]
        concerned = [p.id for p in providers if wanted.provider_id in {None, p.id}]
        missing = not {p.id for p, _ in knowing} & set(concerned)
        sure = all(voices is not None for p, voices in lists if p.id in concerned)
        if wanted.voice and missing and sure:
            raise UnknownVoice
        others = [
            (p, rules.fitting(voices or (), language))
            for p, voices in lists
            if p.id not in {known.id for known, _ in knowing}
        ]
        chain = knowing + [(p, voice) for p, voice in others if voice]
        if defaults.fall_back:
            return chain
        # Only one may speak, also while nobody knows which voices it has.
        preferred = wanted.provider_id or defaults.provider_id
        by_voice = bool(knowing) and (bool(wanted.voice) or preferred is None)
        only = (knowing[0][0] if by_voice else providers[0]).id if providers else None
        return [one for one in chain if one[0].id == only][:1]

    async def _voices(self, ctx: Ctx, provider: AiProvider) -> list[Voice] | None:
        """The voices of a provider, lately listed; ``None`` where it never answered."""
        version, at, voices = self._listed.get(provider.id, (0, 0.0, []))
        known = voices if version == provider.version else None
        if known is not None and self._clock() < at + LISTED_SECONDS:
            return known
        try:
            async with self._guarded(provider), asyncio.timeout(LIST_SECONDS):
                found = await self.engine(ctx, provider).voices()
        except (SpeechUnavailable, Locked, TimeoutError) as error:
            logger.warning("speech.no_list", provider=provider.name, error=repr(error)[:200])
            return known
        self._listed[provider.id] = provider.version, self._clock(), found
        return found

    @asynccontextmanager
    async def _guarded(self, provider: AiProvider) -> AsyncIterator[None]:
        """Ask a provider through its breaker; :class:`SpeechUnavailable` while that is open."""
        if provider.kind not in REMOTE:
            yield
            return
        breaker = self._breakers.setdefault(provider.id, Breaker())
        if not breaker.admits(self._clock()):
            raise SpeechUnavailable(f"{provider.name} failed lately and is left alone a while.")
        try:
            yield
        except (SpeechUnavailable, TimeoutError):
            breaker.failed(self._clock())
            raise
        except BaseException:
            breaker.unasked()
            raise
        breaker.went_well()

    async def _by(
        self, ctx: Ctx, blobs: Blobs, provider: AiProvider, voice: str, wanted: Wanted
    ) -> Rendering:
        key = _key(wanted, voice, provider)
        kept = await self._kept(ctx, blobs, key)
        cost, cached = 0, kept is not None
        if kept is None:
            async with self._turns.of(f"speech {ctx.client_id} {key}"):
                # Whoever had the turn before us may have done it.
                kept = await self._kept(ctx, blobs, key)
                cached = kept is not None
                if kept is None:
                    kept, cost = await self._paid(ctx, blobs, provider, voice, wanted, key)
        return replace(await _rendering(ctx, kept, provider, voice), cached=cached, cost=cost)

    async def _kept(self, ctx: Ctx, blobs: Blobs, key: str) -> str | None:
        """The digest of what was rendered before, if it is still there; it counts as used."""
        async with self._own(ctx) as own:
            used = (
                update(Rendered)
                .where(col(Rendered.client_id) == ctx.client_id, col(Rendered.key) == key)
                .values(hits=col(Rendered.hits) + 1, used_at=ctx.now)
                .returning(col(Rendered.sha256))
            )
            sha256 = (await own.db.execute(used)).scalar_one_or_none()
        if sha256 is None or await blobs.size(sha256) is None:
            return None
        return str(sha256)

    async def _paid(
        self, ctx: Ctx, blobs: Blobs, provider: AiProvider, voice: str,
        wanted: Wanted, key: str,
    ) -> tuple[str, int]:  # fmt: skip
        """Have it spoken, and keep it; the digest and what it cost.

        Who dies from here to the last commit may pay a second time: the account says ``open``.
        """
        engine = self.engine(ctx, provider)
        characters = engine.price(wanted.said)
        async with self._own(ctx) as own:
            call = await accounts.reserve(
                own, provider, key, characters=characters, purpose=wanted.purpose
            )
        try:
            async with self._guarded(provider):
                wav = await engine.render(wanted.said, voice, wanted.prosody or PLAIN)
                sound = await _measured(wav)
        except Refusal as refusal:
            billed = getattr(refusal, "billed", False) or isinstance(refusal, NothingSpoken)
            async with self._own(ctx) as own:
                await accounts.settle(own, call, "lost" if billed else "failed")
            raise
        async with blobs.stage(wav) as staged, self._own(ctx) as own:
            await library.add_media(own, sha256=staged.sha256, size=staged.size, sound=sound)
            await staged.keep()
            await _remember(own, key, provider.kind, voice, staged.sha256)
            await accounts.settle(own, call, "done")
        return staged.sha256, call.cost

    @asynccontextmanager
    async def _own(self, ctx: Ctx) -> AsyncIterator[Ctx]:
        """A transaction apart from the caller's, as the same client."""
        async with self._db.tenant(ctx.client_id) as session:
            yield replace(ctx, db=session)


def open_booth(settings: Settings, opened: Opener) -> Booth:
    """A booth on connections of its own."""
    url = settings.database_url.get_secret_value()
    return Booth(Database(url, pool_size=CONNECTIONS, vault=Vault(settings.vault_key_list)), opened)


def _key(wanted: Wanted, voice: str, provider: AiProvider) -> str:
    return rules.cache_key(wanted.canonical, voice, wanted.prosody or PLAIN, provider.kind)


async def _rendering(ctx: Ctx, sha256: str, provider: AiProvider, voice: str) -> Rendering:
    media = await library.media(ctx, sha256)
    return Rendering(media, provider.name, provider.kind, voice, True, 0)


async def _measured(wav: bytes) -> Any:
    try:
        # A voice's own file needs no confined process; a thread keeps the loop free.
        sound = await asyncio.to_thread(probe.measure_bytes, wav)
    except probe.Unfit as unfit:
        if unfit.code in {"zero_length", "not_audio"}:
            raise NothingSpoken from unfit
        logger.exception("speech that is no sound", code=unfit.code)
        raise SpeechUnavailable from unfit
    if sound.frames > rules.MAX_SPOKEN:
        raise SpeechTooLong
    return sound


async def _remember(ctx: Ctx, key: str, kind: str, voice: str, sha256: str) -> None:
    """Keep that ``key`` is ``sha256``; what was lost since is replaced."""
    values = {
        "id": uuid7(), "client_id": ctx.client_id, "version": 1, "created_at": ctx.now,
        "updated_at": ctx.now, "key": key, "kind": kind, "voice": voice, "sha256": sha256,
        "hits": 0, "used_at": ctx.now,
    }  # fmt: skip
    statement = insert(Rendered).values(values)
    await ctx.db.execute(
        statement.on_conflict_do_update(
            index_elements=["client_id", "key"],
            set_={"sha256": sha256, "used_at": ctx.now, "updated_at": ctx.now},
        )
    )
