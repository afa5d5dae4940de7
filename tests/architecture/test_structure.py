"""What must stay true of the tree itself."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "broker/sync2gear_broker",
    "platform/sync2gear_platform",
    "firmware_py/sync2gear_firmware",
    "cli/sync2gear_cli",
)
MODULES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
MAX_LINES = 400


def tracked() -> list[str]:
    """The files that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.check_output(command, cwd=ROOT, text=True).splitlines()


def test_nothing_shadows_the_standard_library_module_platform() -> None:
    """``platform/`` is a plain folder: a package or a test in it would hide ``platform``."""
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert not (ROOT / "tests" / "platform").exists()
    assert [
        p for p in (ROOT / "platform").glob("**/test_*.py") if "node_modules" not in str(p)
    ] == []
    code = "import platform; print(platform.python_version())"
    answer = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert answer.startswith("3.")


def test_test_files_have_names_of_their_own_and_no_packages() -> None:
    files = list((ROOT / "tests").rglob("test_*.py"))
    assert len({f.name for f in files}) == len(files)
    packages = {p.parent.name for p in (ROOT / "tests").rglob("__init__.py")}
    assert packages <= {"support"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_it_owns_and_stays_readable(path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), "begins with a docstring"
    if "migrations/versions" not in str(path):
        assert len(text.splitlines()) <= MAX_LINES, "is there a second subject inside?"


def imports(path: Path) -> set[str]:
    """The modules that a file imports, by their full names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_one_file_speaks_mqtt_in_each_program() -> None:
    users = {
        str(p.relative_to(ROOT))
        for p in MODULES
        if {name.split(".")[0] for name in imports(p)} & {"aiomqtt", "paho"}
    }
    assert users == {
        "platform/sync2gear_platform/kit/mqtt.py",
        "firmware_py/sync2gear_firmware/link.py",
    }


def test_topics_are_spelled_in_one_file() -> None:
    spelled = [
        str(p.relative_to(ROOT))
        for p in MODULES
        if "s2g/1" in p.read_text() and "topics.py" not in p.name
    ]
    assert spelled == []


CLOCKS = ("time.time(", "time.time_ns(", "datetime.now(", "datetime.utcnow(", "time.monotonic(")
MAY_READ_CLOCKS = (
    "kit/clock.py",
    "kit/ids.py",
    "sync2gear_firmware/agent.py",
    "sync2gear_firmware/player.py",
    "sync2gear_firmware/players/",
    "sync2gear_firmware/link.py",
    "sync2gear_cli/",
)


def test_wall_clocks_are_read_at_the_edge_only() -> None:
    """Wall time comes from kit/clock.py and the speaker's agent; everybody else is told."""
    readers = [
        str(p.relative_to(ROOT))
        for p in MODULES
        if any(word in p.read_text() for word in CLOCKS[:4])
        and not any(place in str(p) for place in MAY_READ_CLOCKS)
    ]
    assert readers == []


PURE = ("rules.py", "engine.py")


@pytest.mark.parametrize(
    "path",
    [
        p
        for p in MODULES
        if p.name in PURE
        or "sync2gear_broker" in str(p)
        or str(p).endswith(("sync2gear_firmware/state.py", "sync2gear_firmware/clock.py"))
    ],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_the_core_is_pure(path: Path) -> None:
    """No I/O, no clock, no randomness in what decides."""
    forbidden = {
        "asyncio", "os", "socket", "subprocess", "threading", "time", "secrets",
        "sqlmodel", "sqlalchemy", "fastapi", "aiomqtt", "paho", "httpx2", "logging", "structlog",
    }  # fmt: skip
    if path.name == "asyncapi.py":
        return
    assert {name.split(".")[0] for name in imports(path)} & forbidden == set()
    assert re.findall(r"\brandom\.(?!Random\()", path.read_text()) == [], "a seed is an argument"


def tables_of(domain: str) -> set[str]:
    """The names of the table classes of a domain."""
    path = ROOT / f"platform/sync2gear_platform/{domain}/tables.py"
    tree = ast.parse(path.read_text())
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(k.arg == "table" for k in node.keywords)
    }


def test_every_tenant_table_is_fenced_by_a_migration() -> None:
    versions = ROOT / "platform/sync2gear_platform/migrations/versions"
    text = "\n".join(p.read_text() for p in versions.glob("*.py"))
    from sync2gear_platform.tables import metadata

    for table in metadata.tables.values():
        if "client_id" in table.columns:
            assert f'"{table.name}"' in text, table.name


def test_no_private_address_of_anybody_is_committed() -> None:
    """No registry's host, no machine's path."""
    assert "://" not in (ROOT / "requirements.lock").read_text()
    lock = ROOT / "platform" / "web" / "package-lock.json"
    if lock.exists():
        assert '"resolved": "http' not in lock.read_text()


def test_every_route_writes_down_what_it_changes() -> None:
    """Every service that adds or changes rows records it."""
    for path in (ROOT / "platform/sync2gear_platform").glob("*/service.py"):
        if path.parent.name == "audit":
            continue
        text = path.read_text()
        if "ctx.db.add" in text or "rows.new" in text or "rows.change" in text:
            assert "audit.record(" in text, path


def test_the_migrations_have_one_head() -> None:
    folder = ROOT / "platform/sync2gear_platform/migrations/versions"
    text = {path.stem[:4]: path.read_text() for path in folder.glob("[0-9]*.py")}
    before = {re.search(r'^down_revision = "?(\w+)"?', t, re.MULTILINE)[1] for t in text.values()}
    assert len(set(text) - before) == 1
