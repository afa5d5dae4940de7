"""Sums by venue and work: rows are counted and sorted by numbers, and each name is read once."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, cast, func, select, text
from sqlmodel import col

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.proof import queries
from sync2gear_platform.proof.reports import Row
from sync2gear_platform.proof.tables import ProofWork, ProofZone


async def summed(ctx: Ctx, parts: Any, most: int) -> tuple[list[Any], Callable[[Any], Row]]:
    """What ``parts`` add up to, by zone and work in the order of their names; at most so many.

    The rows are numbers: what is second returned makes one of a report of each.
    """
    work = func.coalesce(func.nullif(col(ProofWork.isrc), ""), parts.c.subject)
    played = parts.c.played + parts.c.late
    counted = (
        select(
            parts.c.zone_id,
            work.label("work"),
            # what adds up to a numeric is slow to read
            cast(func.sum(parts.c.heard), BigInteger).label("heard"),
            cast(func.sum(played), BigInteger).label("plays"),
        )
        .select_from(parts)
        .outerjoin(
            ProofWork,
            queries.is_work_of(ctx, parts),
        )
        .where(played > 0)
        .group_by(parts.c.zone_id, work)
        .subquery()
    )
    zones, works = _zones(ctx).subquery(), _works(ctx).subquery()
    here, there = func.coalesce(zones.c.place, 0), func.coalesce(works.c.place, 0)
    statement = (
        select(here, there, counted.c.work, counted.c.heard, counted.c.plays)
        .select_from(counted)
        .outerjoin(zones, zones.c.zone_id == counted.c.zone_id)
        .outerjoin(works, works.c.work == counted.c.work)
        .order_by(here, there, counted.c.work)
        .limit(most)
    )
    connection = await ctx.db.connection()  # rows of numbers: the session would wrap each anew
    await connection.execute(text("SET LOCAL work_mem = '16MB'"))  # otherwise sorted on disk
    found = (await connection.execute(statement)).all()
    names = ["", *(row.name for row in await connection.execute(_zones(ctx)))]
    known = [row[2:] for row in await connection.execute(_works(ctx))]

    def made(row: Any) -> Row:
        zone, place, work, heard, plays = row
        if not place:
            return Row(work, "", "", "", "", 0, heard, plays, zone=names[zone])
        title, artist, album, isrc, composer, frames = known[place - 1]
        return Row(
            work, title, artist, album, isrc, frames, heard, plays, 1, names[zone], composer
        )  # fmt: skip

    return list(found), made


def _zones(ctx: Ctx) -> Any:
    """All zones that ever played with their place by name, from 1 on."""
    order = (col(ProofZone.name), col(ProofZone.zone_id))
    return (
        select(
            func.row_number().over(order_by=order).label("place"),
            col(ProofZone.zone_id),
            col(ProofZone.name),
        )
        .where(col(ProofZone.client_id) == ctx.client_id)
        .order_by(*order)
    )


def _works(ctx: Ctx) -> Any:
    """All works, those of one ISRC once, with their place by artist and title, from 1 on."""
    work = func.coalesce(func.nullif(col(ProofWork.isrc), ""), col(ProofWork.subject))
    title, artist, album, isrc, composer = (
        func.max(col(getattr(ProofWork, name)))
        for name in ("title", "artist", "album", "isrc", "composer")
    )
    order = (artist, title, work)
    return (
        select(
            func.row_number().over(order_by=order).label("place"),
            work.label("work"),
            title,
            artist,
            album,
            isrc,
            composer,
            func.max(col(ProofWork.frames)),
        )
        .where(col(ProofWork.client_id) == ctx.client_id)
        .group_by(work)
        .order_by(*order)
    )
