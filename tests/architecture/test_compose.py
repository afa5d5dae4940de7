"""docker-compose.yml, Dockerfile and environment agree with the code and with each other."""

import re
import shlex
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.main import get_command

from sync2gear_broker import access
from sync2gear_cli.main import app

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def code_of_environment() -> str:
    """Everything that reads ``S2G_`` variables, as one text in upper case."""
    sources = [
        ROOT / "platform/sync2gear_platform/settings.py",
        ROOT / "firmware_py/sync2gear_firmware/settings.py",
        *(ROOT / "cli/sync2gear_cli").rglob("*.py"),
        ROOT / "mosquitto/entrypoint.sh",
        ROOT / "docker-compose.yml",
    ]
    return "\n".join(source.read_text() for source in sources)


def is_read(name: str, text: str) -> bool:
    """Whether a settings field or a literal of this variable exists."""
    field = name.removeprefix("S2G_SPEAKER_").removeprefix("S2G_").lower()
    return name in text or re.search(rf"^    {field}:", text, re.MULTILINE) is not None


def compose_command() -> list[str]:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and (
            subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0
        ):
            return command
    raise AssertionError(
        "neither `docker compose` nor docker-compose: run scripts/setup --for-tests"
    )


@pytest.mark.parametrize("env_file", [None, ".env.example"])
def test_compose_accepts_the_file(env_file: str | None, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    chosen = str(ROOT / env_file) if env_file else str(tmp_path / "empty")
    done = subprocess.run(
        [*compose_command(), "--env-file", chosen, "-f", "docker-compose.yml", "config"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == set(SERVICES)


def test_the_whole_product_is_in_it() -> None:
    assert set(SERVICES) == {
        "postgres", "mosquitto", "certificates", "migrate", "api", "worker", "seed", "speaker",
    }  # fmt: skip


def test_every_program_exists() -> None:
    for name in ("migrate", "api", "worker", "seed", "speaker"):
        python, dash_m, module, *verb = SERVICES[name]["command"]
        assert (python, dash_m) == ("python", "-m")
        assert find_spec(f"{module}.__main__")
        assert verb == ([] if name == "speaker" else [name])


def test_certificates_are_made_by_the_command_line() -> None:
    program, *arguments = SERVICES["certificates"]["command"]
    assert program == "sync2gear"
    group = get_command(app)
    command = group.get_command(typer.Context(group), arguments[0])  # type: ignore[attr-defined]  # a group
    assert {arguments[1]} <= set(command.commands)
    options = {name for option in command.commands[arguments[1]].params for name in option.opts}
    assert set(arguments[2:]) <= options


def test_every_dependency_waits_for_the_right_thing() -> None:
    for service in SERVICES.values():
        for other, wish in service.get("depends_on", {}).items():
            if wish["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other]
            else:
                assert wish["condition"] == "service_completed_successfully"
                assert SERVICES[other]["restart"] == "no"


def test_every_variable_is_read_by_the_code() -> None:
    text = code_of_environment()
    names = set(re.findall(r"\bS2G_[A-Z_]+\b", DOCKERFILE + (ROOT / ".env.example").read_text()))
    for service in SERVICES.values():
        names |= {name for name in service.get("environment", {}) if name.startswith("S2G_")}
    assert len(names) > 15
    assert [name for name in sorted(names) if not is_read(name, text)] == []


def test_every_variable_that_compose_asks_for_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", (ROOT / "docker-compose.yml").read_text()))
    missing = {name for name in asked if not re.search(rf"^#?{name}=", example, re.MULTILINE)}
    assert missing - {"S2G_MEDIA_URL"} == set()
    assert "S2G_MEDIA_URL" in example


def test_the_dashboard_and_the_devices_listener_are_published_and_encrypted_for_others() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "api": ["127.0.0.1:8080:8080", "8443:8443"],
        "mosquitto": ["127.0.0.1:1883:1883", "8883:8883"],
    }
    assert "EXPOSE 8080 8443" in DOCKERFILE
    assert "S2G_HTTP_PORT=8080" in DOCKERFILE


def test_every_mounted_file_and_volume_exists() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists()
            else:
                assert source in COMPOSE["volumes"]


def test_images_are_pinned_and_the_bad_broker_is_not_among_them() -> None:
    for name, service in SERVICES.items():
        image, _, tag = service["image"].partition(":")
        assert tag, name
        assert image == "sync2gear" or tag != "latest"
    # 2.0.16 read a limit of 0 as "nothing"; before 2.0.15 expired messages jam a queue.
    version = SERVICES["mosquitto"]["image"].rpartition(":")[2]
    assert tuple(map(int, version.split("."))) >= (2, 0, 18)
    assert int(re.findall(r"\d+", SERVICES["postgres"]["image"])[0]) >= 15


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignore[0] == "*"
    let_in = {line[1:] for line in ignore if line.startswith("!")}
    for line in DOCKERFILE.splitlines():
        if not line.startswith("COPY") or "--from=" in line:
            continue
        for source in shlex.split(line)[1:-1]:
            assert (ROOT / source).exists(), line
            assert source.split("/")[0] in let_in, line


def test_one_version_of_uv() -> None:
    setup = (ROOT / "scripts/setup").read_text()
    pinned = re.search(r"^UV_VERSION=(\S+)$", setup, re.MULTILINE)
    assert pinned
    assert f"uv=={pinned[1]}" in DOCKERFILE


def test_the_lock_names_no_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert "--hash=sha256:" in lock


def test_the_brokers_files_are_those_of_the_code() -> None:
    assert (ROOT / "mosquitto/acl").read_text() == access.acl_file(["platform"])
    template = "".join(
        (ROOT / f"mosquitto/{name}.conf").read_text() for name in ("mosquitto", "tls")
    )
    entrypoint = (ROOT / "mosquitto/entrypoint.sh").read_text()
    assert set(re.findall(r"s\|\\\$\{(\w+)\}\|", entrypoint)) == set(
        re.findall(r"\$\{(\w+)\}", template)
    )
