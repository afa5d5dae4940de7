"""Rate limits: who may ask how often, by address, by person or machine, and by client.

Counted in this process by ``limits``: a moving window for signing in, where every attempt
matters, and a sliding window counter, whose memory does not grow with the limit, for the rest.
Signing in is counted for all processes together besides (:mod:`.joint`).
"""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any, Final, Literal, cast

from limits import RateLimitItem, parse
from limits.storage.base import MovingWindowSupport, SlidingWindowCounterSupport, Storage
from limits.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter
from starlette.requests import HTTPConnection

from sync2gear_platform.kit.context import Actor
from sync2gear_platform.kit.errors import Kind, Refusal
from sync2gear_platform.kit.proxies import address_of
from sync2gear_platform.settings import Settings

State = dict[str, Any]
"""What the parts of one request tell each other: the scope's ``state``."""

Traffic = Literal["sign_in", "command", "read", "upload", "fetch"]
TRAFFIC: Final[tuple[Traffic, ...]] = ("sign_in", "command", "read", "upload", "fetch")

MAX_KEYS: Final = 50_000
"""Counters that are kept of each kind of window; the one unused for longest makes place.

Full of addresses in both kinds: 68 MB, measured.
"""

IPV6_SITE: Final = 64
"""Bits of an IPv6 address that its holder cannot choose freely."""

QUOTA_EXCEEDED: Final = "https://iana.org/assignments/http-problem-types#quota-exceeded"
"""The problem type of draft-ietf-httpapi-ratelimit-headers-10."""

SIGN_IN: Final = "/api/v1/auth/"
SIGNED_IN: Final = frozenset({"refresh", "logout", "switch"})
"""What a session does below ``SIGN_IN`` all day; everything else there may be a guess."""

TO_PROVIDER: Final = ("/api/v1/auth/oidc/login/", "/api/v1/auth/oidc/callback/")
"""What makes us ask somebody else's server."""


class TooMany(Refusal):
    """That is too much at once: wait as long as Retry-After says."""

    kind: Kind = "limited"
    code = "rate_limited"


def traffic_of(method: str, path: str, headers: Mapping[str, str]) -> Traffic:
    """The class of a request by what it looks like, before anybody knows who sent it.

    A caller may choose a class by its headers; each class has a limit of its own, and none is
    more than a machine of that kind needs.
    """
    if path.startswith(TO_PROVIDER):
        return "sign_in"
    if method in {"GET", "HEAD", "OPTIONS"}:
        basic = headers.get("authorization", "").lower().startswith("basic ")
        return "fetch" if basic else "read"
    if method == "POST" and path.startswith(SIGN_IN):
        return "command" if path[len(SIGN_IN) :].strip("/") in SIGNED_IN else "sign_in"
    sent = headers.get("content-type", "")
    return "upload" if sent.startswith(("multipart/", "image/")) else "command"


def site_of(address: str) -> str:
    """What is counted as one address: an IPv4 address, or the /64 of an IPv6 address."""
    parsed = address_of(address)
    if isinstance(parsed, IPv6Address):
        return f"{IPv6Address(int(parsed) >> (128 - IPV6_SITE) << (128 - IPV6_SITE))}/{IPV6_SITE}"
    return str(parsed or "nowhere")


class Windows(Storage, MovingWindowSupport, SlidingWindowCounterSupport):
    """What ``limits`` counts in: a bounded number of keys, on a monotonic clock, without threads.

    The library's own store keeps every key until a thread finds it expired.
    """

    def __init__(self, clock: Callable[[], float], max_keys: int) -> None:
        super().__init__()
        self._clock = clock
        self._max_keys = max_keys
        self._moving: OrderedDict[str, deque[float]] = OrderedDict()
        self._sliding: OrderedDict[str, tuple[int, int, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._moving) + len(self._sliding)

    @property
    def base_exceptions(self) -> type[Exception]:
        """Nothing of memory's own fails."""
        return ValueError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count ``amount`` in a moving window, if they fit."""
        self._forget(self._moving, key)
        times = self._moving.setdefault(key, deque())
        now = self._clock()
        while times and times[0] <= now - expiry:
            times.popleft()
        if len(times) + amount > limit:
            return False
        times.extend([now] * amount)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Since when, and how many."""
        now = self._clock()
        times = [t for t in self._moving.get(key, ()) if t > now - expiry]
        return (times[0] if times else now), len(times)

    def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count ``amount``, if they fit with what the window before weighs still."""
        self._forget(self._sliding, key)
        previous, weight, current, _ = self.get_sliding_window(key, expiry)
        fits = math.floor(previous * weight / expiry) + current + amount <= limit
        window = int(self._clock() // expiry)
        self._sliding[key] = window, previous, current + amount if fits else current
        return fits

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """The window before and this one: how many, and for how many seconds each counts still."""
        now = self._clock()
        at, previous, current = self._sliding.get(key, (0, 0, 0))
        passed = int(now // expiry) - at
        if passed == 1:
            previous, current = current, 0
        elif passed > 1:
            previous, current = 0, 0
        left = expiry - now % expiry
        return previous, left if previous else 0.0, current, left + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget a key."""
        self._sliding.pop(key, None)

    def _forget(self, kept: OrderedDict[str, Any], key: str) -> None:
        """Make ``key`` the newest and let the oldest go."""
        if key in kept:
            kept.move_to_end(key)
        elif len(kept) >= self._max_keys:
            kept.popitem(last=False)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Fixed windows are not offered."""
        raise NotImplementedError

    def get(self, key: str) -> int:
        """Fixed windows are not offered."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        """Fixed windows are not offered."""
        raise NotImplementedError

    def check(self) -> bool:
        """Memory is there."""
        return True

    def reset(self) -> int:
        """Forget everything."""
        count = len(self)
        self._moving.clear()
        self._sliding.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget a key."""
        self._moving.pop(key, None)
        self._sliding.pop(key, None)


@dataclass(frozen=True, slots=True)
class Quota:
    """How often: ``one`` person, machine or token; ``shared`` by a whole client or address."""

    one: RateLimitItem | None
    shared: RateLimitItem | None


def quotas(settings: Settings) -> dict[Traffic, Quota]:
    """What the settings allow."""
    both: dict[Traffic, tuple[str, str]] = {
        # whoever signs in is not known yet, so that only the address counts
        "sign_in": ("off", settings.rate_sign_in),
        "command": (settings.rate_commands, settings.rate_commands_shared),
        "read": (settings.rate_reads, settings.rate_reads_shared),
        "upload": (settings.rate_uploads, settings.rate_uploads_shared),
        "fetch": (settings.rate_fetches, settings.rate_fetches_shared),
    }
    return {traffic: Quota(_item(one), _item(shared)) for traffic, (one, shared) in both.items()}


def _item(text: str) -> RateLimitItem | None:
    return None if text == "off" else parse(text)


class Limits:
    """The counters of this process, and what they allow."""

    def __init__(
        self,
        quotas: Mapping[Traffic, Quota],
        *,
        clock: Callable[[], float] = time.monotonic,
        max_keys: int = MAX_KEYS,
    ) -> None:
        self._quotas = quotas
        self._clock = clock
        # apart: those who are not known yet must not push out the counters of those who are
        self.addresses = Windows(clock, max_keys)
        self.actors = Windows(clock, max_keys)

    def admit_address(self, state: State, traffic: Traffic, address: str) -> None:
        """Count a request of an address; raises :class:`TooMany`."""
        quota = self._quotas[traffic].shared
        self._count(state, self.addresses, traffic, quota, "address", site_of(address))
        state.pop("rate", None)  # what an address has left is nobody's in particular

    def admit(self, state: State, traffic: Traffic, actor: Actor) -> None:
        """Count a request of ``actor`` and of its client; raises :class:`TooMany`.

        Whoever is refused uses up nothing of what it shares with its colleagues.
        """
        quota = self._quotas[traffic]
        speaker = actor.session_id if actor.kind == "token" else actor.id
        self._count(state, self.actors, traffic, quota.one, actor.kind, str(speaker))
        if actor.client_id is not None:
            own = state.get("rate")
            client = str(actor.client_id)
            self._count(state, self.actors, traffic, quota.shared, "client", client)
            state["rate"] = own or state.get("rate", {})

    def _count(
        self,
        state: State,
        store: Windows,
        traffic: Traffic,
        item: RateLimitItem | None,
        scope: str,
        key: str,
    ) -> None:
        """Count one, and leave the headers that tell of it in ``state["rate"]``."""
        if item is None:
            return
        exact = traffic == "sign_in"
        limiter = (MovingWindowRateLimiter if exact else SlidingWindowCounterRateLimiter)(store)
        name = f"{traffic}-{scope}"
        allowed = limiter.hit(item, name, key)
        full_key = item.key_for(name, key)
        if exact:
            left, wait = _moving(store, full_key, item, self._clock())
        else:
            left, wait = _sliding(store, full_key, item)
        refusal = refused(state, name, item, left=left if allowed else 0, wait=wait)
        if not allowed:
            raise refusal


def refused(state: State, name: str, item: RateLimitItem, *, left: int, wait: int) -> TooMany:
    """What says no more by the limit ``name``; its headers are left in ``state["rate"]``."""
    state["rate"] = {
        "RateLimit-Policy": f'"{name}";q={item.amount};w={item.get_expiry()}',
        "RateLimit": f'"{name}";r={left};t={wait}',
    }
    refusal = TooMany(type=QUOTA_EXCEEDED, retry_after=wait)
    refusal.extra["violated-policies"] = [name]
    return refusal


def _moving(store: Windows, key: str, item: RateLimitItem, now: float) -> tuple[int, int]:
    """How many are left, and in how many seconds the next one is free."""
    since, count = store.get_moving_window(key, item.amount, item.get_expiry())
    return item.amount - count, max(1, math.ceil(since + item.get_expiry() - now))


def _sliding(store: Windows, key: str, item: RateLimitItem) -> tuple[int, int]:
    """The same for a sliding window counter; at worst the rest of this window."""
    expiry = item.get_expiry()
    previous, weight, current, both = store.get_sliding_window(key, expiry)
    left = item.amount - current - math.floor(previous * weight / expiry)
    rest = both - expiry
    if previous and current < item.amount:
        # the window before weighs less every second, until one more fits
        rest = max(0.0, weight - (item.amount - current) * expiry / previous)
    return max(0, left), max(1, math.ceil(rest))


def charge(connection: HTTPConnection, actor: Actor) -> None:
    """Count a request whose sender is known by now; raises :class:`TooMany`.

    What the answer must tell, and whom the request counts for, is left in the request's state.
    """
    state = connection.scope.setdefault("state", {})
    state["client_id"] = actor.client_id
    limits = cast("Limits | None", getattr(connection.app.state, "limits", None))
    traffic = state.get("traffic")
    if limits is not None and traffic is not None:
        limits.admit(state, traffic, actor)
