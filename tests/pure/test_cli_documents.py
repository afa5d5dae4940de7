"""YAML documents of the command line: what is read, what is refused and where."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_cli import documents
from sync2gear_cli.documents import Document, dump, parse
from sync2gear_cli.failures import Failure

TEXT = """\
document: shops
# a comment
usual: &usual
  type: music
  zones: [Bar, 'Terrace']
schedules:
  - name: Day
    start_time: 9:00
    end_time: 18:00:00
    first_date: 2027-12-24
    days: [mon, no]
    priority: 40
    is_active: true
    level: ~
    ratio: -1.5
    words: "40"
  - <<: *usual
    name: Night
    zones: [Hall]
"""


def read(text: str) -> Document:
    return parse(text.encode(), "d.yaml")


def wrong(text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(Failure) as failure:
        parse(data, "d.yaml")
    assert failure.value.code == "document_invalid"
    return failure.value.detail


def test_words_mean_what_json_means_and_clocks_stay_words() -> None:
    found = read(TEXT)
    day, night = found.values["schedules"]
    assert day == {
        "name": "Day", "start_time": "9:00", "end_time": "18:00:00", "first_date": "2027-12-24",
        "days": ["mon", "no"], "priority": 40, "is_active": True, "level": None, "ratio": -1.5,
        "words": "40",
    }  # fmt: skip
    assert night == {"type": "music", "zones": ["Hall"], "name": "Night"}


def test_each_thing_is_found_where_it_stands() -> None:
    found = read(TEXT)
    assert found.at(("schedules", 0, "priority")) == "d.yaml:12:5"
    assert found.at(("schedules", 0, "days", 1)) == "d.yaml:11:17"
    assert found.at(("schedules", 0, "nothing", 7)) == "d.yaml:7:5"
    assert found.at(("schedules", 1, "type")) == "d.yaml:4:3"
    assert found.at(("nothing",)) == "d.yaml:1:1"


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("", "1:1", "names with values"),
        ("- a", "1:1", "names with values"),
        ("a: 1\nb: [1", "2:6", "expected"),
        ("a: 1\na: 2", "2:1", "twice"),
        ("a: {x: 1, x: 2}", "1:11", "twice"),
        ("a: !!python/object/apply:os.system [ls]", "1:4", "tags"),
        ("a: !x 1", "1:4", "tags"),
        ("? [a]\n: 1", "1:3", "a word"),
        ("a: 1\n--- \nb: 2", "2:1", ""),
        ("a: *b", "1:4", "undefined alias"),
        ("a: 1\n<<: word", "2:5", "anchor"),
        ("a: [" * 30, "1:41", "too deep"),
        ("a:\n  - b\n c: 1", "3:2", ""),
        ("\ta: 1", "1:1", ""),
        ("a: 1\nb: \x07", "2:1", "does not allow"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_column(text: str, where: str, why: str) -> None:
    detail = wrong(text)
    assert detail.startswith(f"d.yaml:{where}: "), detail
    assert why in detail


def test_sizes_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not UTF-8" in wrong(b"a: 1\nb: \xff\n")
    assert "at most" in wrong(b"a" * 1_000_001)
    lols = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    lols += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    assert "anchors multiply" in wrong(lols)
    assert "anchors multiply" in wrong("a: &a [*a]")
    monkeypatch.setattr(documents, "MAX_VALUES", 3)
    assert "too much" in wrong("a: [1, 2, 3]")


def test_several_anchors_are_merged_the_first_one_first() -> None:
    found = read("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  c: 3\n")
    assert found.values["z"] == {"a": 1, "b": 1, "c": 3}


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
    | st.sampled_from(["9:00", "18:00", "2027-12-24", "no", "~", "1e3", "0x1f", "1_000", "<<"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text("abc:-# ", min_size=1, max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["document", "schedules", "x"]), _VALUES, max_size=3))
def test_what_is_written_is_read_again(values: dict[str, Any]) -> None:
    if values:
        assert read(dump(values)).values == json.loads(json.dumps(values))


@given(st.binary(max_size=60) | st.text("a: -[]{}&*!|>'\"#\n\t<?%@,", max_size=40).map(str.encode))
def test_anything_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(Failure):
        assert isinstance(parse(data, "x").values, dict)
