"""The command line against a running installation: what it writes, `--json`, exit status."""

import json
import os
import pty
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pyotp
import pytest
from typer.testing import CliRunner, Result

from support.audio import encode, sine
from support.stack import Stack, wait_until
from sync2gear_cli.main import app

pytestmark = pytest.mark.timeout(180)
COMMAND = str(Path(sys.executable).with_name("sync2gear"))
BAD = b"this is no audio at all"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for music, imports, sessions and credentials."""
    path = tmp_path_factory.mktemp("cli")
    for name in ("music", "imports/brunch"):
        (path / name).mkdir(parents=True)
    for number in range(3):
        encode(path / "music" / f"{number}.flac", sine(30, 300 + number), title=f"Tone {number}")
    encode(path / "imports" / "brunch" / "one.flac", sine(2, 250), title="Brunch one")
    (path / "imports" / "brunch" / "two.mp3").write_bytes(BAD)
    return path


@pytest.fixture(scope="module")
def stack(place: Path) -> Iterator[Stack]:
    """A whole installation with two zones and three silent speakers."""
    running = Stack.start(music=place / "music", extra={"S2G_IMPORT_DIR": str(place / "imports")})
    yield running
    running.stop()


@pytest.fixture
def environment(stack: Stack, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is logged in; sessions are kept in the test's own folder."""
    for name in list(os.environ):
        if name.startswith("S2G_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("S2G_CONFIG_DIR", str(place / "config"))


@pytest.fixture
def logged_in(stack: Stack, environment: None) -> None:
    """The manager is logged in."""
    given = stack.password + "\n"
    result = call("login", "--url", stack.base_url, "--email", stack.email, given=given)
    assert result.exit_code == 0, result.output


def call(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=given)


def said(*arguments: str) -> str:
    """What a command that succeeds writes for people."""
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def answer(*arguments: str, given: str | None = None) -> Any:
    """The one JSON document of a command that succeeds."""
    result = call(*arguments, "--json", given=given)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def zone(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        view for view in answer("zones")["results"] if view["name"] == name
    )
    return found


def becomes(status: str, *zones: str) -> None:
    """Wait until these zones are in ``status``: a command takes effect after its lead."""
    wait_until(lambda: all(zone(name)["status"] == status for name in zones), status, every=0.2)


def refused(result: Result, code: str, status: int = 1) -> None:
    """A failure: one line on stderr, nothing on stdout."""
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.endswith(f"({code})\n")
    assert result.stderr.count("\n") == 1


# sessions


def test_login_asks_for_the_code_of_a_second_factor(
    stack: Stack, environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post(path: str, token: str, **body: str) -> Any:
        found = httpx2.post(
            f"{stack.base_url}/api/v1/auth/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"} if token else None,
        )
        assert found.is_success, found.text
        return found.json() if found.content else None

    login = ("login", "--url", stack.base_url, "--email", stack.email)
    token = post("login/", "", email=stack.email, password=stack.password)["access"]
    secret = post("totp/setup/", token, password=stack.password)["secret"]
    codes = post("totp/confirm/", token, otp=pyotp.TOTP(secret).now())["recovery_codes"]
    try:
        given = f"{stack.password}\n{codes[0]}\n"
        assert answer(*login, given=given)["user"]["email"] == stack.email
        refused(call(*login, given=f"{stack.password}\n{codes[0]}\n"), "wrong_otp", 3)
        monkeypatch.setenv("S2G_OTP", codes[1])
        assert call(*login, given=stack.password).exit_code == 0
        assert call("whoami").exit_code == 0
    finally:
        post("totp/disable/", token, password=stack.password)


def test_login_keeps_a_session_and_logout_forgets_it(stack: Stack, environment: None) -> None:
    shown = answer(
        "login", "--url", f"{stack.base_url}/", "--email", stack.email, given=stack.password
    )
    assert shown["url"] == stack.base_url
    assert shown["user"]["email"] == stack.email
    assert "access" not in shown
    file = Path(os.environ["S2G_CONFIG_DIR"]) / "sessions.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stack.password not in file.read_text()

    me = call("whoami")
    assert me.exit_code == 0
    assert stack.email in me.stdout
    assert stack.base_url in me.stdout
    assert answer("whoami")["role"] == "client"

    assert said("logout") == "Logged out.\n"
    refused(call("whoami"), "not_logged_in", 3)


def test_a_wrong_password_is_refused(
    stack: Stack, environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S2G_PASSWORD", "wrong")
    result = call("login", "--url", stack.base_url, "--email", stack.email)
    refused(result, "wrong_login", 3)


def test_a_token_that_is_none_has_status_3(
    stack: Stack, environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S2G_URL", stack.base_url)
    monkeypatch.setenv("S2G_TOKEN", "not.a.token")
    refused(call("zones"), "session_ended", 3)
    refused(call("watch"), "session_ended", 3)


# zones and music


def test_zones_are_listed_with_what_they_do(stack: Stack, logged_in: None) -> None:
    listed = call("zones")
    assert listed.exit_code == 0
    lines = listed.stdout.splitlines()
    assert lines[0].split() == ["zone", "status", "now", "volume", "speakers"]
    for one in stack.zones:
        assert any(line.startswith(one["name"]) for line in lines)
    assert "\x1b" not in listed.stdout
    assert {view["zone_id"] for view in answer("zones")["results"]} == {
        one["id"] for one in stack.zones
    }


def test_music_is_in_ones_hands(stack: Stack, logged_in: None) -> None:
    name = stack.zones[0]["name"]
    folder = answer("folders")["results"][0]["name"]
    played = answer("play", name, "--folder", folder.upper(), "--shuffle")["results"][0]
    assert (played["status"], played["shuffle"]) == ("playing", True)

    assert said("pause", name[:4].upper()) == (f"{name}: paused, volume {zone(name)['volume']}\n")
    assert zone(name)["status"] == "paused"
    answer("resume", name)
    becomes("playing", name)
    answer("play", name)
    becomes("playing", name)

    before = zone(name)["rev"]
    assert answer("next", name)["results"][0]["rev"] > before
    assert answer("previous", name)["results"][0]["status"] == "playing"
    assert answer("seek", name, "0:05.5")["results"][0]["status"] == "playing"
    assert answer("stop", name)["results"][0]["status"] == "stopped"
    answer("resume", name)
    becomes("playing", name)


def test_several_zones_obey_at_once(stack: Stack, logged_in: None) -> None:
    names = [one["name"] for one in stack.zones]
    views = answer("pause", *names)["results"]
    assert {view["status"] for view in views} == {"paused"}
    assert len(views) == len(names)
    answer("resume", *names)
    becomes("playing", *names)


def test_volume_and_mute(stack: Stack, logged_in: None) -> None:
    name = stack.zones[1]["name"]
    assert said("volume", name, "35", "--mute").endswith("volume 35, muted\n")
    assert (zone(name)["volume"], zone(name)["mute"]) == (35, True)
    assert call("volume", name, "36").exit_code == 0
    assert (zone(name)["volume"], zone(name)["mute"]) == (36, True)
    answer("volume", name, "36", "--unmute")
    assert zone(name)["mute"] is False


def test_a_seek_beyond_the_end_is_refused(stack: Stack, logged_in: None) -> None:
    result = call("seek", stack.zones[0]["name"], "23:00:00")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")


def test_what_is_not_there_is_refused(stack: Stack, logged_in: None) -> None:
    refused(call("pause", "kitchen"), "zone_unknown")
    refused(call("play", stack.zones[0]["id"], "--folder", "polka"), "folder_unknown")
    refused(call("speaker", "remove", "nobody", "--yes"), "speaker_unknown")


# announcements


def test_say_tells_where_and_when(stack: Stack, logged_in: None) -> None:
    first, second = stack.zones
    said = call("say", "Table four, please", "--zone", first["name"], "--mode", "duck")
    assert said.exit_code == 0, said.output
    assert said.stdout.startswith(f"{first['name']}: from ")

    call("stop", second["name"])
    unheard = call("say", "To nobody", "--zone", second["name"]).stdout
    assert unheard.startswith(f"{second['name']}: stopped, nothing is heard there")
    call("resume", second["name"])
    call("volume", second["name"], "70", "--mute")
    assert "not heard: muted" in call("say", "To nobody", "--zone", second["name"]).stdout
    call("volume", second["name"], "70", "--unmute")

    everywhere = answer("say", "-", "--all", "--title", "Closing", given="We close now.")
    assert everywhere["announcement"]["text"] == "We close now."
    assert everywhere["announcement"]["title"] == "Closing"
    assert {play["zone_id"] for play in everywhere["plays"]} == {first["id"], second["id"]}
    assert len({play["start_frame"] for play in everywhere["plays"]}) == 1


def test_what_cannot_be_said_is_refused(stack: Stack, logged_in: None) -> None:
    refused(call("say", " ", "--all"), "text_empty")
    refused(call("say", "word " * 1001, "--all"), "text_too_long")
    refused(call("say", "caf\udce9", "--all"), "not_text")
    refused(call("say", "hello", "--all", "--voice", "nobody"), "voice_unknown")


# the library


def test_a_folder_comes_in_and_what_is_no_audio_is_named(stack: Stack, logged_in: None) -> None:
    done = call("music", "import", "brunch", "--name", "Late brunch")
    assert done.exit_code == 0, done.output
    assert "done" in done.stdout
    assert "rejected two.mp3: " in done.stderr
    assert "Late brunch" in said("folders")
    listed = answer("music", "imports")["results"]
    assert listed[0]["source"] == "brunch"
    assert (listed[0]["imported"], listed[0]["rejected"]) == (1, 1)
    assert "brunch" in said("music", "imports")
    again = answer("music", "import", "brunch")
    assert (again["imported"], again["state"]) == (0, "done")
    assert [item["name"] for item in again["rejected_items"]] == ["two.mp3"]
    refused(call("music", "import", "nothing"), "no_such_source")


def test_folders_are_a_tree_and_tracks_are_found_changed_and_removed(
    stack: Stack, place: Path, logged_in: None
) -> None:
    answer("music", "make-folder", "Evening")
    answer("music", "make-folder", "Late", "--in", "Evening")
    listed = [line.split("  ")[0:2] for line in said("folders").splitlines()]
    assert [rows for rows in listed if "Late" in rows] == [["", "Late"]], "further in than Evening"
    refused(call("music", "change-folder", "Evening", "--in", "Late"), "folder_cycle")
    refused(call("music", "change-folder", "Late"), "nothing_to_change")
    refused(call("music", "change-folder", "All music", "--name", "Mine"), "system_folder")
    moved = answer("music", "change-folder", "Late", "--out", "--name", "Very late")
    assert (moved["parent_id"], moved["name"]) == (None, "Very late")

    tones = answer("music", "list", "--longer", "30", "--sort", "-title")["results"]
    assert [one["title"] for one in tones] == ["Tone 2", "Tone 1", "Tone 0"]
    ids = [one["id"] for one in tones]
    edit = ("--genre", "Hum", "--tag", "calm", "--explicit", "--valid-until", "2020-01-01")
    assert answer("music", "edit", *ids[:2], *edit, "--folder", "Evening") == {"tracks": 2}
    assert said("music", "edit", ids[2], "--licence", "GEMA") == "1 changed\n"
    refused(call("music", "edit", ids[0]), "nothing_to_change")
    for asked, expected in (
        (("--genre", "hum"), ["Tone 1", "Tone 2"]),
        (
            ("--tag", "calm", "--explicit", "--folder", "Evening", "--sort", "-title"),
            ["Tone 2", "Tone 1"],
        ),
        (("--genre", "hum", "--valid-on", "2020-01-02"), []),
        (("--licence", "gema", "--clean"), ["Tone 0"]),
        (("--shorter", "1"), []),
    ):
        found = answer("music", "list", *asked)["results"]
        assert [one["title"] for one in found] == expected, asked
    refused(call("music", "list", "--sort", "secret"), "bad_ordering")
    assert [one["title"] for one in answer("music", "search", "ton", "2")["results"]] == ["Tone 2"]
    assert "There are no such tracks." in said("music", "search", "nobody")

    playlist = place / "evening.xspf"
    wrote = call("music", "export", "Evening", "--format", "xspf", "--to", str(playlist))
    assert wrote.exit_code == 0, wrote.output
    assert said("music", "export", "Evening").startswith("#EXTM3U")
    read = answer("music", "read", str(playlist), "--folder", "Very late")
    assert (read["matched"], len(read["results"])) == (2, 2)
    refused(call("music", "read", str(place / "nothing"), "--folder", "Evening"), "not_read")

    refused(call("music", "remove", *ids), "in_use")
    assert answer("music", "remove", *ids[:1], "--force") == {"tracks": 1}
    assert said("music", "remove-folder", "Very late") == "Very late removed\n"
    answer("music", "remove-folder", "Evening")
    assert {one["title"] for one in answer("music", "list")["results"]} >= {"Tone 0", "Tone 1"}


# speakers


def test_a_speaker_from_registration_to_removal(stack: Stack, place: Path, logged_in: None) -> None:
    file = place / "counter.json"
    name = stack.zones[0]["name"]
    made = call("speaker", "register", "Counter", "--zone", name, "--credential", str(file))
    assert made.exit_code == 0, made.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    credential = json.loads(file.read_text())
    assert set(credential) == {"client", "device", "secret", "mqtt_url", "http_url", "ca"}
    assert credential["secret"] not in made.output
    again = call("speaker", "register", "Counter 2", "--credential", str(file))
    refused(again, "file_exists")

    command = [COMMAND, "speaker", "run", "--credential", str(file), "--sink", "null"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as speaker:
        try:
            wait_until(lambda: device("Counter")["is_online"], "the speaker is online")
            listed = said("speaker", "list")
            row = next(line for line in listed.splitlines() if line.startswith("Counter"))
            assert name in row
            assert "online" in row
            given = {"volume": 80, "trim_millis": -20, "channels": "mono", "fetch_rate": 250_000}
            options = [
                f"--{key.removesuffix('_millis').replace('_', '-')}={value}"
                for key, value in given.items()
            ]
            hours = "--fetch-window=22:00-06:00"
            assert said("speaker", "set", "counter", *options, hours) == "Counter is set.\n"
            shown = answer("speaker", "show", "counter")
            assert shown == shown | given | {"fetch_window": "22:00-06:00"}
            wait_until(lambda: device("Counter")["applied"], "it obeys a document")
            lines = said("speaker", "show", "counter").splitlines()
            for line in (
                "channels +mono",
                "trim +-20 ms",
                "downloads +250000 bytes/s",
                f"zone +{name}",
            ):
                assert any(re.match(line, one) for one in lines), (line, lines)
        finally:
            speaker.send_signal(signal.SIGTERM)
        assert speaker.wait(10) == 0

    assert said("speaker", "remove", "count", "--yes") == "Counter is removed.\n"
    assert "Counter" not in said("speaker", "list")


def test_a_speaker_is_set_to_something_and_shown_by_its_name(logged_in: None) -> None:
    refused(call("speaker", "show", "nobody"), "speaker_unknown")
    refused(call("speaker", "set", "nobody", "--volume", "5"), "speaker_unknown")
    refused(call("speaker", "set", "nobody"), "nothing_given")


def device(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in answer("speaker", "list")["results"] if one["name"] == name
    )
    return found


def test_a_refused_registration_leaves_no_file(place: Path, logged_in: None) -> None:
    file = place / "nameless.json"
    result = call("speaker", "register", " ", "--credential", str(file))
    refused(result, "invalid_request")
    assert not file.exists()


def test_removal_asks_nobody_where_nobody_can_answer(stack: Stack, logged_in: None) -> None:
    result = call("speaker", "remove", stack.speakers[0]["name"])
    assert result.exit_code == 2
    assert "--yes" in result.stderr


# watching


def test_watch_writes_every_message_as_a_line(stack: Stack, logged_in: None) -> None:
    name = stack.zones[0]["name"]
    command = [COMMAND, "watch", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        try:
            assert watching.stdout is not None
            snapshot = json.loads(watching.stdout.readline())
            assert snapshot["type"] == "snapshot"
            assert {view["zone_id"] for view in snapshot["zones"]} == {
                one["id"] for one in stack.zones
            }
            answer("volume", name, "41")
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                message = json.loads(watching.stdout.readline())
                if message["type"] == "zone" and message["zone"]["volume"] == 41:
                    break
            assert message["zone"]["name"] == name
        finally:
            watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 130


def test_watch_shows_one_zone_for_a_while(stack: Stack, logged_in: None) -> None:
    first, second = stack.zones
    shown = call("watch", first["name"], "--for", "1")
    assert shown.exit_code == 0, shown.output
    assert first["name"] in shown.stdout
    assert second["name"] not in shown.stdout


def test_watch_goes_on_when_the_platform_comes_back(stack: Stack, logged_in: None) -> None:
    command = [COMMAND, "watch", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        try:
            assert watching.stdout is not None
            assert json.loads(watching.stdout.readline())["type"] == "snapshot"
            stack["api"].kill()
            stack["api"].start()
            wait_until(stack.answers, "the api answers again")
            lines = iter(watching.stdout.readline, "")
            kinds = (json.loads(line)["type"] for line in lines)
            assert next(kind for kind in kinds if kind != "zone") == "snapshot"
        finally:
            watching.send_signal(signal.SIGTERM)


def test_colours_are_for_terminals_only(stack: Stack, logged_in: None) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen([COMMAND, "zones"], stdout=theirs, env=environment) as shown:
        os.close(theirs)
        written = b""
        try:
            while part := os.read(ours, 65536):
                written += part
        except OSError:
            """The other end of a terminal is closed: the end of what was written (pty(7))."""
        assert shown.wait(20) == 0
    os.close(ours)
    assert b"\x1b[" in written
    assert stack.zones[0]["name"].encode() in written


# the audit trail


def test_audit_lists_what_was_done_and_takes_it_away(logged_in: None, place: Path) -> None:
    call("volume", "Shop floor", "41")
    [newest] = answer("audit", "list", "--limit", "1")["results"]
    assert newest["subject_type"] == "zone"
    shown = said("audit", "list", "--action", newest["action"], "--limit", "3")
    assert newest["action"] in shown
    assert newest["actor"]["label"] in shown
    assert answer("audit", "list", "--search", "no such thing at all")["results"] == []
    wrong = call("audit", "list", "--actor", "kim")
    assert wrong.exit_code == 2
    assert "no id" in wrong.output

    target = place / "audit.jsonl"
    assert call("audit", "export", "--output", str(target)).exit_code == 0
    script = Path(__file__).parents[2] / "scripts" / "verify_audit_export.py"
    with target.open() as file:
        verified = subprocess.run([sys.executable, script], stdin=file, capture_output=True)
    assert verified.returncode == 0, verified.stderr
    refused(call("audit", "export", "--output", str(target)), "not_written")
    table = said("audit", "export", "--format", "csv", "--action", "audit.")
    assert table.startswith('"client_id","seq","at"')
    refused(call("audit", "export", "--format", "pdf"), "invalid_request")


def test_audit_verify_ends_with_1_once_somebody_changed_the_trail(
    logged_in: None, stack: Stack
) -> None:
    wait_until(lambda: answer("audit", "verify")["results"][0]["anchored"] is not None,
               "the leader has anchored the chain", 30, every=0.5)  # fmt: skip
    told = call("audit", "verify")
    assert told.exit_code == 0, told.output
    assert "unbroken" in told.stdout
    refused(call("audit", "verify", "--all"), "forbidden")

    with psycopg.connect(stack.postgres.superuser_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE audit_entries SET trace = trace || 'x' WHERE id ="
                           " (SELECT entry_id FROM audit_seals ORDER BY seq LIMIT 1 OFFSET 2)"
                           )  # fmt: skip
    told = call("audit", "verify")
    assert told.exit_code == 1
    assert "FAULT at entry" in told.stdout
    assert told.stderr.endswith("(audit_broken)\n")
    found = call("audit", "verify", "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["results"][0]["fault"]["kind"] == "entry_altered"
