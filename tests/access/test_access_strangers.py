"""Two clients that act at random: neither ever sees, changes or counts anything of the other."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.world import Tenant, World

NOUNS: dict[str, dict[str, Any]] = {
    "locations": {},
    "floors": {},
    "zones": {},
    "music/folders": {},
    "devices": {"path": "devices/register", "id": ("device", "id")},
    "tokens": {"body": {"permissions": ["zones.read"]}, "id": ("id",)},
}
"""What both make, list, rename and remove; by the last part of its path."""

VERBS = ("make", "rename", "remove", "list", "search", "read", "steal", "overwrite", "destroy")
STEPS = st.lists(
    st.tuples(
        st.integers(0, 1), st.sampled_from(VERBS), st.sampled_from(sorted(NOUNS)),
        st.integers(0, 50), st.text("abcxyzäß% _\\'", min_size=1, max_size=6),
    ),
    min_size=25,
    max_size=45,
)  # fmt: skip


@dataclass
class Side:
    """One client, the word that is in all of its names, and what it has: noun -> id -> name."""

    tenant: Tenant
    word: str
    has: dict[str, dict[str, str]] = field(default_factory=lambda: {noun: {} for noun in NOUNS})

    def one(self, noun: str, number: int) -> str:
        ids = sorted(self.has[noun])
        return ids[number % len(ids)] if ids else str(uuid4())


class LeakError(AssertionError):
    """Something of the other client came through."""


async def call(me: Side, other: Side, method: str, path: str, **more: Any) -> Any:
    """One request of ``me``, whose answer must hold nothing of ``other``."""
    answer = await me.tenant.http.request(method, f"/api/v1/{path}", **more)
    assert answer.status_code < 500, answer.text
    if other.word in answer.text:
        raise LeakError(f"{method} {path}: {answer.text[:300]}")
    return answer


async def step(me: Side, other: Side, verb: str, noun: str, number: int, text: str) -> None:
    """One act, and the model of what it must have done."""
    mine, theirs = me.one(noun, number), other.one(noun, number)
    if verb == "make":
        await _make(me, other, noun, number, text)
    elif verb == "rename":
        name = f"{me.word} {text}x"
        answer = await call(me, other, "PATCH", f"{noun}/{mine}/", json={"name": name})
        if answer.is_success:
            me.has[noun][mine] = name
    elif verb == "remove":
        if (await call(me, other, "DELETE", f"{noun}/{mine}/")).is_success:
            me.has[noun].pop(mine)
    elif verb == "list":
        answer = await call(me, other, "GET", f"{noun}/", params={"count": True, "page_size": 200})
        found = {row["id"]: row["name"] for row in answer.json()["results"]}
        assert {k: v for k, v in found.items() if me.word in v} == me.has[noun], noun
        assert answer.json()["count"] == len(found)
    elif verb == "search":
        await call(me, other, "GET", f"{noun}/", params={"search": text, "ordering": "-created_at"})
        await call(me, other, "GET", f"{noun}/", params={"search": other.word[:6], "count": True})
    elif verb == "read":
        answer = await call(me, other, "GET", f"{noun}/{mine}/")
        assert answer.status_code in ((200, 405) if mine in me.has[noun] else (404, 405)), noun
    else:
        await _reach_over(me, other, verb, noun, theirs)


async def _make(me: Side, other: Side, noun: str, number: int, text: str) -> None:
    how = NOUNS[noun]
    name = f"{me.word} {text}"
    body = {"name": name, **how.get("body", {})}
    if noun == "floors":
        body["location_id"] = me.one("locations", number)
    if noun == "devices":
        body["hardware_id"] = uuid4().hex
    answer = await call(me, other, "POST", f"{how.get('path', noun)}/", json=body)
    if answer.is_success:
        made: Any = answer.json()
        for key in how.get("id", ("id",)):
            made = made[key]
        me.has[noun][made] = name.strip()


async def _reach_over(me: Side, other: Side, verb: str, noun: str, theirs: str) -> None:
    method = {"steal": "GET", "overwrite": "PATCH", "destroy": "DELETE"}[verb]
    body = {"json": {"name": "stolen"}} if verb == "overwrite" else {}
    answers = [await call(me, other, method, f"{noun}/{one}/", **body) for one in (theirs, uuid4())]
    plain = [{k: v for k, v in a.json().items() if k != "trace"} for a in answers]
    assert plain[0] == plain[1], "a foreign id answers like a random one"
    assert answers[0].status_code in {404, 405}


async def sides(world: World) -> tuple[Side, Side]:
    """Two clients with words that nothing else holds."""
    words = [f"canary{uuid4().hex[:12]}" for _ in range(2)]
    return Side(await world.tenant("One"), words[0]), Side(await world.tenant("Two"), words[1])


async def play(world: World, steps: list[tuple[int, str, str, int, str]]) -> None:
    both = await sides(world)
    for who, verb, noun, number, text in steps:
        await step(both[who], both[1 - who], verb, noun, number, text)
    for me, other in (both, both[::-1]):
        for noun in NOUNS:
            await step(me, other, "list", noun, 0, "")


@settings(max_examples=8)
@given(steps=STEPS)
async def test_two_clients_never_meet(world: World, steps: list[Any]) -> None:
    await play(world, steps)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@settings(max_examples=300)
@given(steps=STEPS)
async def test_two_clients_never_meet_however_long(world: World, steps: list[Any]) -> None:
    await play(world, steps)


async def test_the_checker_sees_a_leak(world: World) -> None:
    """Its control: a session that is the other client's is noticed at once."""
    one, two = await sides(world)
    await step(two, one, "make", "zones", 0, "x")
    one.tenant.http = two.tenant.http
    with pytest.raises(LeakError):
        await step(one, two, "list", "zones", 0, "")
