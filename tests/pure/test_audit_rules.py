"""Laws of the audit trail: what an action means, what is hashed, what is never written down."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync2gear_platform.audit import redaction, rules
from sync2gear_platform.audit.redaction import HIDDEN, MAX_BYTES, MAX_DEPTH, redacted
from sync2gear_platform.audit.rules import Details, Facts, Place, Sealed

CLIENT, ENTRY = UUID(int=1), UUID(int=2)
FACTS = Facts(
    id=ENTRY, client_id=CLIENT, at=datetime(2026, 11, 25, 12, 0, 0, 5, tzinfo=UTC),
    actor_kind="user", actor_id=UUID(int=3), session_id=None, action="zone.update",
    activity="crud", operation="update", subject_type="zone", subject_id=UUID(int=4),
    trace="t", digest=rules.digest("salt", "{}"),
)  # fmt: skip
LINK = Sealed(1, ENTRY, rules.link(rules.GENESIS, rules.canonical(FACTS)), FACTS,
              Details(CLIENT, "salt", "{}"))  # fmt: skip


@pytest.mark.parametrize(("action", "expected"), [
    ("zone.create", ("crud", "create")), ("device.revoke", ("crud", "delete")),
    ("zone.anything", ("crud", "update")), ("import.start", ("sync", "start")),
    ("import.finish", ("sync", "success")), ("playback.play", ("service", "start")),
    ("announcement.play", ("service", "start")), ("playback.volume", ("service", "update")),
    ("vault.rotate", ("config", "update")), ("discovery.finish", ("discovery", "success")),
    ("alert.clear", ("alert", "delete")), ("session.begin", ("crud", "start")),
    ("session.reuse", ("crud", "warning")), ("login.fail", ("crud", "failure")),
    ("audit.export", ("crud", "read")), ("nonsense", ("crud", "update")),
])  # fmt: skip
def test_an_action_has_an_activity_and_an_operation(action: str, expected: tuple[str, str]) -> None:
    assert rules.classify(action) == expected


@given(st.text())
def test_every_action_is_of_a_known_kind(action: str) -> None:
    activity, operation = rules.classify(action)
    assert activity in rules.ACTIVITIES
    assert operation in rules.OPERATIONS


def test_the_canonical_text_is_what_the_documents_say() -> None:
    assert rules.canonical(FACTS) == (
        '["00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000001", '
        '"2026-11-25T12:00:00.000005Z", "user", "00000000-0000-0000-0000-000000000003", null, '
        '"zone.update", "crud", "update", "zone", "00000000-0000-0000-0000-000000000004", "t", '
        f'"{hashlib.sha256(b"salt{}").hexdigest()}"]'
    )
    east = FACTS.at.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert rules.canonical(replace(FACTS, at=east)) == rules.canonical(FACTS)
    assert FACTS.chain == CLIENT
    assert replace(FACTS, client_id=None).chain == rules.INSTALLATION


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
facts = st.builds(
    Facts,
    id=st.uuids(), client_id=st.none() | st.uuids(),
    at=st.datetimes(timezones=st.just(UTC)), actor_kind=texts,
    actor_id=st.none() | st.uuids(), session_id=st.none() | st.uuids(), action=texts,
    activity=texts, operation=texts, subject_type=texts, subject_id=st.none() | st.uuids(),
    trace=texts, digest=texts,
)  # fmt: skip


@given(facts, facts)
def test_different_facts_have_different_texts(one: Facts, two: Facts) -> None:
    assert (rules.canonical(one) == rules.canonical(two)) == (one == two)


@pytest.mark.parametrize(("change", "kind"), [
    ({"seq": 2}, "gap"), ({"facts": None}, "entry_missing"),
    ({"facts": replace(FACTS, client_id=None)}, "entry_foreign"), ({"hash": ""}, "entry_altered"),
    ({"facts": replace(FACTS, trace="")}, "entry_altered"),
    ({"details": Details(None, "salt", "{}")}, "details_foreign"),
    ({"details": Details(CLIENT, "salt", "")}, "details_altered"), ({"details": None}, None),
    ({}, None),
])  # fmt: skip
def test_a_link_is_judged_by_all_that_it_holds(change: dict[str, Any], kind: str | None) -> None:
    fault = rules.judge(CLIENT, Place(), replace(LINK, **change))
    assert (fault.kind if fault else None) == kind
    if fault:
        assert fault.detail == rules.MEANING[fault.kind]


def test_whose_erasure_explains_missing_details() -> None:
    assert rules.covered_by(FACTS) == [FACTS.id, FACTS.actor_id, FACTS.subject_id]
    assert rules.covered_by(replace(FACTS, actor_id=None, subject_id=None)) == [FACTS.id]


def test_a_body_can_always_be_stored() -> None:
    body = rules.body_of(label="\ud800", address="", agent="", before=None, after={"b": 1, "a": 2})
    assert body.encode()
    assert json.loads(body)["after"] == {"a": 2, "b": 1}


# redaction

PLAIN = {
    "name": "Bar", "token_id": "1", "tokens_count": 3, "password_changed_at": "today",
    "hardware_id": "aa:bb", "key": "C major", "public_key": "abc", "secretary": "Kim", "epoch": 1,
    "author": "x", "recovery_email": "kim@example.test",
}  # fmt: skip


@pytest.mark.parametrize("name", [
    "password", "password_hash", "newPassword", "secret", "client_secret", "secret_hash", "token",
    "tokens", "accessToken", "refresh_token", "TOKEN", "api_key", "privateKey", "Authorization",
    "cookie", "totp_secret", "otp", "recovery_codes", "credential", "jwt", "sealed_url",
])  # fmt: skip
def test_a_secret_is_hidden_at_every_depth(name: str) -> None:
    value: Any = {name: "canary", "list": [{"deep": [{name: ["canary"]}]}], "tuple": ({name: 7},)}
    assert "canary" not in json.dumps(redacted(value))
    assert redacted({name: None}) == {name: None}, "that there is none is no secret"


@pytest.mark.parametrize("name", sorted(set(PLAIN) - {"recovery_email"}))
def test_what_only_sounds_like_a_secret_is_kept(name: str) -> None:
    assert redacted({name: PLAIN[name]}) == {name: PLAIN[name]}


SECRETS = (
    "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0abc.c2lnbmF0dXJl",
    "s2g_ABCDEFGHIJKLMNOPQRST",
    "s2g_live_ABCDEFGHIJKLMNOP",
    "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
    "gAAAAABlYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=",
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----",
)


@given(st.sampled_from(SECRETS), st.text(max_size=30), st.text(max_size=30))
def test_a_value_that_looks_like_one_of_our_secrets_is_hidden(
    secret: str, before: str, after: str
) -> None:
    shown = redacted({"note": f"{before} {secret} {after}"})["note"]
    assert secret not in shown
    assert HIDDEN in shown


def test_the_account_of_an_address_is_hidden_and_the_address_kept() -> None:
    shown = redacted({"url": "mqtt://device:hunter2@broker.test:8883/x"})["url"]
    assert shown == f"mqtt://{HIDDEN}@broker.test:8883/x"
    assert redacted({"header": "Bearer abcdefghijklmnopqrst"}) == {"header": f"Bearer {HIDDEN}"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=40,
)


def check_bounded(values: dict[str, Any]) -> None:
    assert len(json.dumps(redacted(values), allow_nan=False)) <= MAX_BYTES


@settings(max_examples=25)
@given(st.dictionaries(st.text(), json_values))
def test_whatever_is_written_down_is_json_of_bounded_size(values: dict[str, Any]) -> None:
    check_bounded(values)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@given(st.dictionaries(st.text(), json_values))
def test_whatever_is_written_down_at_length_is_json_of_bounded_size(values: dict[str, Any]) -> None:
    check_bounded(values)


def test_what_is_too_deep_too_long_or_too_large_is_cut() -> None:
    deep: Any = "bottom"
    for _ in range(MAX_DEPTH + 5):
        deep = {"in": deep}
    assert "bottom" not in json.dumps(redacted(deep))
    assert len(redacted({"text": "x" * 50_000})["text"]) == redaction.MAX_TEXT + 1
    assert len(redacted({"list": list(range(5_000))})["list"]) == redaction.MAX_ITEMS
    many = {str(n): "x" * 9_000 for n in range(100)}
    assert "too large" in redacted(many)["cut"]
    assert redacted(None) is None
