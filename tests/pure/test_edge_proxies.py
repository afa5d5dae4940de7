"""Who calls, as trusted proxies say it: whatever a caller invents, it is counted as itself."""

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_platform.kit.proxies import address_of, caller, seen_through

TRUSTED = tuple(ip_network(n) for n in ("10.0.0.0/8", "192.0.2.7/32", "fd00::/8"))

ours = st.sampled_from(["10.1.2.3", "10.255.0.1", "192.0.2.7", "fd00::5", "::ffff:10.0.0.1"])
strangers = st.sampled_from(
    ["203.0.113.9", "11.0.0.1", "192.0.2.8", "2001:db8::1", "fe80::1%eth0", "127.0.0.1"]
)
invented = st.lists(
    st.one_of(
        ours,
        strangers,
        st.sampled_from(
            ["", " ", "unknown", "_hidden", "10.0.0.1:80", "[fd00::1]:9", "10.0.0.256"]
        ),
        st.text("0123456789.:[]%, \tfax", max_size=40),
    ),
    max_size=6,
)
names = st.sampled_from(
    [b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-real-ip", b"forwarded"]
)


def spelled(address: str, style: int) -> str:
    """``address`` as different proxies write it."""
    if style == 1:
        return f"[{address}]:4711" if ":" in address else f"{address}:4711"
    return f" {address} " if style == 2 else address


def normal(address: str) -> str:
    return str(address_of(address))


@given(invented, strangers, st.lists(st.tuples(ours, st.integers(0, 2)), min_size=1, max_size=4))
def test_the_caller_is_the_one_that_our_outermost_proxy_saw(
    prefix: list[str], real: str, chain: list[tuple[str, int]]
) -> None:
    # each proxy appends whom it saw: the first saw the real caller, each next one the proxy before
    seen = [real, *(proxy for proxy, _ in chain[:-1])]
    hops = ",".join(
        [*prefix, *(spelled(s, style) for s, (_, style) in zip(seen, chain, strict=True))]
    )
    assert caller(chain[-1][0], hops.split(","), TRUSTED) == normal(real)


@given(strangers, invented, st.lists(st.tuples(names, st.text("htps:/.,10fd", max_size=30))))
def test_a_stranger_says_nothing_about_itself(
    peer: str, hops: list[str], more: list[tuple[bytes, str]]
) -> None:
    said = [(b"x-forwarded-for", ",".join(hops).encode()), *((n, v.encode()) for n, v in more)]
    scope = seen_through(scope_of(peer, [(b"host", b"shop.test"), *said]), TRUSTED)
    assert scope["client"] == (peer, 1)
    assert scope["scheme"] == "http"
    assert scope["headers"] == [(b"host", b"shop.test")]
    assert "parent" not in scope["state"]


def scope_of(peer: str, headers: list[tuple[bytes, bytes]], kind: str = "http") -> dict[str, Any]:
    scheme = "http" if kind == "http" else "ws"
    return {"type": kind, "client": (peer, 1), "scheme": scheme, "headers": headers}


def test_taking_the_leftmost_address_would_be_fooled() -> None:
    hops = ["10.0.0.1", "203.0.113.9"]
    assert caller("10.0.0.2", hops, TRUSTED) == "203.0.113.9" != hops[0]


@pytest.mark.parametrize(
    ("kind", "proto", "scheme"),
    [
        ("http", b"https", "https"),
        ("websocket", b"https", "wss"),
        ("http", b"http", "http"),
        ("http", b"https, http", "http"),
        ("http", b"HTTPS", "https"),
        ("http", b"gopher", "http"),
        ("websocket", b"", "ws"),
    ],
)
def test_a_trusted_proxy_says_the_scheme(kind: str, proto: bytes, scheme: str) -> None:
    scope = scope_of("10.0.0.1", [(b"x-forwarded-proto", proto)], kind)
    assert seen_through(scope, TRUSTED)["scheme"] == scheme


@pytest.mark.parametrize(
    ("said", "host"),
    [
        (b"shop.example", b"shop.example"),
        (b"shop.example:8443", b"shop.example:8443"),
        (b"[2001:db8::1]:80", b"[2001:db8::1]:80"),
        (b"evil.example/path", b"inner"),
        (b"evil example", b"inner"),
        (b"", b"inner"),
    ],
)
def test_a_trusted_proxy_says_the_host_if_it_is_one(said: bytes, host: bytes) -> None:
    scope = scope_of("10.0.0.1", [(b"host", b"inner"), (b"x-forwarded-host", said)])
    assert dict(seen_through(scope, TRUSTED)["headers"])[b"host"] == host


@pytest.mark.parametrize("bad", [b"", b"a b", b"x" * 65, b"a\nb", b'"'])
def test_only_a_decent_request_id_of_a_trusted_proxy_is_kept(bad: bytes) -> None:
    scope = scope_of("10.0.0.1", [(b"x-request-id", b"edge-4711")])
    assert seen_through(scope, TRUSTED)["state"]["parent"] == "edge-4711"
    scope = scope_of("10.0.0.1", [(b"x-request-id", bad)])
    assert "parent" not in seen_through(scope, TRUSTED)["state"]


def test_a_proxy_that_writes_nonsense_is_the_last_that_we_know() -> None:
    assert caller("10.0.0.1", ["203.0.113.9", "unknown"], TRUSTED) == "10.0.0.1"
    assert caller("10.0.0.1", [], TRUSTED) == "10.0.0.1"
    assert caller("", ["203.0.113.9"], TRUSTED) == ""
