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
    answer("say", "And then this.", "--zone", "Café")
    (there,) = answer("queue", "Café")["results"]
    assert [entry["title"][:8] for entry in there["entries"]] == ["We have ", "And then"]
    assert "And then this." in call("queue").stdout
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
    announcement = said["announcement"]["id"]
    made = answer("emergency", "prepare", "Evacuate", announcement, "--volume", "80")
    assert made["volume"] == 80
    assert "Evacuate" in call("emergency", "messages").stdout
    asked = call("emergency", "raise", "evac", "--everywhere")
    assert asked.exit_code == 2, "nobody is there to be asked"
    raised = answer("emergency", "raise", "evac", "--everywhere", "--drill", "--yes")
    assert (raised["active"], raised["drill"], len(raised["zone_ids"])) == (True, True, 2)
    assert "drill" in call("emergency", "list", "--active").stdout
    assert answer("emergency", "clear")["active"] is False
    assert call("emergency", "list", "--active").stdout.strip() == "None."
    both = call("emergency", "raise", "evac", "--everywhere", "--zone", "Café", "--yes")
    assert both.exit_code == 2
