"""A zone's or a client's schedule as a calendar that other programs subscribe to (RFC 5545).

Whoever has the address reads it, without signing in, until it is revoked: the token in it is kept
as a digest only. Music and announcements at times are events; what recurs within a span is one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from icalendar import Calendar, Event
from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity.tables import Client
from sync2gear_platform.identity.tokens import digest, new_secret
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import enter_tenant
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.schedules import facts
from sync2gear_platform.schedules.model import (
    AfterTracks,
    At,
    Every,
    Minutes,
    Schedule,
    Share,
    When,
)
from sync2gear_platform.schedules.occurrences import frame_of, moment_of, points, spans
from sync2gear_platform.schedules.resolver import Facts
from sync2gear_platform.schedules.tables import ScheduleFeed
from sync2gear_platform.sites.tables import Zone

MAX_FEEDS: Final = 100
MAX_EVENTS: Final = 3_000
"""The most events of one feed; those after them are left out."""

MAX_ZONES: Final = 1_000
BACK: Final = timedelta(days=7)
AHEAD: Final = timedelta(days=28)
MOMENT: Final = timedelta(minutes=1)
"""How long an announcement at a time is shown."""


class TooManyFeeds(Refusal):
    """This client has as many feeds as it may have: revoke one."""

    kind = "conflict"
    code = "too_many_feeds"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a calendar shows: a name from one instant to another."""

    uid: str
    name: str
    start: datetime
    end: datetime
    words: str = ""


async def create(ctx: Ctx, values: dict[str, Any]) -> tuple[ScheduleFeed, str]:
    """A new feed of a zone, or of the client; and its token, which is kept nowhere."""
    held = select(func.count()).where(col(ScheduleFeed.client_id) == ctx.client_id)
    if (await ctx.db.execute(held)).scalar_one() >= MAX_FEEDS:
        raise TooManyFeeds
    if values.get("zone_id") is not None:
        await rows.find(ctx, Zone, values["zone_id"])
    token = new_secret()
    row = rows.new(ctx, ScheduleFeed, **values, token_hash=digest(token))
    await ctx.db.flush()
    audit.record(ctx, "schedule_feed.create", "schedule_feed", row.id, after=values)
    return row, token


async def revoke(ctx: Ctx, feed_id: UUID) -> None:
    """End a feed: its address finds nothing any more."""
    row = await rows.find(ctx, ScheduleFeed, feed_id, lock=True)
    before = {"name": row.name, "zone_id": row.zone_id}
    audit.record(ctx, "schedule_feed.revoke", "schedule_feed", row.id, before=before)
    await ctx.db.delete(row)
    await ctx.db.flush()


async def written(ctx: Ctx, token: str) -> bytes:
    """The calendar to which ``token`` is the key; ``NotFound`` for none. ``ctx`` is the system's.

    It goes on as the feed's client, which sees nothing else.
    """
    found = select(ScheduleFeed).where(col(ScheduleFeed.token_hash) == digest(token))
    row = (await ctx.db.exec(found)).one_or_none()
    if row is None:
        raise NotFound("There is no such feed.", code="not_found")
    client = await ctx.db.get_one(Client, row.client_id)
    if client.deleted_at is not None:
        raise NotFound("There is no such feed.", code="not_found")
    await enter_tenant(ctx.db, row.client_id)
    actor = Actor(kind="system", id=None, client_id=row.client_id, label="schedule feed")
    inside = replace(ctx, actor=actor)
    zones = select(Zone.id).where(col(Zone.client_id) == row.client_id).order_by(col(Zone.id))
    if row.zone_id is not None:
        zones = zones.where(col(Zone.id) == row.zone_id)
    zone_ids = (await ctx.db.exec(zones.limit(MAX_ZONES))).all()
    known = await facts.outline(inside, zone_ids)
    start, end = ctx.now - BACK, ctx.now + AHEAD
    return _written(row.name, entries(known.values(), frame_of(start), frame_of(end)), ctx.now)


def entries(everywhere: Iterable[Facts], start: int, end: int) -> list[Entry]:
    """What zones are to hear in the frames [start, end), each once, the earliest first."""
    found: dict[str, Entry] = {}
    for known in everywhere:
        for schedule in known.schedules:
            for entry in _of_schedule(known, schedule, start, end):
                found.setdefault(entry.uid, entry)
    return sorted(found.values(), key=lambda e: (e.start, e.uid))[:MAX_EVENTS]


def _of_schedule(known: Facts, schedule: Schedule, start: int, end: int) -> Iterator[Entry]:
    timing = schedule.timing
    if isinstance(timing.when, At):
        for point in points(timing, known.calendars, known.tz, start, end):
            yield _entry(known, schedule, moment_of(point.at), moment_of(point.at) + MOMENT)
        return
    for span in spans(timing, known.calendars, known.tz, start, end):
        yield _entry(known, schedule, moment_of(span.start), moment_of(span.end))


def _entry(known: Facts, schedule: Schedule, start: datetime, end: datetime) -> Entry:
    uid = f"{schedule.id}.{int(start.timestamp())}.{int(end.timestamp())}@sync2gear"
    begins, ends = start.astimezone(known.tz), end.astimezone(known.tz)
    return Entry(uid, schedule.name, begins, ends, _words(schedule.timing.when))


def _words(when: When) -> str:
    match when:
        case Every(minutes=minutes):
            return f"every {minutes} minutes"
        case Minutes(minutes=minutes):
            return "at minutes " + ", ".join(f":{minute:02}" for minute in minutes)
        case AfterTracks(tracks=tracks):
            return f"after every {tracks} tracks"
        case Share(seconds=seconds):
            return f"{seconds} seconds of each hour"
        case _:
            return ""


def _written(name: str, shown: Iterable[Entry], now: datetime) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", "-//sync2gear//schedule//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for entry in shown:
        event = Event()
        event.add("uid", entry.uid)
        event.add("dtstamp", now.astimezone(UTC))
        event.add("summary", f"{entry.name} ({entry.words})" if entry.words else entry.name)
        event.add("dtstart", entry.start)
        event.add("dtend", entry.end)
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return bytes(calendar.to_ical())
