"""What zones' sound follows from, read for many zones at once."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import event
from sqlmodel import col, select

from support.music import add_folder, add_media, add_zone, digest
from support.wishes import add_announcement, calls, heard
from support.world import Tenant, World
from sync2gear_platform.announcements import levels, studio
from sync2gear_platform.announcements.studio import Part
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.announcements.text_tables import Joined, Variant
from sync2gear_platform.channels.tables import Channel, ChannelItem
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.tables import Track
from sync2gear_platform.schedules import changes, facts
from sync2gear_platform.schedules.model import At, Span, Special
from sync2gear_platform.schedules.resolver import Facts
from sync2gear_platform.schedules.tables import (
    Calendar,
    DayPart,
    PriorityLevel,
    Schedule,
    ScheduleCalendar,
    ScheduleTarget,
    ZoneCompile,
)


async def gathered(world: World, tenant: Tenant, *zones: str) -> dict[str, Facts]:
    async with world.ctx(tenant.id) as ctx:
        found = await facts.gather(ctx, [UUID(zone) for zone in zones])
    return {str(zone): one for zone, one in found.items()}


def wish(ctx: Ctx, scope: str = "client", **values: Any) -> Schedule:
    where = {k: values.pop(k) for k in ("zone_id", "location_id", "tag") if k in values}
    row = rows.new(ctx, Schedule, **{"name": "S", "type": "music", **values})
    rows.new(ctx, ScheduleTarget, schedule_id=row.id, scope=scope, **where)
    return row


async def test_everything_that_a_schedule_says_arrives(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    folder = await add_folder(world, tenant, ("One", "Two"))
    async with world.ctx(tenant.id) as ctx:
        part = rows.new(ctx, DayPart, name="Day", start_time=time(9), end_time=time(17))
        calendar = rows.new(ctx, Calendar, name="Feasts", days=[{"day": "2027-12-24", "name": ""}])
        channel = rows.new(ctx, Channel, name="Pop", crossfade_millis=1000, again_hours=2)
        await ctx.db.flush()
        line = rows.new(ctx, ChannelItem, channel_id=channel.id, position=1, folder_id=folder)
        level = (
            await ctx.db.exec(select(PriorityLevel).where(col(PriorityLevel.name) == "Urgent"))
        ).one()
        await ctx.db.flush()
        row = wish(
            ctx, channel_id=channel.id, day_part_id=part.id, priority_level_id=level.id,
            days_of_week=[0, 1], first_date=date(2027, 1, 1),
        )  # fmt: skip
        rows.new(
            ctx, ScheduleCalendar, schedule_id=row.id, calendar_id=calendar.id, part="special",
            start_time=time(10), end_time=time(12),
        )  # fmt: skip
        await ctx.db.flush()
        wish(ctx, channel_id=channel.id, is_active=False)
    one = (await gathered(world, tenant, zone, str(tenant.id)))[zone]
    assert one.tz == ZoneInfo("Europe/Berlin")
    (schedule,) = one.schedules
    assert (schedule.id, schedule.priority, schedule.breadth) == (row.id, 70, "client")
    assert schedule.timing.span == Span(time(9), time(17))
    assert schedule.timing.specials == (Special(calendar.id, Span(time(10), time(12))),)
    assert schedule.timing.days.weekdays == {0, 1}
    assert one.calendars.has(calendar.id, date(2027, 12, 24))
    built = one.channels[channel.id]
    assert (built.crossfade, built.apart.again) == (48_000, 2 * 3600 * 48_000)
    assert [item.id for item in built.items] == [str(line.id)]
    assert [piece.media.title for piece in built.items[0].pieces] == ["One", "Two"]
    assert built.items[0].pieces[0].artists == ("testers",)


async def test_zones_share_objects_and_the_number_of_queries_does_not_grow(world: World) -> None:
    tenant = await world.tenant()
    zones = [await add_zone(tenant, f"Zone {n}") for n in range(12)]
    folder = await add_folder(world, tenant, ("One",))
    smart = await tenant.make(
        "/music/folders/", name="Smart", order="-title",
        rules={"all": [{"field": "title", "op": "contains", "value": "o"}]},
    )  # fmt: skip
    media = await add_media(world, tenant, "Closing", 10)
    async with world.ctx(tenant.id) as ctx:
        spoken = rows.new(ctx, Announcement, title="Closing", state="ready", sha256=media.sha256)
        other = rows.new(ctx, Announcement, title="Bye", state="ready", sha256=media.sha256)
        await ctx.db.flush()
        rows.new(ctx, Variant, announcement_id=spoken.id, sound_id=other.id, weight=3)
        wish(ctx, folder_id=folder)
        wish(ctx, folder_id=UUID(smart["id"]))
        wish(
            ctx, "zone", type="announcement", announcement_id=spoken.id, zone_id=UUID(zones[0]),
            when={"kind": "at", "times": ["19:45:00"]},
            start={"mode": "wait", "max_wait_millis": 5},
        )  # fmt: skip
    counted: list[str] = []
    engine = world.db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *args: counted.append(args[2]))
    found = await gathered(world, tenant, zones[0])
    one, counted[:] = len(counted), []
    found = await gathered(world, tenant, *zones)
    assert len(counted) == one <= 25
    first, *others = (found[zone] for zone in zones)
    assert all(one.channels is first.channels for one in others)
    assert all(one.messages is first.messages for one in others)
    assert all(one.schedules[0] is first.schedules[0] for one in others)
    call = next(s for s in first.schedules if s.message == spoken.id)
    assert (call.breadth, call.timing.when) == ("zone", At((time(19, 45),)))
    assert (call.start.mode, call.start.max_wait) == ("wait", 5)
    assert [len(one.schedules) for one in others] == [2] * 11
    message = first.messages[spoken.id]
    assert [(p.id, w) for p, w in message.variants] == [(str(other.id), 3)]
    assert message.evergreen is not None
    assert message.evergreen.id == str(spoken.id)
    assert [p.media.title for p in first.channels[UUID(smart["id"])].items[0].pieces] == ["One"]


async def test_targets_less_exceptions(world: World) -> None:
    tenant = await world.tenant()
    tagged = await tenant.make("/zones/", name="Tagged", tags=["quiet"])
    plain = await add_zone(tenant, "Plain")
    folder = await add_folder(world, tenant, ("One",))
    async with world.ctx(tenant.id) as ctx:
        everywhere = wish(ctx, folder_id=folder)
        rows.new(
            ctx, ScheduleTarget, schedule_id=everywhere.id, scope="tag", tag="quiet", excluded=True
        )
        by_tag = wish(ctx, "tag", tag="quiet", folder_id=folder)
    async with world.ctx(tenant.id) as ctx:
        assert await facts.zones_of(ctx, [everywhere.id]) == {UUID(plain)}
        assert await facts.zones_of(ctx, [by_tag.id]) == {UUID(tagged["id"])}
        both = await facts.zones_of(ctx, [everywhere.id, by_tag.id])
        assert both == {UUID(plain), UUID(tagged["id"])}
        assert await facts.zones_of(ctx, []) == set()


async def test_what_a_licence_forbids_is_not_planned(world: World) -> None:
    tenant = await world.tenant()
    place = await tenant.make("/locations/", name="Wien", country="AT")
    here = await add_zone(tenant, "Here")
    there = await tenant.make("/zones/", name="There", location_id=place["id"])
    folder = await add_folder(world, tenant, ("Free", "Germans only", "Online only", "Later"))
    async with world.ctx(tenant.id) as ctx:
        tracks = {t.title: t for t in await ctx.db.exec(select(Track))}
        tracks["Germans only"].regions = ["DE"]
        tracks["Online only"].offline_allowed = False
        tracks["Later"].valid_from = date(2030, 1, 1)
        wish(ctx, folder_id=folder)
    found = await gathered(world, tenant, here, there["id"])

    def titles(zone: str) -> list[str]:
        return [piece.media.title for piece in found[zone].channels[folder].items[0].pieces]

    assert titles(here) == ["Free", "Germans only", "Later"], "a venue that does not say"
    assert titles(there["id"]) == ["Free", "Later"]
    later = found[here].channels[folder].items[0].pieces[2]
    assert not later.is_valid(date(2029, 12, 31))
    assert later.is_valid(date(2030, 1, 1))


async def test_marks_of_zones_rise(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant("Other")
    zones = [await add_zone(tenant, name) for name in "ab"]
    foreign = await add_zone(other)

    async def marks() -> dict[str, int]:
        async with world.ctx(tenant.id) as ctx:
            found = await ctx.db.exec(select(ZoneCompile))
            return {str(one.zone_id): one.mark for one in found}

    async with world.ctx(tenant.id) as ctx:
        changes.changed(ctx, [UUID(zones[0]), UUID(foreign)])
    first = await marks()
    assert zones[0] in first
    assert foreign not in first
    async with world.ctx(tenant.id) as ctx:
        changes.changed(ctx, None)
    second = await marks()
    assert set(second) == set(zones)
    assert second[zones[0]] > first[zones[0]]


async def test_variants_are_heard_on_their_days_and_in_their_hours(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    told = {name: UUID(await add_announcement(world, tenant, name)) for name in ("Us", "A", "B")}
    async with world.ctx(tenant.id) as ctx:
        rows.new(
            ctx, Variant, announcement_id=told["Us"], sound_id=told["A"], days=[0],
            from_minute=22 * 60, to_minute=2 * 60,
        )  # fmt: skip
        rows.new(
            ctx, Variant, announcement_id=told["Us"], sound_id=told["B"],
            starts_on=date(2027, 3, 3), ends_on=date(2027, 3, 3),
        )  # fmt: skip
    await tenant.make(
        "/schedules/", name="S", type="announcement", announcement_id=str(told["Us"]),
        zone_ids=[zone], when={"kind": "at", "times": ["01:00", "21:59", "22:00"]},
    )  # fmt: skip
    first, last = (datetime(2027, 3, day) for day in (1, 4))  # noqa: DTZ001 - Berlin's readings
    assert calls(await heard(world, tenant, zone, first, last)) == [
        ("01.03. 01:00", "Us"), ("01.03. 21:59", "Us"), ("01.03. 22:00", "A"),
        ("02.03. 01:00", "A"), ("02.03. 21:59", "Us"), ("02.03. 22:00", "Us"),
        ("03.03. 01:00", "B"), ("03.03. 21:59", "B"), ("03.03. 22:00", "B"),
    ]  # fmt: skip


async def test_a_voice_is_heard_with_its_chimes_once_they_are_joined(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    bell = UUID(await add_announcement(world, tenant, "Bell", 1))
    told = UUID(await add_announcement(world, tenant, "Us", 5))
    path = f"/api/v1/announcements/{told}/"
    chime = {"chime_after": {"announcement_id": str(bell)}, "volume_offset": -200}
    assert (await tenant.http.patch(path, json=chime)).status_code == 200
    usual = {"chime_before": {"name": "gong"}, "volume_offset": -100}
    answer = await tenant.http.patch("/api/v1/announcements/sound/", json=usual)
    assert answer.status_code == 200, answer.text
    await tenant.make(
        "/schedules/", name="S", type="announcement", announcement_id=str(told),
        everywhere=True, when={"kind": "every", "minutes": 60},
    )  # fmt: skip

    async def sound() -> tuple[str, int]:
        found = (await gathered(world, tenant, zone))[zone].messages[told].evergreen
        assert found is not None
        return found.media.sha256, found.media.gain

    assert await sound() == (digest("voice Us"), -600), "until then by itself"
    whole = await add_media(world, tenant, "all together", 9)
    parts = [
        Part("chime:gong"), Part(stop=levels.GAP), Part(digest("voice Us"), gain=-300),
        Part(stop=levels.GAP), Part(digest("voice Bell"), gain=-300),
    ]  # fmt: skip
    long_ago = world.clock.now() - timedelta(days=20)
    async with world.ctx(tenant.id) as ctx:
        key = studio.key_of(parts)
        rows.new(ctx, Joined, key=key, sha256=whole.sha256, used_at=long_ago)
    assert await sound() == (whole.sha256, -600)
    async with world.ctx(tenant.id) as ctx:
        used = (await ctx.db.exec(select(Joined.used_at))).one()
    assert used > long_ago, "what is planned stays in use"
