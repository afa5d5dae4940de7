"""Rate limits as rules: how much passes, how long to wait, how much memory it takes."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import parse

from sync2gear_platform.kit.context import Actor
from sync2gear_platform.kit.limits import (
    TRAFFIC,
    Limits,
    Quota,
    TooMany,
    Traffic,
    Windows,
    site_of,
    traffic_of,
)


class Hand:
    """A clock set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def limits_of(one: str, shared: str, clock: Hand, max_keys: int = 1000) -> Limits:
    quota = Quota(parse(one), parse(shared))
    return Limits(dict.fromkeys(TRAFFIC, quota), clock=clock, max_keys=max_keys)


def person(client: UUID | None = None) -> Actor:
    return Actor(kind="user", id=uuid4(), client_id=client)


def admitted(limits: Limits, traffic: Traffic, address: str) -> int | None:
    """``None``, or how many seconds to wait."""
    try:
        limits.admit_address({}, traffic, address)
    except TooMany as error:
        wait: int = error.extra["retry_after"]
        return wait
    return None


@given(
    st.sampled_from(["sign_in", "read"]),
    st.integers(1, 20),
    st.lists(st.floats(0, 8), min_size=1, max_size=120),
)
def test_no_minute_passes_more_than_the_limit_and_waiting_as_told_helps(
    traffic: Traffic, limit: int, pauses: list[float]
) -> None:
    clock = Hand()
    limits = limits_of("9/minute", f"{limit}/minute", clock)
    passed: list[float] = []
    for pause in pauses:
        clock.now += pause
        wait = admitted(limits, traffic, "203.0.113.9")
        if wait is None:
            passed.append(clock.now)
        else:
            assert 1 <= wait <= 61
            if traffic == "sign_in":  # exact: after the wait told, one more is free
                before = clock.now
                clock.now += wait
                assert admitted(limits, traffic, "203.0.113.9") is None
                passed.append(clock.now)
                assert clock.now > before
    for at in passed:
        within = [t for t in passed if at <= t < at + 60]
        # the counter weighs the window before as if evenly spread: twice the limit at its worst
        assert len(within) <= (limit if traffic == "sign_in" else 2 * limit)


def test_a_counter_recovers_while_time_passes() -> None:
    clock = Hand()
    limits = limits_of("9/minute", "60/minute", clock)
    clock.now = 60 * 100.0
    assert [admitted(limits, "read", "a") for _ in range(60)] == [None] * 60
    assert admitted(limits, "read", "a") == 60
    clock.now += 60
    assert admitted(limits, "read", "a") is not None
    clock.now += 30
    free = sum(admitted(limits, "read", "a") is None for _ in range(60))
    assert 29 <= free <= 31


def test_a_client_shares_what_its_people_have_alone() -> None:
    limits = limits_of("2/minute", "3/minute", Hand())
    acme, other = uuid4(), uuid4()
    anna, bert = person(acme), person(acme)
    state: dict[str, object] = {}
    limits.admit(state, "command", anna)
    assert state["rate"] == {
        "RateLimit-Policy": '"command-user";q=2;w=60',
        "RateLimit": '"command-user";r=1;t=20',
    }
    limits.admit({}, "command", anna)
    for _ in range(5):
        with pytest.raises(TooMany) as refused:
            limits.admit({}, "command", anna)
        assert refused.value.extra["violated-policies"] == ["command-user"]
    limits.admit({}, "command", bert)  # what Anna was refused is not missing here
    with pytest.raises(TooMany) as refused:
        limits.admit({}, "command", bert)
    assert refused.value.extra["violated-policies"] == ["command-client"]
    limits.admit({}, "read", bert)
    limits.admit({}, "command", person(other))


def test_each_token_counts_for_itself() -> None:
    limits = limits_of("1/minute", "9/minute", Hand())
    user, client = uuid4(), uuid4()
    for _ in range(3):
        limits.admit({}, "read", Actor("token", user, client, session_id=uuid4()))


def test_an_attacker_with_many_addresses_takes_no_more_memory() -> None:
    clock = Hand()
    limits = limits_of("9/minute", "5/minute", clock, max_keys=100)
    known = person(uuid4())
    for number in range(5000):
        address = f"203.0.{number // 250}.{number % 250}"
        for traffic in TRAFFIC:
            limits.admit_address({}, traffic, address)
        if number % 1000 == 0:
            limits.admit({}, "command", known)
    assert len(limits.addresses) <= 200
    # and does not push out those who are signed in
    with pytest.raises(TooMany):
        limits.admit({}, "command", known)


def test_an_address_that_is_refused_stays_so_whoever_else_comes() -> None:
    limits = limits_of("9/minute", "3/minute", Hand(), max_keys=100)
    for _ in range(3):
        assert admitted(limits, "sign_in", "203.0.113.9") is None
    for number in range(90):
        admitted(limits, "sign_in", f"198.51.100.{number}")
    assert admitted(limits, "sign_in", "203.0.113.9") is not None


def test_ipv6_is_counted_by_site() -> None:
    assert site_of("2001:db8:1:2:3:4:5:6") == site_of("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert site_of("2001:db8:1:3::1") != site_of("2001:db8:1:2::1")
    assert site_of("::ffff:203.0.113.9") == site_of("203.0.113.9") == "203.0.113.9"
    assert site_of("") == "nowhere"


@pytest.mark.parametrize(
    ("method", "path", "headers", "traffic"),
    [
        ("GET", "/api/v1/zones/", {}, "read"),
        ("GET", "/api/v1/media/00/", {"authorization": "Basic eA=="}, "fetch"),
        ("GET", "/api/v1/media/00/", {"authorization": "Bearer x"}, "read"),
        ("POST", "/api/v1/auth/login/", {}, "sign_in"),
        ("POST", "/api/v1/auth/login/", {"authorization": "Basic eA=="}, "sign_in"),
        ("POST", "/api/v1/auth/login/", {"content-type": "multipart/form-data"}, "sign_in"),
        ("POST", "/api/v1/auth/password-reset/confirm/", {}, "sign_in"),
        ("POST", "/api/v1/auth/totp/disable/", {}, "sign_in"),
        ("GET", "/api/v1/auth/totp/", {}, "read"),
        ("GET", "/api/v1/auth/oidc/", {}, "read"),
        ("GET", "/api/v1/auth/oidc/login/", {}, "sign_in"),
        ("GET", "/api/v1/auth/oidc/callback/", {"authorization": "Basic eA=="}, "sign_in"),
        ("PUT", "/api/v1/auth/me/avatar/", {"content-type": "image/png"}, "upload"),
        ("POST", "/api/v1/auth/refresh/", {}, "command"),
        ("PATCH", "/api/v1/auth/me/", {}, "command"),
        ("POST", "/api/v1/zones/", {"content-type": "multipart/form-data; boundary=x"}, "upload"),
        ("DELETE", "/api/v1/zones/1/", {}, "command"),
        ("OPTIONS", "/api/v1/zones/", {}, "read"),
    ],
)
def test_the_class_of_a_request_is_what_it_looks_like(
    method: str, path: str, headers: dict[str, str], traffic: str
) -> None:
    assert traffic_of(method, path, headers) == traffic


def test_the_store_forgets_on_demand() -> None:
    store = Windows(Hand(), 10)
    assert store.check()
    assert store.acquire_entry("a", 1, 60)
    assert store.acquire_sliding_window_entry("b", 1, 60)
    assert not store.acquire_entry("a", 1, 60)
    store.clear("a")
    store.clear_sliding_window("b", 60)
    assert store.acquire_entry("a", 1, 60)
    assert store.reset() == 1
    assert len(store) == 0
