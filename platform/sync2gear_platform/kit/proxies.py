"""Who really calls: what trusted proxies say of the caller, and nothing that anybody else says."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PORTED = re.compile(r"\[([^\]]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")

_SPOKEN = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"}
)
"""Headers about the caller: read here, if at all, and hidden from everything behind."""


def address_of(text: str) -> Address | None:
    """The address in ``text``, perhaps with brackets, a port or a scope; ``None`` if it is none.

    An IPv4 address that is mapped into IPv6 is the IPv4 address.
    """
    text = text.strip()
    if ported := _PORTED.fullmatch(text):
        text = ported[1] or ported[2]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def is_trusted(address: Address | None, trusted: Iterable[Network]) -> bool:
    """Whether ``address`` is one of our proxies."""
    return address is not None and any(
        address.version == network.version and address in network for network in trusted
    )


def caller(peer: str, hops: Sequence[str], trusted: Sequence[Network]) -> str:
    """The rightmost address of ``hops`` then ``peer`` that is not one of our proxies.

    ``hops`` are the elements of X-Forwarded-For, each written by the next one to its right, so
    that everything left of an address that we do not trust may be invented. A proxy that writes
    what is no address is itself the last one that we know.
    """
    address = address_of(peer)
    if address is None:
        return peer
    for hop in reversed(hops):
        if not is_trusted(address, trusted):
            break
        before = address_of(hop)
        if before is None:
            break
        address = before
    return str(address)


class Proxied:
    """Puts the real caller, scheme and host into the scope; leaves no header that claims others."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network] = ()) -> None:
        self.app = app
        self.trusted = tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrite and pass on."""
        if scope["type"] in {"http", "websocket"}:
            scope = seen_through(scope, self.trusted)
        await self.app(scope, receive, send)


def seen_through(scope: Scope, trusted: Sequence[Network]) -> Scope:
    """``scope`` as if our proxies were not there. ``state["parent"]`` is their request's id."""
    peer = scope["client"][0] if scope.get("client") else ""
    said = {name: _lines(scope, name) for name in _SPOKEN}
    headers = [(name, value) for name, value in scope["headers"] if name not in _SPOKEN]
    state = {**scope.get("state", {})}
    scope = {**scope, "headers": headers, "state": state}
    if not is_trusted(address_of(peer), trusted):
        return scope
    hops = [hop for line in said[b"x-forwarded-for"] for hop in line.split(",")]
    scope["client"] = (caller(peer, hops, trusted), 0)
    # the nearest proxy is the one that we trust most: the last of several values is its own
    proto = _last(said[b"x-forwarded-proto"]).lower()
    if proto in {"http", "https"}:
        secure = proto == "https"
        web = scope["type"] == "http"
        scope["scheme"] = ("https" if secure else "http") if web else ("wss" if secure else "ws")
    host = _last(said[b"x-forwarded-host"])
    if _HOST.fullmatch(host):
        others = [(name, value) for name, value in headers if name != b"host"]
        scope["headers"] = [*others, (b"host", host.encode())]
    parent = _last(_lines(scope, b"x-request-id"))
    if _REQUEST_ID.fullmatch(parent):
        state["parent"] = parent
    return scope


def _lines(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]


def _last(lines: list[str]) -> str:
    return lines[-1].rpartition(",")[2].strip() if lines else ""
