"""Documents of schedules: what a plan says is what is applied, whole or not at all."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2

from support.music import add_folder, add_zone
from support.planning import compiled, marks
from support.wishes import add_announcement
from support.world import Tenant, World

PLAN, APPLY, HERE = (f"/api/v1/schedules/document/{one}" for one in ("plan/", "apply/", ""))


async def shop(world: World) -> tuple[Tenant, dict[str, Any]]:
    """A tenant with two zones, music and words, and a document that names them."""
    tenant = await world.tenant()
    for name in ("Bar", "Terrace"):
        await add_zone(tenant, name)
    await add_folder(world, tenant, ("One", "Two", "Three"), name="Jazz")
    await add_folder(world, tenant, ("Four",), name="Rock")
    await add_announcement(world, tenant, "Closing")
    return tenant, document()


def document(**more: Any) -> dict[str, Any]:
    return {
        "document": "shops",
        "priority_levels": [{"name": "Feast", "priority": 80}],
        "day_parts": [{"name": "Evening", "start_time": "18:00", "end_time": "02:00"}],
        "calendars": [{"name": "Holidays", "days": [{"day": "2027-12-25", "name": "Christmas"}]}],
        "channels": [
            {
                "name": "Lounge",
                "items": [
                    {"folder": "Jazz", "weight": 2},
                    {"channel": "Inner"},
                    {"announcement": "Closing", "after_tracks": 6},
                ],
                "pattern": [1, 1, 2],
            },
            {"name": "Inner", "items": [{"folder": "Rock"}]},
        ],
        "schedules": [
            {"name": "All day", "type": "music", "channel": "Lounge", "zones": ["Bar"]},
            {
                "name": "Late", "type": "music", "folder": "Rock", "day_part": "Evening",
                "level": "Feast", "never_calendars": ["Holidays"], "days": ["sat", "fri"],
                "first_date": "2027-01-01", "recurrence": "freq=monthly;byday=1fr,1sa",
                "everywhere": True, "exceptions": {"zones": ["Terrace"]},
            },
            {
                "name": "Call", "type": "announcement", "announcement": "Closing",
                "when": {"kind": "minutes", "minutes": [0, 30]}, "zones": ["Terrace", "Bar"],
                "special_days": [{"calendar": "Holidays"}], "limits": {"max_per_hour": 1},
            },
        ],
        **more,
    }  # fmt: skip


async def apply(tenant: Tenant, wanted: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await tenant.http.post(APPLY, json={"document": wanted, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def plan(tenant: Tenant, wanted: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await tenant.http.post(PLAN, json={"document": wanted, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def told(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["action"], one["noun"], one["name"]) for one in found["changes"]]


def refused(answer: httpx2.Response, code: str) -> list[str | int]:
    assert answer.json()["code"] == code, answer.text
    path: list[str | int] = answer.json().get("path", [])
    return path


async def names(tenant: Tenant, path: str = "/schedules/") -> list[str]:
    return [one["name"] for one in (await tenant.read(path))["results"]]


async def test_a_document_is_planned_applied_and_then_there_is_nothing_to_do(world: World) -> None:
    tenant, wanted = await shop(world)
    await compiled(world)
    planned = await plan(tenant, wanted)
    assert [one[0] for one in told(planned)] == ["create"] * 8
    late = next(one for one in planned["changes"] if one["name"] == "Late")
    assert {one["field"]: one["new"] for one in late["fields"]} == {
        "type": "music", "level": "Feast", "folder": "Rock", "day_part": "Evening",
        "days": ["fri", "sat"], "never_calendars": ["Holidays"], "everywhere": True,
        "first_date": "2027-01-01", "recurrence": "FREQ=MONTHLY;BYDAY=1FR,1SA",
        "exceptions.zones": ["Terrace"],
    }  # fmt: skip
    assert planned["zone_count"] == 2
    heard = {one["heard"]["name"] for z in planned["audible"] for one in z["differences"]}
    assert {"All day", "Call"} <= heard
    assert await names(tenant) == [], "nothing was done"
    assert await marks(world) == 0

    head = {"If-Match": f'"{planned["digest"]}"'}
    answer = await tenant.http.post(APPLY, json={"document": wanted}, headers=head)
    assert answer.status_code == 200, answer.text
    assert told(answer.json()) == told(planned)
    assert await names(tenant) == ["All day", "Call", "Late"]
    assert await compiled(world) == 2
    channel = next(o for o in (await tenant.read("/channels/"))["results"] if o["name"] == "Lounge")
    whole = await tenant.read(f"/channels/{channel['id']}/")
    assert whole["pattern"] == [whole["items"][n]["id"] for n in (0, 0, 1)]

    again = await apply(tenant, wanted)
    assert (again["changes"], again["unchanged"]) == ([], 8)
    assert await marks(world) == 0
    assert (await plan(tenant, wanted))["zone_count"] == 0


async def test_changes_are_told_by_field_and_lines_keep_their_place(world: World) -> None:
    tenant, wanted = await shop(world)
    await apply(tenant, wanted)
    lounge = (await tenant.read("/channels/", search="Lounge"))["results"][0]["id"]
    before = (await tenant.read(f"/channels/{lounge}/"))["items"]
    items = wanted["channels"][0]["items"]
    wanted["channels"][0]["items"] = [items[2], {**items[0], "weight": 5}]
    wanted["channels"][0]["pattern"] = [2]
    call = wanted["schedules"][2]
    call["zones"], call["start"], call["is_active"] = ["Bar"], {"mode": "next"}, False
    wanted["schedules"][1].update(level=None, priority=45, day_part=None, start_time="20:00")
    planned = await plan(tenant, wanted)
    fields = {
        f"{one['name']}.{f['field']}": (f["old"], f["new"])
        for one in planned["changes"] for f in one["fields"]
    }  # fmt: skip
    assert fields["Call.zones"][1] == ["Bar"]
    assert sorted(fields["Call.zones"][0]) == ["Bar", "Terrace"]
    assert fields["Call.start.mode"] == ("cut", "next")
    assert fields["Call.is_active"] == (True, False)
    assert fields["Late.level"] == ("Feast", None)
    assert fields["Late.priority"] == (None, 45)
    assert fields["Late.start_time"] == ("00:00:00", "20:00:00")
    assert [one["folder"] for one in fields["Lounge.items"][1]] == [None, "Jazz"]
    await apply(tenant, wanted)
    after = (await tenant.read(f"/channels/{lounge}/"))["items"]
    assert [one["id"] for one in after] == [before[2]["id"], before[0]["id"]]
    assert after[1]["weight"] == 5
    late = (await tenant.read("/schedules/", search="Late"))["results"][0]
    assert (late["priority_level_id"], late["priority"], late["day_part_id"]) == (None, 45, None)
    assert late["start_time"] == "20:00:00"
    assert (await apply(tenant, wanted))["changes"] == []


async def test_what_it_owns_and_no_longer_names_goes_and_nothing_else(world: World) -> None:
    tenant, wanted = await shop(world)
    zone = (await tenant.read("/zones/"))["results"][0]["id"]
    rock = next(f for f in (await tenant.read("/music/folders/"))["results"] if f["name"] == "Rock")
    await tenant.make(
        "/schedules/", name="By hand", type="music", folder_id=rock["id"], zone_ids=[zone]
    )
    await apply(tenant, wanted)
    gone = await apply(tenant, {"document": "shops"})
    assert [one[0] for one in told(gone)] == ["remove"] * 8
    assert await names(tenant) == ["By hand"]
    assert await names(tenant, "/channels/") == []
    assert len(await names(tenant, "/priority-levels/")) == 4


async def test_what_others_still_use_is_not_removed_and_all_stays(world: World) -> None:
    tenant, wanted = await shop(world)
    await apply(tenant, wanted)
    lounge = (await tenant.read("/channels/", search="Lounge"))["results"][0]["id"]
    await tenant.make(
        "/schedules/", name="By hand", type="music", channel_id=lounge, everywhere=True
    )
    for path in (PLAN, APPLY):
        answer = await tenant.http.post(path, json={"document": {"document": "shops"}})
        assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
        assert "'Lounge' is to be removed" in answer.json()["detail"]
    assert len(await names(tenant)) == 4


async def test_what_is_there_already_is_adopted_only_when_asked(world: World) -> None:
    tenant, wanted = await shop(world)
    wanted["priority_levels"].append({"name": "Normal", "priority": 35})
    answer = await tenant.http.post(PLAN, json={"document": wanted})
    assert refused(answer, "not_managed") == ["priority_levels", 1, "name"]
    found = await apply(tenant, wanted, adopt=True)
    assert ("adopt", "priority_level", "Normal") in told(found)
    normal = next(
        o for o in (await tenant.read("/priority-levels/"))["results"] if o["name"] == "Normal"
    )
    assert normal["priority"] == 35
    assert (await apply(tenant, wanted))["changes"] == []
    other = {"document": "others", "priority_levels": [{"name": "Normal", "priority": 1}]}
    answer = await tenant.http.post(PLAN, json={"document": other, "adopt": True})
    assert refused(answer, "managed_elsewhere") == ["priority_levels", 0, "name"]


async def test_what_was_planned_is_what_is_applied(world: World) -> None:
    tenant, wanted = await shop(world)
    await apply(tenant, wanted)
    wanted["schedules"][0]["priority"] = 77
    planned = await plan(tenant, wanted)
    one = (await tenant.read("/schedules/", search="All day"))["results"][0]
    await tenant.http.patch(f"/api/v1/schedules/{one['id']}/", json={"begin": "restart"})
    head = {"If-Match": f'"{planned["digest"]}"'}
    answer = await tenant.http.post(APPLY, json={"document": wanted}, headers=head)
    assert (answer.status_code, answer.json()["code"]) == (412, "plan_stale")
    drift = next(o for o in (await plan(tenant, wanted))["changes"] if o["name"] == "All day")
    assert {f["field"]: f["old"] for f in drift["fields"]} == {"priority": 30, "begin": "restart"}


async def test_two_that_apply_at_once_make_everything_once(world: World) -> None:
    tenant, wanted = await shop(world)
    found = await asyncio.gather(*(apply(tenant, wanted) for _ in range(3)))
    assert sorted(len(one["changes"]) for one in found) == [0, 0, 8]
    assert await names(tenant) == ["All day", "Call", "Late"]


async def test_what_is_exported_is_what_is_there(world: World) -> None:
    tenant, wanted = await shop(world)
    await apply(tenant, wanted)
    own = (await tenant.read("/schedules/document/", document="shops"))["document"]
    assert own["schedules"][0] == {
        "name": "All day", "type": "music", "channel": "Lounge", "zones": ["Bar"],
    }  # fmt: skip
    assert own["channels"][1]["items"] == [
        {"folder": "Jazz", "weight": 2}, {"channel": "Inner"},
        {"announcement": "Closing", "after_tracks": 6},
    ]  # fmt: skip
    assert (await plan(tenant, own))["changes"] == []
    whole = (await tenant.read("/schedules/document/"))["document"]
    assert [one["name"] for one in whole["priority_levels"]] == [
        "Background", "Feast", "Important", "Normal", "Urgent",
    ]  # fmt: skip
    assert (await tenant.read("/schedules/document/", document="none"))["document"] == {
        "document": "none"
    }
    fresh = await world.tenant("Other")
    everything = {**whole, "document": "copy"}
    answer = await fresh.http.post(PLAN, json={"document": everything, "adopt": True})
    assert refused(answer, "unknown_reference")


async def test_refusals_say_where(world: World) -> None:
    tenant, wanted = await shop(world)
    await add_zone(tenant, "Bar")
    for schedule, code, path in (
        ({"channel": "Nothing", "everywhere": True}, "unknown_reference", ["channel"]),
        ({"folder": str(uuid4()), "everywhere": True}, "unknown_reference", ["folder"]),
        ({"folder": "Rock", "zones": ["Terrace", "Bar"]}, "ambiguous_reference", ["zones", 0]),
        ({"folder": "Rock"}, "no_target", []),
        ({"everywhere": True}, "schedule_content", []),
    ):
        one = {"name": "X", "type": "music", **schedule}
        answer = await tenant.http.post(
            PLAN, json={"document": {"document": "d", "schedules": [one]}}
        )
        assert refused(answer, code) == ["schedules", 0, *path], one
    twice = document(day_parts=wanted["day_parts"] * 2)
    assert refused(await tenant.http.post(PLAN, json={"document": twice}), "name_twice") == [
        "day_parts", 1,
    ]  # fmt: skip
    for wrong in (
        {"schedules": [{"name": "X", "type": "music", "wat": 1}]},
        {"schedules": [{"name": "X", "type": "music", "level": "Normal", "priority": 3}]},
        {"schedules": [{"name": "X", "type": "music", "day_part": "E", "start_time": "09:00"}]},
        {"channels": [{"name": "X", "pattern": [1]}]},
        {"day_parts": [{"name": str(n), "start_time": "09:00", "end_time": "10:00"}
                       for n in range(501)]},
    ):  # fmt: skip
        answer = await tenant.http.post(PLAN, json={"document": {"document": "d", **wrong}})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), wrong
    assert await names(tenant) == []


async def test_tenants_do_not_see_each_others_names(world: World) -> None:
    tenant, wanted = await shop(world)
    await apply(tenant, wanted)
    other = await world.tenant("Other")
    zone = await add_zone(other, "Bar")
    theirs = {"document": "shops", "schedules": [wanted["schedules"][0]]}
    answer = await other.http.post(PLAN, json={"document": theirs})
    assert refused(answer, "unknown_reference") == ["schedules", 0, "channel"]
    foreign = await tenant.http.post(
        PLAN, json={"document": {**wanted, "schedules": []}, "zone_ids": [zone]}
    )
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
    assert (await other.read("/schedules/document/", document="shops"))["document"] == {
        "document": "shops"
    }


async def test_channels_need_their_own_permission(world: World) -> None:
    tenant, wanted = await shop(world)
    made = await tenant.make("/tokens/", name="planner", permissions=["schedules.write"])
    planner = await world.http(made["token"])
    answer = await planner.post(PLAN, json={"document": wanted})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    without = document(channels=[], schedules=[])
    assert (await planner.post(APPLY, json={"document": without})).status_code == 200
