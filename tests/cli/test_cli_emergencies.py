"""Emergencies and the queue on the command line, against a running installation."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from support.stack import Stack, wait_until
from sync2gear_cli.main import app

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """An installation with its two zones."""
    running = Stack.start()
    yield running
    running.stop()


@pytest.fixture
def logged_in(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manager is logged in."""
    monkeypatch.setenv("S2G_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
    arguments = ["login", "--url", stack.base_url, "--email", stack.email]
    result = CliRunner().invoke(app, arguments, input=stack.password + "\n")
    assert result.exit_code == 0, result.output


def test_the_queue_is_shown_and_cleared(logged_in: None) -> None:
    assert "Nothing is announced" in call("queue").stdout
    said = "We have so much to tell you that this takes a good while. " * 10
    answer("say", said, "--zone", "Café")
    behind = call("say", "And then this.", "--all").stdout
    assert "Café: from " in behind
    assert behind.count("behind what is announced there") == 1, "only where something is"
    (there,) = answer("queue", "Café")["results"]
    assert [entry["title"][:8] for entry in there["entries"]] == ["We have ", "And then"]
    assert "And then this." in call("queue").stdout
    later = answer("say", "Taken back.", "--zone", "Café", "--delay", "60", "--timeout", "3600")
    play_id = later["plays"][0]["play_id"]
    assert "Taken back." in call("queue").stdout
    elsewhere = next(one for one in answer("zones")["results"] if one["name"] != "Café")["name"]
    assert call("queue", elsewhere, "--cancel", play_id).stderr.endswith("(no_such_event)\n")
    assert "Taken back." not in call("queue", "--cancel", play_id).stdout
    assert answer("plays", "show", play_id)["zones"][0]["cancelled_at"] is not None
    call("say", "More urgent, and the first one is gone.", "--zone", "Café", "--priority", "90")
    (there,) = answer("queue", "Café")["results"]
    assert 90 in {entry["priority"] for entry in there["entries"]}
    assert call("queue", "Café", "--clear", "--cancel", play_id).exit_code == 2
    assert call("say", "x", "--all", "--priority", "101").exit_code == 2
    assert call("queue", "--clear").exit_code == 2
    call("queue", "Café", "--clear")
    wait_until(lambda: not answer("queue")["results"], "the queue is empty", every=0.5)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def answer(*arguments: str) -> Any:
    """The one JSON document of a command that succeeds."""
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_an_emergency_is_prepared_raised_and_cleared(logged_in: None) -> None:
    none = call("emergency", "clear")
    assert none.exit_code == 1
    assert none.stderr == "error: none is active (not_found)\n"
    said = answer("say", "Please leave the building.", "--zone", "Café")
    assert said["plays"]
    made = answer("emergency", "prepare", "Evacuate", "please leave", "--volume", "80")
    assert made["volume"] == 80
    assert "Evacuate" in call("emergency", "messages").stdout
    asked = call("emergency", "raise", "evac", "--everywhere")
    assert asked.exit_code == 2, "nobody is there to be asked"
    raised = answer("emergency", "raise", "evac", "--everywhere", "--drill", "--yes")
    assert (raised["active"], raised["drill"], len(raised["zone_ids"])) == (True, True, 2)
    assert "drill" in call("emergency", "list", "--active").stdout
    wait_until(lambda: call("zones").stdout.count("drill: ") == 2, "both zones sound a drill")
    assert "emergency: " not in call("zones").stdout
    waits = call("say", "Nobody hears this yet.", "--zone", "Café").stdout
    assert waits.startswith("Café: as soon as what stands above it is over\n")
    answer("emergency", "raise", "evac", "--zone", "Café", "--yes")
    both = call("emergency", "clear").stderr
    assert "say which: emergency 'Evacuate' [" in both
    assert f"drill 'Evacuate' [{raised['id']}]" in both
    assert call("emergency", "clear", "evac").stderr.endswith("(emergency_ambiguous)\n")
    assert answer("emergency", "clear", raised["id"])["active"] is False
    assert call("emergency", "clear", raised["id"]).stderr.endswith("(emergency_over)\n")
    assert call("emergency", "clear", "evac").stdout == "Evacuate is over\n"
    assert call("emergency", "list", "--active").stdout.strip() == "None."
    both = call("emergency", "raise", "evac", "--everywhere", "--zone", "Café", "--yes")
    assert both.exit_code == 2
