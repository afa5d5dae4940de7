"""Announcements, plays, voices and providers on the command line, with a whole installation."""

import json
import os
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from typer.testing import CliRunner, Result

from support.audio import encode, sine
from support.stack import Stack, wait_until
from sync2gear_cli.main import app

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A whole installation with two zones and three silent speakers."""
    running = Stack.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def http(stack: Stack) -> Iterator[httpx2.Client]:
    """The API as the manager, for what the command line does not make."""
    with stack.http() as client:
        yield client


@pytest.fixture(autouse=True)
def logged_in(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manager is logged in; sessions are kept in the test's own folder."""
    for name in list(os.environ):
        if name.startswith("S2G_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("S2G_CONFIG_DIR", str(tmp_path / "config"))
    given = stack.password + "\n"
    result = call("login", "--url", stack.base_url, "--email", stack.email, given=given)
    assert result.exit_code == 0, result.output


def call(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=given)


def answer(*arguments: str, given: str | None = None) -> Any:
    """The one JSON document of a command that succeeds."""
    result = call(*arguments, "--json", given=given)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(result: Result, code: str, status: int = 1) -> None:
    """A failure: one line on stderr, nothing on stdout."""
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.endswith(f"({code})\n")


def post(http: httpx2.Client, path: str, **body: Any) -> Any:
    found = http.post(f"/api/v1{path}", json=body)
    assert found.is_success, found.text
    return found.json()


def heads(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()[0].split()


def all_online(stack: Stack) -> None:
    wait_until(
        lambda: all(one["is_online"] for one in answer("speaker", "list")["results"]),
        "all speakers are online",
        every=0.2,
    )


def test_a_template_is_said_with_what_it_is_filled_with(http: httpx2.Client) -> None:
    made = post(
        http,
        "/announcements/templates/",
        name="Call",
        texts=[
            {"language": "en", "text": "{{name}} to {{place}}, please."},
            {"language": "de", "text": "{{name}} bitte zu {{place}}."},
        ],
        variables=[
            {"name": "name"},
            {"name": "place", "type": "choice", "choices": ["till", "office"], "default": "till"},
        ],
    )
    listed = call("announce", "templates")
    assert heads(listed) == ["name", "languages", "filled", "with", "id"]
    assert "name (text), place? (till|office)" in listed.stdout
    assert answer("announce", "templates")["results"][0]["id"] == made["id"]

    said = answer("say", "--template", "call", "--var", "name=Kim", "--language", "en", "--all")
    assert [one["announcement"]["text"] for one in said["results"]] == ["Kim to till, please."]
    both = answer("say", "--template", "Call", "--var", "name=Lee", "--var", "place=office",
                  "--all")["results"]  # fmt: skip
    text = both[0]["announcement"]["text"]
    assert text == "Lee to office, please.\nLee bitte zu office."
    shown = call("say", "--template", "Call", "--var", "name=Kim", "--all")
    assert ": from " in shown.stdout
    assert "sync2gear plays show " in shown.stderr

    refused(call("say", "--template", "Nothing", "--all"), "template_unknown")
    refused(call("say", "--template", "Call", "--all"), "variable_missing")
    refused(call("say", "--template", "Call", "--var", "name=x", "--var", "place=bar", "--all"),
            "variable_invalid")  # fmt: skip


def test_floors_and_locations_are_places_too(stack: Stack, http: httpx2.Client) -> None:
    location = http.get("/api/v1/locations/").json()["results"][0]
    floor = post(http, "/floors/", location_id=location["id"], name="Mezzanine")
    zone = stack.zones[0]
    moved = http.patch(f"/api/v1/zones/{zone['id']}/", json={"floor_id": floor["id"]})
    assert moved.is_success, moved.text
    here = answer("say", "On the floor.", "--floor", "mezz", "--voice", "en-gb")
    assert [play["zone_id"] for play in here["plays"]] == [zone["id"]]
    everywhere = answer("say", "In the house.", "--location", location["name"], "--zone",
                        zone["name"])  # fmt: skip
    assert {p["zone_id"] for p in everywhere["plays"]} == {one["id"] for one in stack.zones}
    german = answer("say", "Guten Tag.", "--floor", floor["id"], "--language", "de")
    assert german["announcement"]["language"] == "de"
    refused(call("say", "x", "--floor", "attic"), "floor_unknown")
    refused(call("say", "x", "--location", "moon"), "location_unknown")


def test_files_are_sent_shown_heard_and_removed(tmp_path: Path) -> None:
    jingle, take = tmp_path / "jingle.flac", tmp_path / "take.wav"
    encode(jingle, sine(1, 440))
    encode(take, sine(1, 330), codec="pcm_s16le", container="wav")
    (tmp_path / "bad.mp3").write_bytes(b"this is no audio at all")
    [sent] = answer("announce", "upload", str(jingle), "--title", "A jingle")["results"]
    assert (sent["outcome"], sent["upload"]["purpose"]) == ("ready", "announcement")
    [said] = answer("announce", "upload", str(take), "--recording")["results"]
    assert (said["outcome"], said["upload"]["purpose"]) == ("ready", "recording")
    broken = call("announce", "upload", str(tmp_path / "bad.mp3"), str(take))
    assert broken.exit_code == 1
    assert "(upload_failed)" in broken.stderr
    refused(call("announce", "upload", str(tmp_path / "none.mp3")), "no_such_file")

    assert heads(call("announce", "list")) == [
        "title", "kind", "state", "length", "language", "id",
    ]  # fmt: skip
    kept = answer("announce", "list", "--kind", "upload")["results"]
    assert [one["title"] for one in kept] == ["take", "A jingle"]
    assert call("announce", "list", "--state", "failed").stdout == (
        "There are no such announcements.\n"
    )
    shown = call("announce", "show", "a jing")
    assert "title      A jingle\n" in shown.stdout
    assert "kind       upload\n" in shown.stdout
    one = answer("announce", "show", sent["upload"]["announcement_id"])
    assert one["title"] == "A jingle"
    refused(call("announce", "show", str(uuid4())), "not_found")
    refused(call("announce", "show", "no such thing"), "announcement_unknown")

    played = answer("announce", "play", "A jingle", "--all", "--mode", "duck")
    assert played["announcement"]["id"] == one["id"]
    refused(call("announce", "retry", "A jingle"), "not_failed")
    asked = call("announce", "delete", "A jingle")
    assert asked.exit_code == 2
    assert "--yes" in asked.stderr
    assert call("announce", "delete", "A jingle", "--yes").stdout == "A jingle is removed.\n"
    refused(call("announce", "show", one["id"]), "not_found")


def test_what_is_used_is_removed_by_force_only(http: httpx2.Client) -> None:
    message, sound = (
        post(http, "/announcements/tts/", text=f"Text {n}.", title=f"Used {n}")["id"]
        for n in (1, 2)
    )
    post(http, f"/announcements/{message}/variants/", sound_id=sound)
    refused(call("announce", "delete", "Used 2", "--yes"), "in_use")
    assert answer("announce", "delete", "Used 2", "--yes", "--force")["removed"] == sound


def test_a_play_is_watched_to_its_end(stack: Stack) -> None:
    all_online(stack)
    play_id = answer("say", "Good evening.", "--all", "--title", "Greeting")["plays"][0]["play_id"]
    watched = call("plays", "show", play_id, "--watch", "--json")
    assert watched.exit_code == 0, watched.output
    told = [json.loads(line) for line in watched.stdout.splitlines()]
    assert {one["play"]["id"] for one in told} == {play_id}
    assert told[-1]["play"]["counts"] == {"finished": 3}

    assert heads(call("plays", "list")) == ["title", "at", "zones", "id"]
    listed = answer("plays", "list", "--zone", stack.zones[0]["name"], "--limit", "1")["results"]
    assert [(one["id"], one["title"]) for one in listed] == [(play_id, "Greeting")]
    latest = call("plays", "show")
    assert latest.stdout.startswith("Greeting, asked for at ")
    assert latest.stdout.count("finished") == 1 + 1 + 3, "the head, the column and each speaker"
    assert answer("plays", "show")["id"] == play_id
    again = call("plays", "show", play_id, "--watch", "--for", "30")
    assert again.stdout == latest.stdout
    refused(call("plays", "show", str(uuid4()), "--watch"), "not_found")
    later = answer("plays", "list", "--from", "2999-01-01T00:00:00Z")
    assert later["results"] == []


def test_voices_are_listed_and_heard(tmp_path: Path) -> None:
    assert "de" in {voice["id"] for voice in answer("voices", "list")["results"]}
    assert heads(call("voices", "list")) == ["voice", "language", "name", "provider"]
    only = answer("voices", "list", "--language", "de", "--provider", "espeak")["results"]
    assert {voice["language"] for voice in only} == {"de"}
    file = tmp_path / "de.wav"
    made = answer("voices", "preview", "de", "--to", str(file), "--text", "Guten Abend")
    assert (made["voice"], made["provider"]) == ("de", "espeak-ng")
    assert made["bytes"] == file.stat().st_size
    with wave.open(str(file)) as sound:
        assert sound.getnframes() > sound.getframerate() // 4
    refused(call("voices", "preview", "nobody", "--to", str(file)), "voice_unknown")
    refused(call("voices", "preview", "de", "--to", str(tmp_path)), "not_written")


def test_providers_are_listed_added_tried_changed_and_removed(tmp_path: Path) -> None:
    found = answer("providers", "list")["results"]
    assert [(one["name"], one["is_offered"]) for one in found] == [("espeak-ng", True)]
    made = answer("providers", "add", "google", "--name", "Cloud", given="AIza-canary-4711\n")
    assert made["api_key_end"] == "4711"
    assert call("providers", "list").stdout.splitlines()[1].split()[:2] == ["Cloud", "google"]
    assert "canary" not in call("providers", "list", "--json").stdout
    refused(call("providers", "add", "sh", "--name", "x"), "invalid_request")
    assert call("providers", "add", "google", "--name", "x", given="").exit_code == 2

    changed = answer("providers", "set", "Cloud", "--priority", "7", "--price", "16",
                     "--characters", "1000", "--transport", "grpc", "--off")  # fmt: skip
    assert changed["priority"] == 7
    assert changed["unit_price"] == 16
    assert changed["monthly_characters"] == 1000
    assert changed["settings"]["transport"] == "grpc"
    assert changed["is_active"] is False
    rekeyed = answer("providers", "set", "Cloud", "--key", "--characters", "-1",
                     given="AIza-canary-0815\n")  # fmt: skip
    assert (rekeyed["api_key_end"], rekeyed["monthly_characters"]) == ("0815", None)
    refused(call("providers", "set", "Cloud"), "nothing_to_change")
    assert call("providers", "remove", "Cloud").exit_code == 2
    assert call("providers", "remove", "Cloud", "--yes").stdout == "Cloud is removed.\n"
    refused(call("providers", "set", "Cloud", "--on"), "provider_unknown")

    # a name in any script reaches whoever hears its voice
    answer("providers", "add", "espeak", "--name", "Lüfter 東", "--priority", "1")
    assert call("providers", "test", "Lüfter").stdout.startswith("Lüfter 東 answers: ")
    heard = answer("voices", "preview", "de", "--provider", "Lüfter", "--to",
                   str(tmp_path / "de.wav"), "--text", "Aha")  # fmt: skip
    assert heard["provider"] == "Lüfter 東"
    answer("providers", "remove", "Lüfter", "--yes")
