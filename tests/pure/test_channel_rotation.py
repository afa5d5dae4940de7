"""In which order a channel plays: turns, shares, distances, announcements between the tracks."""

from collections import Counter
from datetime import date
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from support.strategies import media
from sync2gear_platform.channels.model import Apart, Channel, Inline, Item, Piece
from sync2gear_platform.channels.rotation import Memory, Pick, Rotation

FRAMES = 1000


def track(number: int, *, artist: str = "", **more: Any) -> Piece:
    return Piece(f"t{number}", media(number, FRAMES), (artist,) if artist else (), **more)


def item(name: str, first: int, count: int, **more: Any) -> Item:
    return Item(name, tuple(track(first + n) for n in range(count)), **more)


def play(channel: Channel, count: int, memory: Memory | None = None, **more: Any) -> list[Pick]:
    rotation, picks = Rotation(channel, "seed"), list[Pick]()
    memory = memory or Memory()
    for _ in range(count):
        pick = rotation.next_piece(memory, len(picks) * FRAMES, **more)
        if pick is None:
            break
        picks.append(pick)
        memory = pick.memory
    return picks


def names(picks: list[Pick]) -> list[str]:
    return [pick.piece.id for pick in picks]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 6), st.integers(0, 10))
def test_each_piece_comes_once_in_a_round_and_not_again_at_the_seam(
    count: int, artists: int, artist_apart: int, title_apart: int
) -> None:
    pieces = tuple(track(n, artist=f"a{n % artists}") for n in range(count))
    channel = Channel("c", (Item("all", pieces),), apart=Apart(artist_apart, title_apart))
    heard = names(play(channel, 3 * count))
    for start in (0, count, 2 * count):
        assert sorted(heard[start : start + count]) == sorted(p.id for p in pieces)
    if artists == 1 and artist_apart:
        return  # one artist alone: no distance is to be had, and music goes on all the same
    if count > 3:
        assert all(a != b for a, b in pairwise(heard))


def test_rounds_are_shuffled_anew_and_one_piece_more_leaves_the_order_of_the_others() -> None:
    few, more = Channel("c", (item("all", 0, 30),)), Channel("c", (item("all", 0, 31),))
    heard = names(play(few, 60))
    assert heard[:30] != heard[30:]
    assert [n for n in names(play(more, 31)) if n != "t30"] == heard[:30]
    assert names(play(few, 60)) == heard


def test_an_artist_keeps_the_distance_that_is_asked_for() -> None:
    pieces = tuple(track(n, artist=f"a{n % 6}") for n in range(60))
    channel = Channel("c", (Item("all", pieces),), apart=Apart(artist=3, title=0))
    heard = [pick.piece.artists for pick in play(channel, 50)]
    for index, artists in enumerate(heard):
        assert artists not in heard[max(0, index - 3) : index]


def test_a_piece_stays_away_for_the_time_that_is_asked_for() -> None:
    long = item("short list", 0, 4, weight=5)
    channel = Channel("c", (long, item("rest", 10, 40)), apart=Apart(0, 0, again=20 * FRAMES))
    heard = names(play(channel, 60))
    last: dict[str, int] = {}
    early = 0
    for at, name in enumerate(heard):
        early += name in last and at - last[name] < 20
        last[name] = at
    assert early > 0, "four pieces cannot fill five turns of six for so long: music goes on"
    fair = Channel("c", (item("all", 0, 40),), apart=Apart(0, 0, again=20 * FRAMES))
    heard = names(play(fair, 120))
    for at, name in enumerate(heard):
        assert name not in heard[max(0, at - 19) : at]


def test_weights_are_shares_and_turns_are_spread() -> None:
    channel = Channel(
        "c", (item("a", 0, 50, weight=3), item("b", 100, 50), item("c", 200, 9, weight=0))
    )
    lines = [pick.line for pick in play(channel, 40)]
    assert Counter(lines) == {"a": 30, "b": 10}
    assert all(lines[n : n + 4].count("b") == 1 for n in range(0, 40, 4))


def test_a_pattern_says_whose_turn_it_is_and_begins_anew_with_the_hour() -> None:
    items = (item("hit", 0, 9), item("new", 10, 9), item("old", 20, 9))
    channel = Channel("c", items, pattern=("hit", "new", "hit", "old"), hourly=True)
    first = play(channel, 5, hour=7)
    assert [pick.line for pick in first] == ["hit", "new", "hit", "old", "hit"]
    then = play(channel, 2, first[-1].memory, hour=8)
    assert [pick.line for pick in then] == ["hit", "new"]


def test_an_ordered_channel_plays_item_after_item_and_ends_or_begins_again() -> None:
    items = (item("a", 0, 2, order="given"), item("b", 10, 3, order="given"))
    once = Channel("c", items, mode="ordered", loop=False)
    assert names(play(once, 99)) == ["t0", "t1", "t10", "t11", "t12"]
    again = Channel("c", items, mode="ordered", apart=Apart(9, 9))
    assert names(play(again, 12)) == ["t0", "t1", "t10", "t11", "t12"] * 2 + ["t0", "t1"]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(1, 30), st.integers(0, 30))
def test_whoever_remembers_goes_on_as_if_nothing_had_been(every: int, count: int, cut: int) -> None:
    spots = (track(900), track(901), track(902))
    channel = Channel(
        "c", (item("all", 0, 7), item("b", 50, 5)), inlines=(Inline("ads", spots, every),)
    )
    whole = play(channel, count + cut)
    memory = whole[cut - 1].memory if cut else Memory()
    rotation, rest = Rotation(channel, "seed"), []
    for n in range(cut, count + cut):
        pick = rotation.next_piece(memory, n * FRAMES)
        assert pick is not None
        memory = pick.memory
        rest.append(pick.piece.id)
    assert rest == names(whole)[cut:]
    lines = [pick.line for pick in whole]
    assert [i % (every + 1) for i, line in enumerate(lines) if line == "ads"] == [
        every
    ] * lines.count("ads")
    ads = [pick.piece.id for pick in whole if pick.line == "ads"]
    assert ads == [f"t{900 + n % 3}" for n in range(len(ads))]


def test_announcements_also_come_after_so_much_music_and_by_others_wishes() -> None:
    channel = Channel("c", (item("all", 0, 9),), inlines=(Inline("i", (track(900),), frames=2500),))
    lines = [pick.line for pick in play(channel, 8)]
    assert lines == ["all", "all", "all", "i"] * 2
    wished = play(
        Channel("c", (item("all", 0, 9),)), 6, more=(Inline("s", (track(901),), tracks=2),)
    )
    assert [pick.line for pick in wished] == ["all", "all", "s"] * 2


def test_what_does_not_fit_is_left_out_and_nothing_at_all_ends_the_music() -> None:
    pieces = (
        track(1, valid_until=date(2026, 1, 1)),
        track(2),
        track(3, valid_from=date(2027, 1, 1)),
    )
    channel = Channel("c", (Item("all", pieces, order="given"),))
    on = date(2026, 6, 1)
    assert names(play(channel, 3, fits=lambda p: p.is_valid(on))) == ["t2"] * 3
    assert play(channel, 3, fits=lambda _: False) == []
    assert play(Channel("c", ()), 3) == []
    assert play(Channel("c", (), mode="ordered"), 3) == []
    spot = Inline("ads", (track(9, valid_until=date(2026, 1, 1)),), tracks=1)
    picks = play(channel, 3, fits=lambda p: p.is_valid(on), more=(spot,))
    assert names(picks) == ["t2"] * 3
