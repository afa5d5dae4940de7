"""A search for one word is answered beside the word, in the order of titles, whole and current."""

from typing import Any

import pytest
from sqlalchemy import text

from support.music import add_folder
from support.world import Tenant, World
from sync2gear_platform.library import filters

SHAPED_BY = (
    {},
    {"explicit": False},
    {"ordering": "-title"},
    {"ordering": "-title", "explicit": False},
)
"""With a filter a search is answered the general way: both must agree."""


async def pages(tenant: Tenant, **asked: Any) -> list[list[str]]:
    """The titles of a list, page by page, having gone back from the last to the first."""
    forward, backward = [], []
    answer = await tenant.read("/music/files/", page_size=3, **asked)
    while True:
        forward.append([track["title"] for track in answer["results"]])
        if answer["next"] is None:
            break
        answer = (await tenant.http.get(answer["next"])).json()
    while True:
        backward.insert(0, [track["title"] for track in answer["results"]])
        if answer["previous"] is None:
            assert forward == backward
            return forward
        answer = (await tenant.http.get(answer["previous"])).json()


@pytest.mark.parametrize("common", [filters.COMMON, 0])
async def test_a_word_is_found_by_title_page_by_page_in_both_directions(
    world: World, monkeypatch: pytest.MonkeyPatch, common: int
) -> None:
    monkeypatch.setattr(filters, "COMMON", common)
    tenant, other = await world.tenant(), await world.tenant()
    named = ("Ärger ruft", "ruft", "Ruf an", "Rufus", "B rufen Ruf", "C rufen", "c rufen", "Stille")
    await add_folder(world, tenant, named)
    await add_folder(world, other, ("Ruf der anderen",))
    up, up_generally, down, down_generally = [
        await pages(tenant, search="ruf", **more) for more in SHAPED_BY
    ]
    assert up == up_generally
    assert down == down_generally
    assert sorted(t for page in up for t in page) == sorted(named[:-1]), "each once"
    assert [t for page in down for t in page] == [t for page in up for t in page][::-1]


async def test_the_order_follows_a_title_that_is_only_spelt_otherwise(world: World) -> None:
    tenant = await world.tenant()
    await add_folder(world, tenant, ("Ruf B", "Ruf C"))
    found = (await tenant.read("/music/files/", search="ruf"))["results"]
    answer = await tenant.http.patch(
        f"/api/v1/music/files/{found[0]['id']}/", json={"title": "C! (Ruf, B)"}
    )
    assert answer.status_code == 200
    answer = await tenant.http.patch(
        f"/api/v1/music/files/{found[1]['id']}/", json={"title": "B! (Ruf, C)"}
    )
    assert answer.status_code == 200
    for more in SHAPED_BY[:2]:
        found = await pages(tenant, search="ruf", **more)
        assert found == [["B! (Ruf, C)", "C! (Ruf, B)"]]


async def test_a_common_word_is_found_among_those_that_begin_like_it(world: World) -> None:
    tenant = await world.tenant()
    await add_folder(world, tenant, ("Zweites", "Erstes"))
    async with world.ctx(tenant.id) as ctx:
        await ctx.db.execute(
            text(
                "INSERT INTO track_words (client_id, word, track_id, title)"
                " SELECT client_id, 'common' || n, id, title FROM tracks,"
                f" generate_series(1, {filters.COMMON // 2 + 1}) AS n"
            )
        )
        rare, common = [
            str((await filters.prepare(ctx, word))["title"].statement) for word in ("erst", "com")
        ]
        assert "begins" in common
        assert "begins" not in rare
        assert await filters.prepare(ctx, "c") == {}, "nearly every title has a single letter"
        assert await filters.prepare(ctx, "com erst") == {}
    for word in ("co", "com", "common", "common1"):
        assert await pages(tenant, search=word) == [["Erstes", "Zweites"]]
