"""The command line where no platform is needed: usage, exit status, sessions, names, times."""

import http.server
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from typer.main import get_command
from typer.testing import CliRunner, Result

from sync2gear_cli import names, output, session, zones
from sync2gear_cli.failures import Failure
from sync2gear_cli.main import VERBS, app
from sync2gear_cli.playback import parse_position
from sync2gear_cli.session import Profile
from sync2gear_platform.settings import Settings

COMMAND = Path(sys.executable).with_name("sync2gear")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for sessions and an environment without our variables."""
    for name in list(os.environ):
        if name.startswith("S2G_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("S2G_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path


def call(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=given)


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def profile(url: str = "http://127.0.0.1:1", *, seconds: int = 3600) -> Profile:
    return Profile(url, "kim@example.com", "Cafe", "secret", int(time.time()) + seconds)


# help


def test_every_verb_stands_in_the_list_with_the_words_of_its_own_help() -> None:
    group = get_command(app)
    context = typer.Context(group)
    for verb, (_, line) in VERBS.items():
        command = group.get_command(context, verb)  # type: ignore[attr-defined]  # it is a group
        first = (command.help or "").split("\n\n")[0].replace("\n", " ")
        if verb == "up":
            assert first.split(":")[0] == line.split(":")[0]
        else:
            assert first == line, verb


def test_help_comes_quickly_and_plainly() -> None:
    began = time.monotonic()
    shown = subprocess.run([COMMAND, "--help"], capture_output=True, text=True, check=True)
    assert time.monotonic() - began < 3  # 0.2 s on an idle machine
    assert "Exit status: 0 done; 1 refused" in shown.stdout
    assert "\x1b" not in shown.stdout


def test_help_imports_neither_the_network_nor_the_models() -> None:
    code = (
        "import sys, sync2gear_cli.main as m\n"
        "try: m.app(['--help'])\n"
        "except SystemExit: pass\n"
        "print([n for n in ('httpx2', 'pydantic', 'rich', 'websockets') if n in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "[]"


# usage


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("volume", "bar", "101"),
        ("volume", "bar", "-1"),
        ("volume", "bar", "loud"),
        ("seek", "bar", "1:75"),
        ("play",),
        ("say", "hello"),
        ("say", "hello", "--all", "--zone", "bar"),
        ("say", "hello", "--all", "--mode", "shout"),
        ("say", "--all"),
        ("say", "hello", "--template", "call", "--all"),
        ("say", "hello", "--var", "name=Kim", "--all"),
        ("say", "hello", "--language", "en", "--language", "de", "--all"),
        ("say", "--template", "call", "--var", "name", "--all"),
        ("say", "--template", "call", "--var", "=Kim", "--all"),
        ("say", "--template", "call", "--var", "a=1", "--var", "a=2", "--all"),
        ("say", "--template", "call", "--voice", "de", "--all"),
        ("announce", "play", "jingle"),
        ("announce", "play", "jingle", "--all", "--floor", "ground"),
        ("announce", "upload", "a.mp3", "b.mp3", "--title", "Both"),
        ("plays", "show", "--for", "3"),
        ("plays", "show", "nonsense"),
        ("plays", "why", "nonsense"),
        ("plays", "list", "--announcement", "nonsense"),
        ("queue", "--cancel", "nonsense"),
        ("proof", "list", "--announcement", "nonsense"),
        ("plays", "list", "--limit", "0"),
        ("voices", "preview", "de"),
        ("watch", "--for", "0"),
        ("speaker", "run"),
        ("login",),
    ],
)
def test_wrong_usage_has_status_2(environment: Path, arguments: tuple[str, ...]) -> None:
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert "Error: " in result.stderr
    assert result.stdout == ""


def test_what_is_no_id_is_said_to_be_none(environment: Path) -> None:
    told = " ".join(call("plays", "show", "nonsense").stderr.replace("│", " ").split())
    assert "'nonsense' is no id: `sync2gear plays list` shows them" in told


def test_the_password_is_no_option(environment: Path) -> None:
    assert call("login", "--email", "a@b.c", "--password", "x").exit_code == 2


# not logged in, unreachable


@pytest.mark.parametrize("arguments", [("zones",), ("whoami",), ("watch",), ("say", "x", "--all")])
def test_without_a_login_the_status_is_3(environment: Path, arguments: tuple[str, ...]) -> None:
    result = call(*arguments)
    assert result.exit_code == 3
    assert result.stderr.startswith("error: nobody is logged in at http://127.0.0.1:8080")
    assert result.stderr.endswith("(not_logged_in)\n")
    assert result.stdout == ""


def test_a_session_that_ended_has_status_3(environment: Path) -> None:
    session.keep("default", profile(seconds=-1))
    result = call("zones")
    assert result.exit_code == 3
    assert "(session_ended)" in result.stderr


@pytest.mark.parametrize("verb", ["zones", "watch"])
def test_a_platform_that_is_not_there_has_status_4(
    environment: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    monkeypatch.setenv("S2G_URL", url)
    monkeypatch.setenv("S2G_TOKEN", "any")
    result = call(verb)
    assert result.exit_code == 4
    assert result.stderr.startswith(f"error: cannot reach {url}")
    assert result.stderr.endswith("(unreachable)\n")


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[str]:
    """Some other web server."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("verb", ["zones", "watch"])
def test_something_else_on_the_port_has_status_4(
    environment: Path, monkeypatch: pytest.MonkeyPatch, stranger: str, verb: str
) -> None:
    monkeypatch.setenv("S2G_URL", stranger)
    monkeypatch.setenv("S2G_TOKEN", "any")
    result = call(verb)
    assert result.exit_code == 4
    assert stranger in result.stderr


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host",
        "host:8080",
        "http://",
        "http://kim:secret@host",
        "http://host:99999",
        "http://h?a",
    ],
)
def test_an_address_that_is_none_is_refused(environment: Path, url: str) -> None:
    result = call("login", "--email", "kim@example.com", "--url", url, given="secret\n")
    assert result.exit_code == 1
    assert "(bad_url)" in result.stderr


def test_a_password_over_the_open_network_is_warned_about(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S2G_PASSWORD", "secret")
    address = f"http://127.0.0.2:{closed_port()}"
    result = call("login", "--email", "kim@example.com", "--url", address)
    assert result.stderr.startswith(f"warning: {address} is not encrypted")
    assert "secret" not in result.output


# sessions


def test_a_session_is_kept_for_its_owner_only(environment: Path) -> None:
    file = session.keep("shop", profile("https://one.example"))
    session.keep("default", profile("https://two.example"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert session.connect("shop").url == "https://one.example"
    assert session.connect(None).url == "https://two.example"


def test_a_token_never_goes_to_another_address(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.keep("default", profile("https://one.example"))
    monkeypatch.setenv("S2G_URL", "https://elsewhere.example")
    with pytest.raises(Failure) as refused:
        session.connect(None)
    assert refused.value.code == "not_logged_in"
    monkeypatch.setenv("S2G_TOKEN", "given")
    connection = session.connect(None)
    assert (connection.url, connection.token) == ("https://elsewhere.example", "given")


def test_the_environment_chooses_the_profile(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.keep("shop", profile("https://one.example"))
    monkeypatch.setenv("S2G_PROFILE", "shop")
    assert session.connect(None).url == "https://one.example"


def test_logout_forgets_one_profile(environment: Path) -> None:
    session.keep("default", profile())
    session.keep("shop", profile())
    result = call("logout", "--json")
    assert json.loads(result.stdout) == {"profile": "default", "logged_out": True, "ended": False}
    assert "not ended at the platform" in result.stderr
    assert json.loads(call("logout", "--json").stdout)["logged_out"] is False
    assert list(session.load()) == ["shop"]


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"profiles": {"a": 1}}', "[" * 100_000, "\xff"]
)
def test_a_damaged_session_file_is_said_so(environment: Path, content: str) -> None:
    file = session.sessions_file()
    file.parent.mkdir()
    file.write_text(content, encoding="latin-1")
    result = call("zones")
    assert result.exit_code == 1
    assert "(bad_session_file)" in result.stderr
    assert str(file) in result.stderr


# names

ZONES = [
    {"id": "0199aa00-0000-7000-8000-000000000001", "name": "Bar"},
    {"id": "0199aa00-0000-7000-8000-000000000002", "name": "Barbecue"},
    {"id": "0199aa00-0000-7000-8000-000000000003", "name": "Straße"},
    {"id": "0199aa00-0000-7000-8000-000000000004", "name": "Lobby"},
    {"id": "0199aa00-0000-7000-8000-000000000005", "name": "Lobby"},
]


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ("Bar", 0),
        ("bAR", 0),
        ("barb", 1),
        ("  barbecue ", 1),
        ("STRASSE", 2),
        ("s", 2),
        ("0199AA00-0000-7000-8000-000000000005", 4),
    ],
)
def test_a_name_finds_its_zone(wanted: str, number: int) -> None:
    assert names.find("zone", ZONES, wanted) is ZONES[number]


def test_an_ambiguous_name_lists_the_candidates() -> None:
    with pytest.raises(Failure) as refused:
        names.find("zone", ZONES, "ba")
    assert refused.value.code == "zone_ambiguous"
    assert "Bar, Barbecue:" in refused.value.detail


def test_equal_names_are_told_apart_by_id() -> None:
    with pytest.raises(Failure) as refused:
        names.find("zone", ZONES, "lobby")
    assert f"Lobby [{ZONES[3]['id']}], Lobby [{ZONES[4]['id']}]" in refused.value.detail


@pytest.mark.parametrize("wanted", ["kitchen", "", "  "])
def test_an_unknown_name_is_refused(wanted: str) -> None:
    with pytest.raises(Failure) as refused:
        names.find("zone", ZONES, wanted)
    assert refused.value.code == "zone_unknown"


def test_a_name_is_found_by_its_own_spelling_and_without_accents() -> None:
    rows = [{"id": str(n), "name": name} for n, name in enumerate(["fire", "Fire", "Café", "Cafe"])]
    assert names.find("message", rows, "Fire") is rows[1]
    assert names.find("message", rows, "fire") is rows[0]
    with pytest.raises(Failure, match="say more of the name"):
        names.find("message", rows, "FIRE")
    assert names.find("zone", rows, "café") is rows[2]
    assert names.find("zone", rows, "CAFE") is rows[3]
    assert names.find("zone", rows[:3], "cafe") is rows[2]


def test_a_long_list_of_candidates_is_cut() -> None:
    many = [{"id": str(n), "name": f"Room {n}"} for n in range(500)]
    with pytest.raises(Failure, match="and 490 more"):
        names.find("zone", many, "room")


def test_one_named_twice_is_meant_once() -> None:
    assert names.find_all("zone", ZONES, ["bar", "barb", "BAR"]) == ZONES[:2]


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, unique_by=str.casefold))
def test_a_whole_name_always_finds_its_own(found: list[str]) -> None:
    rows = [{"id": f"id-{n}", "name": name} for n, name in enumerate(found)]
    for row in rows:
        if row["name"] == row["name"].strip():
            assert names.find("zone", rows, row["name"]) is row


# times and texts


@pytest.mark.parametrize(
    ("text", "millis"),
    [("0", 0), ("90", 90_000), ("90.5", 90_500), ("1:30", 90_000), ("1:02:03.004", 3_723_004)],
)
def test_a_position_is_read(text: str, millis: int) -> None:
    assert parse_position(text) == millis


@pytest.mark.parametrize(
    "text", ["", "-1", "1:60", "60:00:00:00", "1e3", "\u0661", "9" * 50, "1:2:3:4"]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_position(text)


@given(st.text())
def test_no_text_can_steer_the_terminal(text: str) -> None:
    shown = output.clean(text)
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)
    assert len(shown) == len(text)


def test_times_are_shown_as_the_clock_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert output.local_time("2026-07-21T09:43:33.709723Z") == "11:43:33.7"
        assert output.local_time("2026-07-21T22:43:33Z", day=True) == "2026-07-22 00:43:33"
    finally:
        monkeypatch.undo()
        time.tzset()


def view(*segments: dict[str, object]) -> dict[str, object]:
    return {
        "name": "Bar",
        "status": "playing",
        "volume": 40,
        "mute": True,
        "segments": list(segments),
        "speakers": {"online": 1, "total": 2},
    }


def test_paused_music_shows_where_it_stands() -> None:
    music = {"title": "", "artist": "", "sha256": "ab" * 32, "offset": 62 * 48_000}
    shown = {**view(), "music": {**music, "duration": 300 * 48_000}}
    assert zones.now_text(shown, 9) == "abababababab 1:02/5:00"


def segment(role: str, start: int, end: int, title: str, **more: object) -> dict[str, object]:
    base = {
        "role": role,
        "item": "i",
        "artist": "",
        "sha256": "ab" * 32,
        "start": start,
        "end": end,
        "title": title,
    }
    return {**base, "offset": 0, "duration": end - start, **more}


def test_a_voice_is_named_before_the_music_under_it() -> None:
    second = 48_000
    music = segment("music", 0, 300 * second, "Song", artist="Band", offset=5 * second)
    shown = view(music, segment("event", 10 * second, 20 * second, "Closing"))
    assert zones.now_text(shown, 9 * second) == "Song by Band 0:14/5:00"
    assert zones.now_text(shown, 12 * second) == "announcement: Closing 0:02/0:10"
    assert zones.now_text(shown, 300 * second) == "-"
    assert zones.row(shown, 0)[3:] == ("40 muted", "1/2")


# keys


def test_a_new_key_is_one_that_the_platform_takes() -> None:
    keys = [
        call("vault", "new-key").stdout.strip(),
        json.loads(call("vault", "new-key", "--json").stdout)["key"],
    ]
    assert len(set(keys)) == 2
    settings = Settings(secret_key=SecretStr("k" * 40), vault_keys=SecretStr(",".join(keys)))
    assert settings.vault_key_list == keys


class _Rotations(http.server.BaseHTTPRequestHandler):
    """A platform that rotates its vault, and is asked twice before it is done."""

    ends: ClassVar[dict[str, object]] = {}
    asked: ClassVar[list[str]] = []

    def _answer(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        running = {"id": "r1", "state": "running", "total": 9, "resealed": 4}
        body = json.dumps(self.ends if len(self.asked) > 2 else running).encode()
        self.send_response(202)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.mark.parametrize(
    ("ends", "status", "said"),
    [
        ({"state": "done", "total": 9, "resealed": 9}, 0, "9 resealed; nothing is left"),
        ({"state": "incomplete", "total": 9, "resealed": 7, "remaining": 2, "unreadable": 2}, 1,
         "2 secrets still lie under older keys"),
    ],
)  # fmt: skip
def test_a_rotation_is_followed_to_its_end(
    environment: Path, monkeypatch: pytest.MonkeyPatch, ends: dict[str, object], status: int,
    said: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(_Rotations, "ends", {"id": "r1", **ends})
    monkeypatch.setattr(_Rotations, "asked", [])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Rotations) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("S2G_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("S2G_TOKEN", "any")
        result = call("vault", "rotate")
        server.shutdown()
    assert result.exit_code == status
    assert said in result.output
    assert _Rotations.asked == [
        "POST /api/v1/admin/vault/rotate/", *["GET /api/v1/admin/vault/rotations/r1/"] * 2
    ]  # fmt: skip


# files


def broken_off() -> Iterator[bytes]:
    yield b"half of it"
    raise Failure("cannot read on", "unreachable")


def test_a_file_that_is_taken_away_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "trail.csv"
    with pytest.raises(Failure, match="cannot read on"):
        output.pour(broken_off(), target)
    assert not target.exists()
    output.pour(iter([b"all ", b"of it"]), target)
    with pytest.raises(Failure, match="File exists"):
        output.pour(iter([b"another"]), target)
    assert target.read_bytes() == b"all of it"


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "plan.yaml"
    output.save(b"first", target)
    output.save(b"second", target)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [
        ("plan.yaml", b"second")
    ]
    with pytest.raises(Failure, match="No such file or directory"):
        output.save(b"third", tmp_path / "nowhere" / "plan.yaml")
