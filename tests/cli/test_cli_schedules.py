"""Schedules, channels and forecasts on the command line, with a whole installation."""

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from typer.testing import CliRunner, Result

from support.stack import Stack, wait_until
from sync2gear_cli.main import app

pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A whole installation with two zones."""
    running = Stack.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def http(stack: Stack) -> Iterator[httpx2.Client]:
    """The API as the manager, for what the command line does not make."""
    with stack.http() as client:
        yield client


@pytest.fixture(autouse=True)
def logged_in(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manager is logged in."""
    for name in [one for one in os.environ if one.startswith("S2G_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("S2G_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
    result = call(
        "login", "--url", stack.base_url, "--email", stack.email, given=stack.password + "\n"
    )
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def planned(stack: Stack, http: httpx2.Client) -> dict[str, Any]:
    """Music all day and a call each half hour in the café, in another venue's clock."""
    location = http.get("/api/v1/locations/").json()["results"][0]["id"]
    moved = http.patch(f"/api/v1/locations/{location}/", json={"timezone": "Asia/Kolkata"})
    assert moved.is_success, moved.text
    folder = next(
        f for f in http.get("/api/v1/music/folders/").json()["results"] if not f["is_system"]
    )
    zone = next(one for one in stack.zones if one["name"] == "Café")
    said = post(http, "/announcements/tts/", text="We close soon.", title="Closing")
    channel = post(http, "/channels/", name="Lounge")
    post(http, f"/channels/{channel['id']}/items/", folder_id=folder["id"], weight=3)
    post(http, f"/channels/{channel['id']}/items/", announcement_id=said["id"], after_tracks=9)
    where = {"zone_ids": [zone["id"]]}
    music = post(
        http, "/schedules/", name="All day", type="music", channel_id=channel["id"], **where
    )
    call_ = post(
        http, "/schedules/", name="Call", type="announcement", announcement_id=said["id"],
        when={"kind": "minutes", "minutes": [0, 30]}, **where,
    )  # fmt: skip
    wait_until(
        lambda: any(
            one["role"] == "event"
            for one in http.get(f"/api/v1/zones/{zone['id']}/forecast/").json()["pieces"]
        ),
        "the zone's programme holds the calls",
        every=0.5,
    )
    return {"zone": zone, "music": music, "call": call_, "folder": folder}


def post(http: httpx2.Client, path: str, **body: Any) -> Any:
    found = http.post(f"/api/v1{path}", json=body)
    assert found.is_success, found.text
    return found.json()


def call(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=given)


def answer(*arguments: str) -> Any:
    """The one JSON document of a command that succeeds."""
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def shown(*arguments: str) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_forecast_goes_by_the_venues_clock(planned: dict[str, Any]) -> None:
    there = datetime.now(ZoneInfo("Asia/Kolkata")) + timedelta(days=1)
    found = answer("forecast", "Café", "--from", "tomorrow 14:00", "--to", "15:00")
    assert found["timezone"] == "Asia/Kolkata"
    calls = [one["starts_at"] for one in found["pieces"] if one["role"] == "event"]
    assert [at[:16] for at in calls] == [f"{there:%Y-%m-%d}T14:00", f"{there:%Y-%m-%d}T14:30"]
    table = call("forecast", "Café", "--from", "tomorrow 14:00", "--to", "15:00")
    assert f"{there:%Y-%m-%d} 14:00:00" in table.stdout
    assert "All day" in table.stdout
    assert table.stderr == "by the clock of Asia/Kolkata\n"
    then = answer("forecast", "caf", "--at", "tomorrow 14:30")
    assert {one["why"]["name"] for one in then["pieces"]} >= {"Call"}
    assert answer("forecast", "Café")["pieces"]


def test_a_forecast_of_days_is_one_answer(planned: dict[str, Any]) -> None:
    found = answer("forecast", "Café", "--from", "tomorrow", "--to", "+6d")
    calls = [one for one in found["pieces"] if one["role"] == "event"]
    assert sum(one["why"] is not None and one["why"]["name"] == "Call" for one in calls) == 6 * 48
    edges = [(one["start"], one["end"]) for one in found["pieces"]]
    assert len(edges) == len(set(edges)) > 1000
    table = call("forecast", "Café", "--from", "tomorrow", "--to", "+6d")
    assert len(table.stdout.splitlines()) < 250, "a page of it"
    following = found["pieces"][200]["starts_at"][:19].replace("T", " ")
    assert f"these are the first 200: go on with --from '{following}'" in table.stderr
    rest = answer("forecast", "Café", "--from", following, "--to", "+1h", "--limit", "3")
    assert found["pieces"][200]["start"] in [one["start"] for one in rest["pieces"]]
    assert len(rest["pieces"]) == 3
    assert rest["goes_on_at"]


def test_wrong_instants_and_ranges_are_refused(planned: dict[str, Any]) -> None:
    for arguments in (
        ("--at", "soon"),
        ("--at", "now", "--to", "9:00"),
        ("--from", "tomorrow 9:00", "--to", "today 9:00"),
    ):
        assert call("forecast", "Café", *arguments).exit_code == 2, arguments
    far = call("forecast", "Café", "--at", "in 9 weeks")
    assert far.exit_code == 1
    assert far.stderr.endswith("(forecast_range)\n")
    assert call("forecast", "attic").stderr.endswith("(zone_unknown)\n")


def test_what_sounds_is_explained(planned: dict[str, Any]) -> None:
    found = answer("why", "Café", "--at", "tomorrow 14:30")
    assert (found["why"]["source"], found["why"]["name"]) == ("schedule", "Call")
    assert "schedule 'Call' put it there" in shown("why", "Café", "--at", "tomorrow 14:30")
    assert answer("why", "Café", found["item"])["why"]["name"] == "Call"
    assert call("why", "Café", found["item"], "--at", "now").exit_code == 2
    assert call("why", "Café", "nothing").stderr.endswith("(not_found)\n")
    shown("stop", "Shop floor")
    silent = call("why", "Shop floor", "--at", "in 5 minutes")
    assert silent.stderr == "error: nothing sounds there then (nothing_sounds)\n"


def test_schedules_are_listed_shown_and_switched(planned: dict[str, Any]) -> None:
    listed = answer("schedules", "list", "--zone", "Café")["results"]
    assert [one["name"] for one in listed] == ["All day", "Call"]
    table = shown("schedules", "list", "--type", "announcement")
    assert "daily at minute 0 30" in table
    assert "announcement Closing" in table
    assert "All day" not in table
    told = shown("schedules", "show", "call")
    assert "1 zone" in told
    assert "60 s" in told
    assert answer("schedules", "off", "Call")["results"][0]["is_active"] is False
    assert shown("schedules", "off", "Call") == "Call is off\n"
    assert [one["name"] for one in answer("schedules", "list", "--off")["results"]] == ["Call"]
    assert shown("schedules", "on", "Call", "All day") == "Call is on\nAll day is on\n"
    assert call("schedules", "list", "--type", "noise").exit_code == 2
    assert call("schedules", "off", "nothing").stderr.endswith("(schedule_unknown)\n")


def test_hours_of_a_day_part_are_those_of_its_schedules(http: httpx2.Client) -> None:
    part = post(http, "/day-parts/", name="Evening", start_time="18:00", end_time="02:00")
    folder = answer("folders")["results"][0]["id"]
    made = post(
        http, "/schedules/", name="Bar music", type="music", folder_id=folder,
        everywhere=True, day_part_id=part["id"], is_active=False,
    )  # fmt: skip
    assert "daily 18:00-02:00 (Evening)" in shown("schedules", "list")
    assert "daily 18:00-02:00 (Evening)" in shown("schedules", "show", "bar music")
    assert http.delete(f"/api/v1/schedules/{made['id']}/").is_success


def test_channels_are_listed_shown_and_heard_ahead(planned: dict[str, Any]) -> None:
    assert "Lounge" in shown("channels", "list")
    table = shown("channels", "show", "Lounge")
    assert planned["folder"]["name"] in table
    assert "after 9 tracks" in table
    assert len(answer("channels", "show", "Lounge")["items"]) == 2
    assert len(answer("channels", "preview", "Lounge", "--count", "7")["results"]) == 7
    place = answer("channels", "preview", "Lounge", "--location", "Main")
    assert place["results"]
    assert "artist" in shown("channels", "preview", "Lounge")


def test_conflicts_are_named(planned: dict[str, Any], http: httpx2.Client) -> None:
    assert shown("conflicts") == "No two of them meet.\n"
    post(http, "/schedules/", name="Other", type="music", folder_id=planned["folder"]["id"],
         zone_ids=[planned["zone"]["id"]])  # fmt: skip
    (met,) = answer("conflicts", "--zone", "Café", "--days", "3")["results"]
    assert (met["winner"]["name"], met["loser"]["name"]) == ("All day", "Other")
    assert "younger" in shown("conflicts")


def test_the_proof_of_play_is_listed_summed_and_taken_away(
    http: httpx2.Client, planned: dict[str, Any], tmp_path: Path
) -> None:
    said = post(http, "/announcements/say/", text="Once.", zone_ids=[planned["zone"]["id"]])
    play = said["plays"][0]["play_id"]
    told = call("plays", "why", play)
    assert told.exit_code == 0, told.output
    assert told.output.startswith("people called it out")
    assert json.loads(call("plays", "why", play, "--json").output)["play_id"] == play
    listed = json.loads(call("proof", "list", "--zone", "Café", "--json").output)
    assert isinstance(listed["results"], list)
    assert call("proof", "list", "--outcome", "unknown").exit_code == 0
    for words in ("yesterday", "2 hours ago", "2027-01-01", "2027-01-01 9:00"):
        for verb in ("plays", "proof"):
            since = call(verb, "list", "--from", words)
            assert since.exit_code == 0, since.output
    assert "Once." in call("plays", "list", "--from", "1 hour ago").output
    for wrong in (
        call("proof", "list", "--to", "next year"), call("plays", "list", "--from", "soon"),
        call("proof", "sum", "--from", "spring"), call("audit", "list", "--from", "once"),
    ):  # fmt: skip
        assert wrong.exit_code == 2
        assert 'say "yesterday"' in wrong.output or "say 2027-12-24" in wrong.output
    assert call("proof", "sum", "--from", "mon", "--to", "today").exit_code == 0
    summed = json.loads(call("proof", "sum", "--by", "track", "--json").output)
    assert summed["by"] == "track"
    assert "all" in call("proof", "sum").output
    assert "usage-by-work" in call("proof", "report").output
    assert "usage-by-venue" in call("proof", "report", "tariff").stderr
    columns = [{"key": "title", "heading": "What"}]
    post(http, "/proof/templates/", name="Tariff of ours", grain="work", columns=columns)
    assert call("proof", "report", "tariff").output.startswith('"What"')
    file = tmp_path / "report.csv"
    assert call("proof", "report", "usage-by-work", "--output", str(file)).exit_code == 0
    assert file.read_text().startswith('"Title","Artist","Composer"')
    assert call("proof", "export", "--output", str(file)).exit_code == 1, "it is there already"
    assert call("proof", "export", "--format", "json").output.strip().startswith("[")
