"""What a text becomes before a voice gets it: variables, pronunciations, and the variant chosen."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_platform.announcements import chimes, ssml
from sync2gear_platform.announcements.pronunciation import MAX_PHONEMES, Entry, applied, worded
from sync2gear_platform.announcements.templates import Scene, TemplateFault, Variable, check, fill
from sync2gear_platform.announcements.variants import Cut, choose, is_valid
from sync2gear_platform.library.sound import measure_bytes

SCENE = Scene("Corner shop", datetime(2026, 3, 6, 17, 45, tzinfo=UTC))
NAME = Variable("name")
CLOSING = Variable("closing_time", "time", default="18:00")


def test_variables_are_said_as_each_language_writes_them() -> None:
    variables = [NAME, Variable("price", "number"), Variable("at", "time")]
    values = {"name": " Ms.\tNguyễn ", "price": 1234.5, "at": "14:05"}
    text = "{{name}}: {{ price }}, {{at}}"
    assert fill(text, "en", variables, values, SCENE) == "Ms. Nguyễn: 1,234.5, 2:05 PM"
    assert fill(text, "de", variables, values, SCENE) == "Ms. Nguyễn: 1.234,5, 14:05"
    assert fill(text, "de-AT", variables, values, SCENE).endswith("14:05")


def test_the_venue_its_time_and_the_countdown_are_filled_by_us() -> None:
    text = "It is {{local_time}} at {{venue}}: we close in {{minutes_to_closing}} minutes."
    said = "It is 5:45 PM at Corner shop: we close in 15 minutes."
    assert fill(text, "en", [CLOSING], {}, SCENE) == said
    over_midnight = fill(
        "{{minutes_to_closing}}", "en", [CLOSING], {"closing_time": "01:00"}, SCENE
    )
    assert over_midnight == "435"
    with pytest.raises(TemplateFault) as refused:
        fill(text, "en", [CLOSING], {"closing_time": "17:30"}, SCENE)
    assert refused.value.code == "closing_over"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Hello {{name", "template_syntax"),
        ("Hello name}}", "template_syntax"),
        ("Hello {{}}", "template_syntax"),
        ("Hello {{name.__class__}}", "template_syntax"),
        ("Hello {{ name | upper }}", "template_syntax"),
        ("Hello {{{name}}}", "template_syntax"),
        ("Hello {{nobody}}", "variable_unknown"),
        ("{{minutes_to_closing}}", "variable_missing"),
    ],
)
def test_a_text_that_could_not_be_filled_is_refused(text: str, code: str) -> None:
    with pytest.raises(TemplateFault) as refused:
        check({"en": text}, [NAME])
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        (NAME, "", "variable_missing"),
        (NAME, "x" * 101, "variable_too_long"),
        (NAME, True, "variable_invalid"),
        (Variable("name", "number"), "1e9", "variable_invalid"),
        (Variable("name", "number"), float("nan"), "variable_invalid"),
        (Variable("name", "number"), 10**15, "variable_invalid"),
        (Variable("name", "time"), "24:00", "variable_invalid"),
        (Variable("name", "choice", choices=("till", "door")), "roof", "variable_invalid"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(variable: Variable, value: str, code: str) -> None:
    with pytest.raises(TemplateFault) as refused:
        fill("{{name}}", "en", [variable], {"name": value}, SCENE)
    assert refused.value.code == code


def test_values_that_nobody_asked_for_are_refused_and_defaults_stand_in() -> None:
    with pytest.raises(TemplateFault, match="not a variable"):
        fill("Hello", "en", [], {"name": "x"}, SCENE)
    assert fill("{{name}}!", "en", [Variable("name", default="All")], {}, SCENE) == "All!"
    assert fill("{{name}}!", "en", [Variable("name", required=False)], {}, SCENE) == "!"


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ([NAME, NAME], "variable_twice"),
        ([Variable("venue")], "variable_name"),
        ([Variable("Name")], "variable_name"),
        ([Variable("a", "choice")], "variable_choices"),
        ([Variable("a", choices=("b",))], "variable_choices"),
        ([Variable("a", "time", default="soon")], "variable_invalid"),
    ],
)
def test_variables_that_make_no_sense_are_refused(variables: list[Variable], code: str) -> None:
    with pytest.raises(TemplateFault) as refused:
        check({"en": "Hello"}, variables)
    assert refused.value.code == code
    with pytest.raises(TemplateFault, match="language"):
        check({"xx-nowhere": "Hello"}, [])


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=100))
def test_no_value_is_ever_markup(value: str) -> None:
    text = '<speak><sub alias="{{name}}">x</sub>{{name}}</speak>'
    optional = replace(NAME, required=False)
    said = fill(text, "en", [optional], {"name": value}, SCENE, markup=True)
    root = ElementTree.fromstring(said)
    assert [child.tag for child in root] == ["sub"]
    plain = fill("{{name}}", "en", [optional], {"name": value}, SCENE)
    assert (root[0].attrib["alias"], root[0].tail or "") == (plain, plain)


WORDS = [
    Entry("GIF", "jiff"), Entry("GIF file", "picture"), Entry("IT", "eye tee", match_case=True),
    Entry("Worcester", "Wooster"), Entry("St", "Straße", language="de"), Entry("AT&T", "A T <T>"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("A gif, a GIF file; GIFs.", "en", "A jiff, a picture; GIFs."),
        ("IT or it?", "en", "eye tee or it?"),
        ("Worcestershire, worcester!", "en", "Worcestershire, Wooster!"),
        ("Main St", "en", "Main St"),
        ("Main St", "de-AT", "Main Straße"),
        ("AT&T", "en", "A T <T>"),
    ],
)
def test_words_are_replaced_whole_and_the_longest_first(
    text: str, language: str, said: str
) -> None:
    assert applied(text, WORDS, language) == said


def test_what_was_replaced_is_not_replaced_again() -> None:
    assert applied("a b", [Entry("a", "b"), Entry("b", "a")], "en") == "b a"
    assert applied("Cafe\u0301", [Entry("caf\u00e9", "kaffay")], "en") == "kaffay"


def test_tags_are_never_touched() -> None:
    words = [Entry("speak", "X"), Entry("alias", "X"), Entry("GIF", "<j>"), Entry("lt", "X")]
    text = (
        '<speak>a GIF &lt; <!-- GIF --><sub alias="GIF > 1">GIF</sub> AT&amp;T'
        '<say-as interpret-as="characters">GIF</say-as> speak<break time="1s"/></speak>'
    )
    assert applied(text, [*words, WORDS[5]], "en", markup=True) == (
        '<speak>a &lt;j&gt; &lt; <!-- GIF --><sub alias="GIF > 1">GIF</sub> A T &lt;T&gt;'
        '<say-as interpret-as="characters">GIF</say-as> X<break time="1s"/></speak>'
    )


PHONEMES = Entry("Worcester", "Wooster", ipa="wʊstə")


def test_a_word_with_phonemes_makes_a_text_markup() -> None:
    said = worded("To Worcester & <on>,\nplease\x07.", [PHONEMES, *WORDS], "en", markup=False)
    assert said.markup
    assert said.text == (
        '<speak><p>To <phoneme alphabet="ipa" ph="wʊstə">Wooster</phoneme> &amp; &lt;on&gt;,</p>'
        "<p>please .</p></speak>"
    )
    assert ssml.plain(ssml.parse(said.text)) == "To Wooster & <on>,please ."
    inside = worded("<speak>Worcester<sub alias='W'>Worcester</sub></speak>", [PHONEMES], "en",
                    markup=True)  # fmt: skip
    assert inside.text.count("<phoneme ") == 1
    assert ssml.plain(ssml.parse(inside.text)) == "WoosterW"


def test_without_such_a_word_a_text_stays_a_text() -> None:
    for text, entries in (
        ("Main <St>", [PHONEMES]), ("Worcester", WORDS), ("", [PHONEMES]),
        ("Worcester", [replace(PHONEMES, language="de")]),
    ):  # fmt: skip
        said = worded(text, entries, "en", markup=False)
        assert not said.markup
        assert said.text == applied(text, entries, "en")
    many = worded("Worcester " * (MAX_PHONEMES + 1), [PHONEMES], "en", markup=False)
    assert (many.markup, many.text.split()[0]) == (False, "Wooster")


@given(st.text(max_size=200), st.integers(0, 3))
def test_whatever_is_written_around_phonemes_is_understood(text: str, words: int) -> None:
    said = worded(text + "\nWorcester" * words, [PHONEMES], "en", markup=False)
    assert said.markup == (words > 0)
    if said.markup:
        assert ssml.plain(ssml.parse(said.text)).count("Wooster") >= 1


def cut(number: int, **more: object) -> Cut:
    return replace(Cut(UUID(int=number)), **more)  # type: ignore[arg-type]  # by field names


NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)  # a Friday
SATURDAY = NOON + timedelta(hours=13)
NIGHT = cut(1, from_minute=1320, to_minute=120)


@pytest.mark.parametrize(
    ("one", "at", "valid"),
    [
        (cut(1), NOON, True),
        (cut(1, starts_on=date(2026, 3, 7)), NOON, False),
        (cut(1, ends_on=date(2026, 3, 6)), NOON, True),
        (cut(1, ends_on=date(2026, 3, 5)), NOON, False),
        (cut(1, days=frozenset({4})), NOON, True),
        (cut(1, days=frozenset({5, 6})), NOON, False),
        (cut(1, from_minute=720, to_minute=721), NOON, True),
        (cut(1, from_minute=721, to_minute=800), NOON, False),
        (cut(1, from_minute=1320, to_minute=120), NOON, False),
        # a day-part over midnight belongs to the day on which it began
        (replace(NIGHT, days=frozenset({4})), SATURDAY, True),
        (replace(NIGHT, days=frozenset({5})), SATURDAY, False),
    ],
)  # fmt: skip
def test_when_a_variant_is_valid(one: Cut, at: datetime, valid: bool) -> None:
    assert is_valid(one, at) is valid


def test_variants_are_heard_by_their_weight_and_the_same_for_the_same_play() -> None:
    cuts = [cut(1, weight=3), cut(2), cut(3, weight=0), cut(4, evergreen=True)]
    heard = Counter(choose(cuts, f"message {n}", NOON) for n in range(4000))
    assert heard.keys() == {cuts[0], cuts[1]}
    assert 2850 < heard[cuts[0]] < 3150
    for n in range(50):
        assert choose(cuts, f"{n}", NOON) == choose(cuts[::-1], f"{n}", NOON)


def test_the_evergreen_is_heard_when_nothing_else_is_valid() -> None:
    over = cut(1, ends_on=date(2026, 1, 1))
    evergreen = cut(2, evergreen=True, ends_on=date(2026, 1, 1))
    assert choose([over, evergreen], "x", NOON) == evergreen
    assert choose([over], "x", NOON) is None
    assert choose([cut(3), evergreen], "x", NOON) == cut(3)


@pytest.mark.parametrize("name", chimes.BUILT_IN)
def test_chimes_are_as_loud_as_what_follows_them(name: str) -> None:
    sound = measure_bytes(chimes.sound(name))
    assert sound.lead < 48
    assert sound.true_peak is not None
    assert sound.true_peak < -500
    assert sound.loudness is not None
    assert -2200 < sound.loudness < -1300
