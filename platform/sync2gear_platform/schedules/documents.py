"""Documents: what there is to be, as one text; planned, applied in one transaction, exported.

A document owns what it made or took over (``ManagedObject``). What it owns and no longer names is
removed; what nobody's document owns is never touched (ADR 38).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.schedules import document_reading as reading
from sync2gear_platform.schedules import document_rules as rules
from sync2gear_platform.schedules.document_rules import Change, Held, Named, Noun, Path
from sync2gear_platform.schedules.tables import ManagedObject

_CHANNELS: Final = "channels.write"


class NameTwice(Refusal):
    """A document names each object of a kind once."""

    code = "name_twice"


class NotManaged(Refusal):
    """Something of this name is there and belongs to no document: adopt it, or name yours else."""

    kind = "conflict"
    code = "not_managed"


class ManagedElsewhere(Refusal):
    """Something of this name belongs to another document."""

    kind = "conflict"
    code = "managed_elsewhere"


class UnknownReference(Refusal):
    """There is nothing of this name here."""

    code = "unknown_reference"


class AmbiguousReference(Refusal):
    """Several have this name: write the id."""

    code = "ambiguous_reference"


class PlanStale(Refusal):
    """Something changed since this was planned: plan again."""

    kind = "stale"
    code = "plan_stale"


class ChannelsForbidden(Refusal):
    """This document has channels: it needs the permission channels.write too."""

    kind = "forbidden"
    code = "forbidden"


@dataclass(frozen=True, slots=True)
class Draft:
    """What has to be done. ``known``: ids of what is there, by noun and name in the document."""

    document: str
    changes: list[Change]
    known: Mapping[tuple[Noun, str], UUID]
    unchanged: int
    digest: str


async def drafted(ctx: Ctx, document: str, wanted: list[Named], *, adopt: bool) -> Draft:
    """What has to be done so that what a document wants is there; nobody else applies meanwhile."""
    await ctx.db.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"),
        {"key": f"documents {ctx.client_id}"},
    )
    _once_each(wanted)
    owned, elsewhere = await _owned(ctx, document)
    adopted = await _adopted(ctx, wanted, owned, elsewhere, adopt=adopt)
    known = owned | adopted
    held = await _held(ctx, known)
    refs = await _references(ctx, wanted, known)
    meant = [replace(one, values=_resolved(one, refs)) for one in wanted]
    names = {(one.noun, one.name) for one in wanted}
    leaving = [
        Change("remove", noun, name, id_, old=held[noun, id_])
        for (noun, name), id_ in owned.items()
        if (noun, name) not in names
    ]
    there = {
        key: Held(id_, held[key[0], id_], adopted=key in adopted) for key, id_ in known.items()
    }
    found = rules.changes(meant, there, leaving)
    if any(c.noun == "channel" for c in found) and _CHANNELS not in ctx.actor.permissions:
        raise ChannelsForbidden
    unchanged = len(wanted) + len(leaving) - len(found)
    return Draft(document, found, known, unchanged, rules.digest(document, found))


def _once_each(wanted: Collection[Named]) -> None:
    seen: set[tuple[str, str]] = set()
    for one in wanted:
        if (one.noun, one.name) in seen:
            raise NameTwice(f"{one.name!r} stands here twice.", path=list(one.path))
        seen.add((one.noun, one.name))


async def _owned(
    ctx: Ctx, document: str
) -> tuple[dict[tuple[Noun, str], UUID], dict[tuple[Noun, UUID], str]]:
    """What the document owns; and what others own, with their names."""
    found = await ctx.db.exec(
        select(ManagedObject).where(col(ManagedObject.client_id) == ctx.client_id)
    )
    mine: dict[tuple[Noun, str], UUID] = {}
    others: dict[tuple[Noun, UUID], str] = {}
    for row in found:
        noun = cast("Noun", row.noun)
        if row.document == document:
            mine[noun, row.name] = row.subject
        else:
            others[noun, row.subject] = row.document
    return mine, others


async def _adopted(
    ctx: Ctx,
    wanted: Collection[Named],
    owned: Mapping[tuple[Noun, str], UUID],
    elsewhere: Mapping[tuple[Noun, UUID], str],
    *,
    adopt: bool,
) -> dict[tuple[Noun, str], UUID]:
    """What has the name of something wanted and belongs to no document."""
    taken: dict[tuple[Noun, str], UUID] = {}
    mine = {(noun, id_) for (noun, _), id_ in owned.items()}
    for noun in rules.SECTIONS:
        new = {o.name: o for o in wanted if o.noun == noun and (noun, o.name) not in owned}
        for id_, name in await reading.named(ctx, noun, set(new)) if new else ():
            path = [*new[name].path, "name"]
            if (noun, id_) in elsewhere:
                raise ManagedElsewhere(
                    f"{name!r} belongs to the document {elsewhere[noun, id_]!r}.", path=path
                )
            if (noun, id_) in mine:
                continue
            if not adopt:
                raise NotManaged(
                    f"{name!r} is there and belongs to no document: adopt it, or name yours "
                    "otherwise.", path=path,
                )  # fmt: skip
            if (noun, name) in taken:
                raise AmbiguousReference(
                    f"Several are called {name!r}: none can be adopted.", path=path
                )
            taken[noun, name] = id_
    return taken


async def _held(
    ctx: Ctx, known: Mapping[tuple[Noun, str], UUID]
) -> dict[tuple[Noun, UUID], dict[str, Any]]:
    found: dict[tuple[Noun, UUID], dict[str, Any]] = {}
    for noun in rules.SECTIONS:
        ids = {id_ for (n, _), id_ in known.items() if n == noun}
        for id_, values in (await reading.held(ctx, noun, ids, lock=True)).items():
            found[noun, id_] = values
    return found


Refs = dict[tuple[str, str], list[str]]
"""What each reference may mean."""


async def _references(
    ctx: Ctx, wanted: Collection[Named], known: Mapping[tuple[Noun, str], UUID]
) -> Refs:
    """What the references of a document mean: its own objects before others."""
    asked: set[tuple[str, str]] = set()
    for one in wanted:
        asked |= rules.references(one.values)
    found: Refs = {}
    for one in wanted:
        id_ = known.get((one.noun, one.name))
        found[one.noun, one.name] = [str(id_) if id_ else rules.made(one.noun, one.name)]
    for noun in sorted({noun for noun, _ in asked}):
        left = {ref for n, ref in asked if n == noun and (noun, ref) not in found}
        ids = {id_ for id_ in map(_id, left) if id_ is not None}
        for id_, name in await reading.named(ctx, noun, left, ids) if left else ():
            for ref in {name, str(id_)} & left:
                found.setdefault((noun, ref), []).append(str(id_))
    return found


def _id(ref: str) -> UUID | None:
    try:
        found = UUID(ref)
    except ValueError:
        return None
    return found if str(found) == ref else None


def _resolved(one: Named, refs: Refs) -> dict[str, Any]:
    def give(noun: str, ref: str, path: Path) -> str:
        meant = refs.get((noun, ref), [])
        words = noun.replace("_", " ")
        if not meant:
            raise UnknownReference(f"There is no {words} {ref!r} here.", path=[*one.path, *path])
        if len(meant) > 1:
            raise AmbiguousReference(
                f"{len(meant)} are called {ref!r}: write the id of the {words}.",
                path=[*one.path, *path],
            )
        return meant[0]

    found: dict[str, Any] = rules.mapped(dict(one.values), give)
    return found


async def exported(ctx: Ctx, document: str | None) -> dict[str, list[dict[str, Any]]]:
    """What a document owns, or all that there is, by section, with names where they are clear."""
    owned, _ = await _owned(ctx, document) if document is not None else ({}, {})
    found: dict[Noun, list[dict[str, Any]]] = {}
    refs: set[tuple[str, str]] = set()
    for noun in rules.SECTIONS:
        ids = {id_ for (n, _), id_ in owned.items() if n == noun}
        if document is None:
            ids = await reading.all_ids(ctx, noun)
        values = (await reading.held(ctx, noun, ids)).values()
        found[noun] = sorted(values, key=lambda one: str(one["name"]))
        for one in found[noun]:
            refs |= rules.references(one)
    names = await reading.names_of(ctx, refs)

    def give(noun: str, ref: str, _: Path) -> str:
        return names.get((noun, ref), ref)

    return {
        rules.SECTIONS[noun]: [rules.mapped(one, give) for one in several]
        for noun, several in found.items()
    }
