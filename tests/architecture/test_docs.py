"""Documents name what exists: files, commands, settings, targets, decisions, events."""

import os
import re
import shlex
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from sync2gear_cli.main import VERBS, app
from sync2gear_firmware.settings import Settings as SpeakerSettings
from sync2gear_platform.schedules.document_schemas import DocumentIn
from sync2gear_platform.settings import Settings as PlatformSettings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("mosquitto/*.md")],
    key=lambda path: path.relative_to(ROOT).as_posix(),
)
MADE_LATER = ("platform/web/dist", "benchmarks/results/", "dist/")
TOP = {path.name for path in ROOT.iterdir()}
ADDRESS = re.compile(r"^(https?:|mailto:|#)")

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix()
)


def code(text: str) -> Iterator[str]:
    """What stands between backticks in running text."""
    return (
        match[1]
        for match in re.finditer(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    )


def named_paths(text: str) -> Iterator[str]:
    """Words between backticks that name a file or folder of this repository."""
    for words in code(text):
        for word in words.split():
            top, slash, _ = word.partition("/")
            if slash and top in TOP and re.fullmatch(r"[\w./-]+", word):
                yield word


@each_document
def test_every_file_that_is_named_exists(document: Path) -> None:
    missing = [
        name
        for name in named_paths(document.read_text(encoding="utf-8"))
        if not name.startswith(MADE_LATER) and not (ROOT / name).exists()
    ]
    assert missing == []


@each_document
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    missing = [
        target
        for target in targets
        if not ADDRESS.match(target) and not (document.parent / target.split("#")[0]).exists()
    ]
    assert missing == []


@each_document
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(
        re.findall(r"^([a-z-]+)(?: [a-z-]+)*:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    )
    benches = {f"bench-{path.stem}" for path in (ROOT / "benchmarks").glob("*.py")}
    text = document.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z]+(?:-[a-z]+)*)", text, re.MULTILINE))
    assert named <= targets | benches


def settings() -> Iterator[str]:
    for model, prefix in ((PlatformSettings, "S2G_"), (SpeakerSettings, "S2G_SPEAKER_")):
        for name in model.model_fields:
            yield f"{prefix}{name.upper()}"


def test_every_setting_is_documented() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    assert [name for name in settings() if f"| `{name}` |" not in text] == []


def test_every_variable_that_the_command_line_reads_is_documented() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    read: set[str] = set()
    for path in (ROOT / "cli").rglob("*.py"):
        read |= set(re.findall(r'"(S2G_[A-Z_]+)"', path.read_text(encoding="utf-8")))
    assert [name for name in sorted(read) if f"`{name}`" not in text] == []


def test_no_setting_is_documented_that_nobody_reads() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(S2G_[A-Z_]+)` \|", text, re.MULTILINE))
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "cli").rglob("*.py"))
    read = set(re.findall(r'"(S2G_[A-Z_]+)"', sources))
    assert documented - set(settings()) - read == set()


def commands() -> Iterator[tuple[str, Any]]:
    """``(words, command)`` of every command, such as ``speaker run``."""
    group: Any = get_command(app)
    context = group.make_context("sync2gear", ["--help"], resilient_parsing=True)
    for verb in VERBS:
        command = group.get_command(context, verb)
        if hasattr(command, "commands"):
            for name, inner in command.commands.items():
                yield f"{verb} {name}", inner
        else:
            yield verb, command


def test_every_command_and_option_is_documented() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    rows = {
        match[1]: match[0]
        for match in re.finditer(r"^\| `sync2gear ([a-z]+(?: [a-z-]+)?)\b.*$", text, re.MULTILINE)
    }
    for words, command in commands():
        assert words in rows, words
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "as_json":
                names = [*parameter.opts, *parameter.secondary_opts]
                for name in (one for one in names if one.startswith("--") and one != "--help"):
                    assert name in rows[words], f"{words} {name}"
    assert set(rows) == {words for words, _ in commands()}


def test_every_line_of_the_log_that_operators_look_for_is_written() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    faults = text.split("## Faults")[1].split("\n## ")[0]
    wanted = set(re.findall(r"`([a-z]+\.[a-z_]+)`", faults))
    wanted |= set(re.findall(r"log: `([^`]+)`", faults))
    sources = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("platform/sync2gear_platform", "cli", "firmware_py")
        for path in (ROOT / folder).rglob("*.py")
    )
    assert wanted
    assert [words for words in sorted(wanted - {"ports.json"}) if words not in sources] == []


def test_decisions_are_short_numbered_and_listed() -> None:
    records = sorted((DOCS / "adr").glob("[0-9]*.md"))
    index = (DOCS / "adr" / "README.md").read_text(encoding="utf-8")
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 40, path.name
        assert lines[0].startswith(f"# {int(path.name[:4])}. ")
        assert f"]({path.name})" in index


def test_the_layers_are_those_that_are_enforced() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    drawn = text.split("## Layers")[1].split("```")[1].strip().splitlines()
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = next(
        contract["layers"]
        for contract in contracts["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    assert drawn == layers


def test_the_ports_are_those_that_are_tried_first() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| (\d{4,5}) \|", text, re.MULTILINE))
    source = (ROOT / "cli/sync2gear_cli/services/stack.py").read_text(encoding="utf-8")
    preferred = re.search(r"_PORT = ((?:\d+, )*\d+)$", source, re.MULTILINE)
    assert preferred is not None
    assert named == set(preferred[1].split(", "))


def test_the_table_of_events_names_every_noun() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    table = text.split("## Events")[1].split("\n## ")[0]
    named = set(
        re.findall(r"`([a-z]+)`", "".join(re.findall(r"^\| (`[^|]+)\|", table, re.MULTILINE)))
    )
    told: set[str] = set()
    for path in (ROOT / "platform" / "sync2gear_platform").rglob("*.py"):
        told |= set(re.findall(r'events\.changed\(\s*ctx, "([a-z]+)"', path.read_text()))
    assert told
    assert told <= named


@pytest.mark.parametrize("name", [path.name for path in (DOCS / "journeys").glob("*.md")])
def test_a_journey_walks_in_order_through_the_programs(name: str) -> None:
    text = (DOCS / "journeys" / name).read_text(encoding="utf-8")
    tops = {name.partition("/")[0] for name in named_paths(text)}
    assert {"platform", "firmware_py"} <= tops
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", text, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_journeys_commands_and_documents_are_real() -> None:
    text = (DOCS / "journeys" / "christmas.md").read_text(encoding="utf-8")
    known = dict(commands())
    lines = re.findall(r"^ *sync2gear (.+)$", text, re.MULTILINE)
    assert len(lines) > 10
    for line in lines:
        words = shlex.split(line)
        verb = words[0] if words[0] in known else " ".join(words[:2])
        given = words[len(verb.split()) :]
        # parsed as the program would, without doing anything: an unknown option fails
        known[verb].make_context(verb, given)
    written = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(written) == 2
    for document in written:
        DocumentIn.model_validate(yaml.safe_load(textwrap.dedent(document)))


def test_no_document_names_a_machine() -> None:
    home = os.environ.get("HOME", "/root")
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        assert f"{home}/" not in text
        assert str(ROOT) not in text
