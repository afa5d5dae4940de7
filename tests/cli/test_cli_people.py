"""Sessions that renew themselves, people and keys, and what the installation's own people see."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner, Result

from support.stack import Stack
from sync2gear_cli import session
from sync2gear_cli.main import app

pytestmark = pytest.mark.timeout(180)
COMMAND = str(Path(sys.executable).with_name("sync2gear"))


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """An installation with its demonstration."""
    running = Stack.start()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def logged_in(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manager is logged in; sessions are kept in the test's own folder."""
    for name in list(os.environ):
        if name.startswith("S2G_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("S2G_CONFIG_DIR", str(tmp_path))
    log_in(stack, stack.email, stack.password)


def log_in(stack: Stack, email: str, password: str) -> None:
    result = call("login", "--url", stack.base_url, "--email", email, given=password + "\n")
    assert result.exit_code == 0, result.output


def call(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=given)


def answer(*arguments: str) -> Any:
    """The one JSON document of a command that succeeds."""
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def age(**values: Any) -> session.Profile:
    """Change what is kept of the session, as time and accidents do; what it was."""
    file = session.sessions_file()
    kept = json.loads(file.read_text())
    before = session.load()["default"]
    kept["profiles"]["default"] |= values
    file.write_text(json.dumps(kept))
    return before


def test_terminals_that_renew_at_once_keep_one_session(stack: Stack) -> None:
    for _ in range(2):
        before = age(expires_at=0)
        running = [
            subprocess.Popen([COMMAND, "zones", "--json"], stdout=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        told = [one.communicate(timeout=60)[0] for one in running]
        assert [one.returncode for one in running] == [0] * 4
        assert all(json.loads(text)["results"] for text in told)
        after = session.load()["default"]
        assert after.refresh != before.refresh
        assert after.expires_at > before.expires_at - 60


def test_a_token_that_is_refused_before_its_time_is_renewed_too(stack: Stack) -> None:
    age(token="not.a.token")
    assert answer("whoami")["user"]["email"] == stack.email
    assert session.load()["default"].token != "not.a.token"


def test_a_session_that_cannot_be_renewed_has_ended(stack: Stack) -> None:
    before = age(expires_at=0, refresh="s2r_nonsense")
    result = call("zones")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "sync2gear login" in result.stderr
    age(expires_at=before.expires_at, refresh=before.refresh)
    assert call("zones").exit_code == 0


def test_logout_ends_the_session_at_the_platform(stack: Stack) -> None:
    kept = session.load()["default"]
    assert answer("logout") == {"profile": "default", "logged_out": True, "ended": True}
    with httpx2.Client(base_url=stack.base_url) as http:
        headers = {"Authorization": f"Bearer {kept.token}"}
        assert http.get("/api/v1/auth/me/", headers=headers).status_code == 401
        refresh = {"refresh": kept.refresh}
        assert http.post("/api/v1/auth/refresh/", json=refresh).status_code == 401


def test_people_are_listed_and_invited(stack: Stack) -> None:
    assert [one["email"] for one in answer("users")["results"]] == [stack.email]
    assert stack.email in call("users").stdout
    name = stack.zones[0]["name"]
    made = answer("invite", "lee@example.com", "--role", "floor", "--zone", name)
    assert (made["role"], made["zone_id"]) == ("floor", stack.zones[0]["id"])
    shown = call("invite", "kim@example.com").stdout
    assert shown.startswith("kim@example.com is invited as client until ")
    with stack.http() as http:
        [place, *_] = http.get("/api/v1/locations/").json()["results"]
    there = answer("invite", "ana@example.com", "--role", "floor", "--location", place["name"])
    assert there["location_id"] == place["id"]
    nowhere = call("invite", "ana@example.com", "--role", "floor", "--floor", "the ninth")
    assert nowhere.exit_code == 1
    assert "(floor_unknown)" in nowhere.stderr
    refused = call("invite", "kim@example.com", "--role", "king")
    assert refused.exit_code == 1
    assert "(unknown_role)" in refused.stderr


def test_a_key_is_shown_once_and_works_until_it_is_revoked(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = call("tokens", "create", "till", "--may", "zones.read", "--may", "playback.read")
    key = made.stdout.strip()
    assert key.startswith("s2t_"), made.output
    listed = call("tokens", "list")
    assert "till" in listed.stdout
    assert key not in listed.stdout + json.dumps(answer("tokens", "list"))
    with monkeypatch.context() as other:
        other.setenv("S2G_TOKEN", key)
        other.setenv("S2G_URL", stack.base_url)
        assert call("zones").exit_code == 0
        assert call("users").exit_code == 1
    assert call("tokens", "revoke", "till").exit_code == 2, "nobody can be asked"
    assert call("tokens", "revoke", "till", "--yes").stdout == "till is revoked.\n"
    with monkeypatch.context() as other:
        other.setenv("S2G_TOKEN", key)
        other.setenv("S2G_URL", stack.base_url)
        assert call("zones").exit_code == 3
    assert answer("tokens", "list")["results"] == []


def test_the_first_administrator_sees_all_clients(stack: Stack) -> None:
    refused = call("admin", "stats")
    assert refused.exit_code == 1
    assert "(forbidden)" in refused.stderr
    link = stack._run("create-admin", "--email", "root@example.com").splitlines()[0]
    body = {"token": link.rpartition("token=")[2], "new_password": "correct horse battery"}
    with httpx2.Client(base_url=stack.base_url) as http:
        done = http.post("/api/v1/auth/password-reset/confirm/", json=body)
    assert done.status_code == 204, done.text
    log_in(stack, "root@example.com", "correct horse battery")
    assert call("whoami").stdout.startswith("root@example.com (root@example.com), admin at ")
    stats = answer("admin", "stats")
    assert (stats["clients"]["active"], stats["users"]["staff"]) == (1, 2)
    assert "1 active" in call("admin", "stats").stdout
    [client] = answer("admin", "clients")["results"]
    assert (client["name"], client["devices"]) == ("Demo", 3)
    assert "Demo" in call("admin", "clients", "--search", "dem").stdout
    assert answer("admin", "clients", "--deleted")["results"] == []
    table = stack._run("report", "--format", "csv")
    assert table.splitlines()[1].startswith('"Demo","active","1","3"')
