"""The permission matrix and what follows from it, as laws."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_platform.identity import rules
from sync2gear_platform.identity.rules import Failures, Grant
from sync2gear_platform.kit.context import SELF

PLACES = [UUID(int=n) for n in range(1, 5)]
GRANTS = st.lists(
    st.builds(Grant, st.sampled_from(sorted(rules.MEMBER_ROLES)), st.sampled_from([None, *PLACES])),
    max_size=6,
)


@given(GRANTS)
def test_what_one_assignment_gives_no_other_takes_away(grants: list[Grant]) -> None:
    may, confined = rules.allowed(grants)
    for grant in grants:
        alone, places = rules.allowed([grant])
        assert alone <= may
        for permission in alone:
            here = places.get(permission)
            wide = confined.get(permission)
            assert wide is None or (here is not None and here <= wide)


@given(GRANTS)
def test_nothing_is_given_that_no_role_holds(grants: list[Grant]) -> None:
    may, confined = rules.allowed(grants)
    held = frozenset().union(*(rules.permissions(g.role) for g in grants))
    assert may - {SELF} <= held
    assert set(confined) <= may
    assert all(rules.is_placed(p) and places <= set(PLACES) for p, places in confined.items())
    everywhere = {g.role for g in grants if g.place is None}
    for permission in may - confined.keys() - {SELF}:
        whole = any(permission in rules.permissions(role) for role in everywhere)
        assert whole or rules.is_shared(permission)


def test_a_place_gives_nothing_that_concerns_the_whole_client() -> None:
    may, confined = rules.allowed([Grant("client", PLACES[0])])
    assert not may & rules.MANAGE
    assert not may & {"music.write", "announcements.write"}
    assert {"music.read", "zones.write", "announce.now"} <= may
    assert confined["zones.write"] == {PLACES[0]}
    assert "music.read" not in confined


def test_no_member_and_no_token_rules_the_installation() -> None:
    for role in rules.MEMBER_ROLES:
        assert not rules.permissions(role) & rules.INSTALLATION
    assert not rules.GRANTABLE & rules.INSTALLATION
    assert not rules.GRANTABLE & {"device.fetch", "mqtt.say", SELF, "public"}
    assert rules.permissions("nobody") == frozenset()


DAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("status", "start", "end", "expected"),
    [
        ("active", None, None, "active"),
        ("active", DAY, DAY, "active"),
        ("active", DAY + timedelta(days=1), None, "suspended"),
        ("active", None, DAY - timedelta(days=1), "suspended"),
        ("suspended", None, None, "suspended"),
        ("cancelled", DAY + timedelta(days=1), None, "cancelled"),
    ],
)
def test_how_a_client_stands(
    status: str, start: date | None, end: date | None, expected: str
) -> None:
    assert rules.standing(status, start, end, DAY) == expected


@pytest.mark.parametrize("role", sorted(rules.ROLES))
def test_while_suspended_everything_can_be_read_and_nothing_changed(role: str) -> None:
    held = rules.permissions(role)
    assert rules.remaining(held, "active") == held
    for standing in ("suspended", "cancelled"):
        left = rules.remaining(held, standing)
        assert left <= held
        assert {p for p in held if p.endswith(".read")} <= left
        assert not any(p.endswith((".write", ".control", ".now")) for p in left)
        assert ("device.fetch" in held) == ("device.fetch" in left), "music goes on"


@given(
    st.integers(0, 200), st.integers(0, 200), st.integers(0, 200), st.booleans(),
)  # fmt: skip
def test_more_failures_never_open_a_door(
    pair: int, address: int, elsewhere: int, familiar: bool
) -> None:
    one = Failures(pair, address, elsewhere, familiar)
    if not rules.may_try(one):
        assert not rules.may_try(Failures(pair + 1, address, elsewhere, familiar))
        assert not rules.may_try(Failures(pair, address + 1, elsewhere, familiar))
        assert not rules.may_try(Failures(pair, address, elsewhere + 1, familiar))
    calm = pair < rules.PER_PAIR and address < rules.PER_ADDRESS
    assert rules.may_try(Failures(pair, address, elsewhere, familiar=True)) == calm
