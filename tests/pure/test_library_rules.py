import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sync2gear_platform.library import rules
from sync2gear_platform.library.delivery import Span, Unsatisfiable, span_of

levels = st.integers(-12_000, 500)


@given(levels, levels)
def test_gain_evens_out_without_clipping_or_shouting(loudness: int, peak: int) -> None:
    gain = rules.gain_of(loudness, peak)
    assert -rules.MAX_GAIN <= gain <= rules.MAX_GAIN
    if loudness <= rules.QUIETEST:
        assert gain == 0
        return
    assert loudness + gain <= rules.TARGET_LOUDNESS or gain == -rules.MAX_GAIN
    assert peak + gain <= rules.CEILING or gain == -rules.MAX_GAIN
    short = loudness + gain < rules.TARGET_LOUDNESS
    assert not short or peak + gain == rules.CEILING or abs(gain) == rules.MAX_GAIN


def test_gain_of_what_cannot_be_measured_is_none() -> None:
    assert rules.gain_of(None, None) == 0
    assert rules.gain_of(None, -600) == 0
    assert rules.gain_of(-2000, None) == 400


@given(st.binary(min_size=1, max_size=400))
@example(b"\xff\xfe" * 200)
@example("ä\U0001f3b5".encode() * 90)
def test_a_file_name_is_inert_text(raw: bytes) -> None:
    name = rules.file_name(raw)
    assert name
    assert len(name) <= 255
    assert name.isprintable()
    name.encode()


@given(st.binary(min_size=1, max_size=12), st.binary(min_size=1, max_size=12))
@example(b"\x07", b"\\x07")
@example(b"\xc3\xa4", b"\xe4")
def test_different_files_have_different_names(one: bytes, other: bytes) -> None:
    assert (rules.file_name(one) == rules.file_name(other)) == (one == other)


def test_long_names_that_differ_only_in_the_middle_stay_different() -> None:
    names = {rules.file_name(b"a" * 300 + bytes([c]) + b"b" * 300) for c in b"0123456789"}
    assert len(names) == 10
    assert {len(name) for name in names} == {255}


@given(st.text(max_size=600), st.integers(1, 300))
def test_a_tag_is_one_clean_line(text: str, limit: int) -> None:
    line = rules.label(text, limit)
    assert len(line) <= limit
    assert line == " ".join(line.split())
    assert "\0" not in line
    line.encode()
    assert rules.label(line, limit) == line


def test_the_year_of_a_date() -> None:
    dates = {
        "2006": 2006,
        "2006-05-01": 2006,
        "May 1999": 1999,
        "12006": None,
        "": None,
        "0999": None,
    }
    assert {text: rules.year_of(text) for text in dates} == dates


@given(st.integers(0, 1 << 34))
def test_time_grows_with_size_between_bounds(size: int) -> None:
    assert 20 <= rules.time_limit(size) <= 600
    assert rules.time_limit(size) <= rules.time_limit(size + 1_000_000)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 40))
def test_a_range_is_what_python_would_slice(start: int, last: int, size: int) -> None:
    content = bytes(range(size))
    try:
        span = span_of(f"bytes={start}-{last}", size)
    except Unsatisfiable:
        assert content[start : last + 1] == b""
        return
    if last < start:
        assert span is None
    else:
        assert span is not None
        assert content[span.start : span.stop] == content[start : last + 1] != b""


def test_ranges_of_every_form() -> None:
    assert span_of("bytes=-5", 100) == Span(95, 100)
    assert span_of("bytes=-500", 100) == Span(0, 100)
    assert span_of("bytes=7-", 100) == Span(7, 100)
    ignored = (
        None,
        "",
        "bytes=",
        "bytes=-",
        "bytes=1-2,5-6",
        "frames=1-2",
        "bytes=a-b",
        "bytes=\uff19-",
    )
    assert [span_of(header, 100) for header in ignored] == [None] * len(ignored)
    for header, size in (("bytes=-0", 100), ("bytes=100-", 100), ("bytes=-5", 0), ("bytes=0-", 0)):
        with pytest.raises(Unsatisfiable):
            span_of(header, size)
