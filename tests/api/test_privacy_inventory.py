"""Every table and every column that may be somebody's is known to exporting and erasing."""

import re

from sync2gear_platform.privacy import inventory
from sync2gear_platform.tables import metadata

PERSONAL = re.compile(
    r"(^|_)(e?mail|name|phone|address|agent|label|recipient|account|actor|subject|user|filename"
    r"|created_by|requested_by|invited_by|owner|picture|image)(_id|$)"
)
SECRET = re.compile(r"(^|_)(secret|password|hash|salt|sealed|code)(_|$)")


def columns() -> list[str]:
    return inventory.listed(c for t in metadata.sorted_tables for c in t.columns)


def test_every_table_is_a_clients_a_persons_or_the_installations() -> None:
    for table in metadata.sorted_tables:
        classified = [
            "client_id" in table.c or table.name == "clients",
            inventory.is_personal(table),
            table.name in inventory.INSTALLATION,
        ]
        assert any(classified), f"say in privacy/inventory.py whose {table.name} is"
        assert not (classified[2] and any(classified[:2])), table.name
    for name in (*inventory.INSTALLATION, *inventory.PASSING, *inventory.TRACES):
        assert name in metadata.tables, name


def test_every_column_that_looks_personal_is_known() -> None:
    unknown = []
    for table in metadata.sorted_tables:
        traces = inventory.TRACES.get(table.name, ())
        keys = [k for c in inventory.references(table) for k in c.foreign_keys]
        if any(not t.kept for t in traces) or any(k.ondelete == "CASCADE" for k in keys):
            continue  # the whole row is a person's, and goes
        known = {c.name for c in inventory.references(table)} | {t.column for t in traces}
        looks = {c.name for c in table.columns if PERSONAL.search(c.name)} - known
        unknown += [f"{table.name}.{name}" for name in looks]
    unknown = sorted(set(unknown) - inventory.THINGS - set(inventory.NOT_PERSONAL))
    assert unknown == [], "say in privacy/inventory.py what these are"


def test_what_is_listed_exists() -> None:
    listed = {*inventory.THINGS, *inventory.NOT_PERSONAL}
    listed |= {f"{t}.{one.column}" for t, found in inventory.TRACES.items() for one in found}
    listed |= {f"{t}.{column}" for t, (column, _) in inventory.THROUGH.items()}
    assert listed <= set(columns())
    assert {name.partition(".")[2] for name in columns()} >= inventory.SECRETS


def test_no_secret_is_ever_shown() -> None:
    for table in metadata.sorted_tables:
        shown = {c.name for c in inventory.shown(table)}
        assert not {c.name for c in table.c if c.info.get("sealed")} & shown
        if table.name in inventory.INSTALLATION:
            continue
        bare = {name for name in shown if SECRET.search(name)}
        assert bare <= {"code", "failure_code"}, f"{table.name}: {bare}"


def test_the_database_itself_lets_go_of_a_person_and_of_a_client() -> None:
    for table in metadata.sorted_tables:
        for column in table.columns:
            for key in column.foreign_keys:
                if key.column.table.name == "users":
                    assert key.ondelete in {"CASCADE", "SET NULL"}, column
                if key.column.table.name == "clients" and table.name != "audit_entries":
                    assert key.ondelete == "CASCADE", column
