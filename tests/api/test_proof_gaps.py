"""What a speaker's log lacks, what it played instead, and emergencies: in the proof of play."""

from dataclasses import replace

from support.music import add_folder, add_media
from support.planning import add_words, compiled, score
from support.proving import Teller, lines, reckoned, segments, shop, speaker, undisturbed
from support.stack import eventually
from support.world import World


async def test_what_lies_in_a_gap_of_a_log_is_unknown_unless_another_speaker_was_heard(
    world: World,
) -> None:
    tenant, zone, _ = await shop(world)
    left = Teller(world, tenant, await speaker(tenant, zone, "Left"), zone)
    right = Teller(world, tenant, await speaker(tenant, zone, "Right"), zone)
    due = await segments(world, tenant, zone, hours=1)
    calls = [one for one in due if one.role == "event"]
    assert len(calls) >= 3
    first, last = left.played(calls[0]), due[-1]
    left.seq += 1  # this one's record is damaged, and all between was in it
    await left.tell([*first, None, *left.played(last)])
    await right.tell(right.played(calls[1]) + right.played(last))
    await reckoned(world, tenant)
    found = {one["item"]: one for one in await lines(tenant) if one["kind"] == "announcement"}
    told = [(found[one.item]["outcome"], found[one.item]["reason"]) for one in calls[:3]]
    assert told == [("played", ""), ("played", ""), ("unknown", "gap")]
    unknown = await lines(tenant, outcome="unknown")
    assert {one["reason"] for one in unknown} == {"gap"}
    assert len(unknown) > 3
    days = sorted(one["day"] for one in await lines(tenant))
    span = {"first_day": days[0], "last_day": days[-1]}
    (bar,) = (await tenant.read("/proof/summary/", by="zone", **span))["results"]
    assert bar["unknown"] == len(unknown)
    missed = await lines(tenant, outcome="missed")
    assert bar["missed"] == len(missed)
    before = found[calls[0].item]["planned_at"]
    assert all(one["planned_at"] < before for one in missed), "silence in a gap is no miss"


async def test_a_stand_in_is_told_beside_the_piece_that_it_stood_in_for(world: World) -> None:
    tenant, zone, _ = await shop(world)
    only = Teller(world, tenant, await speaker(tenant, zone, "Only"), zone)
    due = await segments(world, tenant, zone, hours=1)
    lacking = undisturbed(due)[0]
    media = await add_media(world, tenant, "Evergreen")
    green = replace(lacking, media=lacking.media.model_copy(update={"sha256": media.sha256}))
    await only.tell(
        [
            only.event("missed", lacking, lacking.start, reason="no_media"),
            *only.played(green, reason="evergreen"),
            *only.played(due[-1]),
        ]
    )
    await reckoned(world, tenant)
    missed = next(
        one for one in await lines(tenant, outcome="missed") if one["reason"] == "no_media"
    )
    assert missed["sha256"] == lacking.media.sha256
    (stand_in,) = await lines(tenant, manner="stand_in")
    assert (stand_in["sha256"], stand_in["outcome"]) == (media.sha256, "played")
    sums = await tenant.read("/proof/summary/", by="track", first_day=missed["day"],
                             last_day=missed["day"])  # fmt: skip
    by_subject = {one["subject"]: one for one in sums["results"]}
    assert (by_subject[media.sha256]["planned"], by_subject[media.sha256]["played"]) == (0, 1)


async def test_an_emergency_is_one_line_with_all_its_rounds(world: World) -> None:
    tenant, zone, words = await shop(world)
    only = Teller(world, tenant, await speaker(tenant, zone, "Only"), zone)
    message = await tenant.make(
        "/emergencies/messages/", name="Evacuate", announcement_id=str(words)
    )
    raised = await tenant.make("/emergencies/", message_id=message["id"], zone_ids=[zone])
    sounding = [one for one in await segments(world, tenant, zone, minutes=5)
                if one.role == "emergency"]  # fmt: skip
    latch = (await score(world, tenant, zone)).state.emergency
    assert latch is not None
    first = replace(sounding[0], start=latch.start, end=latch.start + sounding[0].media.frames)

    async def begun() -> bool:
        return world.clock.frames() > first.start

    await eventually(begun, "the emergency sounds")
    await tenant.make(f"/emergencies/{raised['id']}/clear/")
    await only.tell(only.played(first))
    await reckoned(world, tenant)
    (line,) = await lines(tenant, source="emergency")
    assert line["item"] == sounding[0].item
    assert (line["outcome"], line["heard_by"]) == ("played", 1)
    why = await tenant.read(f"/plays/{line['id']}/why/")
    assert why["source"] == "emergency"


async def test_a_channel_that_people_chose_is_proved_with_its_calls(world: World) -> None:
    tenant, zone, _ = await shop(world)
    mine = await add_folder(world, tenant, ("Mine 1", "Mine 2"))
    words = await add_words(world, tenant, "Coffee")
    channel = (await tenant.make("/channels/", name="Lounge"))["id"]
    await tenant.make(f"/channels/{channel}/items/", folder_id=str(mine))
    line = {"announcement_id": str(words), "after_tracks": 1}
    await tenant.make(f"/channels/{channel}/items/", **line)
    await tenant.make("/playback/channel/", zone_id=zone, channel_id=channel)
    await compiled(world)
    await reckoned(world, tenant)
    spoken = [one for one in await lines(tenant, source="hand") if one["kind"] == "announcement"]
    assert len(spoken) >= 2
    assert {one["announcement_id"] for one in spoken} == {str(words)}
