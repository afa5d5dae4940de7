"""SSML that is understood, the breaker, and which voice fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_platform.announcements import rules, ssml
from sync2gear_platform.announcements.breaker import FAILURES, FIRST_REST, LAST_REST, Breaker
from sync2gear_platform.announcements.ports import PLAIN, Prosody, Voice


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "ssml_invalid"),
        ("hello", "ssml_invalid"),
        ("<speak>open", "ssml_invalid"),
        ("<speak>\ud800</speak>", "ssml_invalid"),
        ("<speak> <break/> </speak>", "text_empty"),
        ("<p>no speak</p>", "ssml_element"),
        ("<speak><speak>x</speak></speak>", "ssml_element"),
        ("<speak><audio src='http://a/'/>x</speak>", "ssml_element"),
        ("<speak><mark name='a'/>x</speak>", "ssml_element"),
        ("<speak><sub alias='a'><p>x</p></sub></speak>", "ssml_element"),
        ("<speak><break>x</break></speak>", "ssml_element"),
        ("<speak><?php x?>x</speak>", "ssml_element"),
        ("<speak onclick='x'>x</speak>", "ssml_attribute"),
        ("<speak><sub>x</sub></speak>", "ssml_attribute"),
        ("<speak><phoneme ph='a'>x</phoneme></speak>", "ssml_attribute"),
        ("<speak><phoneme alphabet='ipa'>x</phoneme></speak>", "ssml_attribute"),
        ("<speak><phoneme alphabet='x-sampa' ph='a'>x</phoneme></speak>", "ssml_value"),
        ("<speak><phoneme alphabet='ipa' ph='&lt;a>'>x</phoneme></speak>", "ssml_value"),
        ("<speak><phoneme alphabet='ipa' ph='a'><p>x</p></phoneme></speak>", "ssml_element"),
        ("<speak>a<phoneme alphabet='ipa' ph='a'> </phoneme></speak>", "ssml_element"),
        ("<speak><break time='11s'/>x</speak>", "ssml_value"),
        ("<speak>x" + "<break time='10s'/>" * 7 + "</speak>", "ssml_value"),
        ("<speak><prosody rate='1000%'>x</prosody></speak>", "ssml_value"),
        ("<speak><prosody pitch='+99st'>x</prosody></speak>", "ssml_value"),
        ("<speak>" + "<p>" * 12 + "x" + "</p>" * 12 + "</speak>", "ssml_too_deep"),
        ("<speak>" + "<p>x</p>" * 500 + "</speak>", "ssml_too_deep"),
        ("<speak>" + "x" * 20_000 + "</speak>", "ssml_too_large"),
        ("<!DOCTYPE speak><speak>x</speak>", "ssml_doctype"),
        ('<!DOCTYPE s [<!ENTITY a "b">]><speak>&a;</speak>', "ssml_doctype"),
        ('<!DOCTYPE s SYSTEM "file:///etc/passwd"><speak>x</speak>', "ssml_doctype"),
        ("<speak>&undefined;</speak>", "ssml_invalid"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, code: str) -> None:
    with pytest.raises(ssml.BadMarkup) as refused:
        ssml.parse(text)
    assert refused.value.code == code
    assert len(refused.value.detail) < 400


def test_what_is_understood_is_written_anew() -> None:
    markup = ssml.parse(
        "<speak version='1.1' xml:lang='en'>A &lt;b&gt; <break strength='weak'/>"
        "<sub alias='World &amp; Web'>W</sub><say-as interpret-as='characters'>ab</say-as>"
        "<![CDATA[<x>]]><!-- nothing --></speak>"
    )
    assert ssml.parse(markup.canonical).canonical == markup.canonical
    assert "version" not in markup.canonical
    assert "&lt;x&gt;" in markup.canonical
    assert ssml.plain(markup) == "A <b> World & Webab<x>"
    assert ssml.pieces(markup) == ["A <b>", 250, "World & Web" + "a b" + "<x>"]


def test_phonemes_stand_for_the_word_that_they_hold() -> None:
    markup = ssml.parse(
        "<speak>In <phoneme ph='wʊs.tə' alphabet='ipa'>Wooster &amp; Co</phoneme>.</speak>"
    )
    assert '<phoneme alphabet="ipa" ph="wʊs.tə">Wooster &amp; Co</phoneme>' in markup.canonical
    assert ssml.parse(markup.canonical).canonical == markup.canonical
    assert ssml.plain(markup) == "In Wooster & Co."
    assert ssml.pieces(markup) == ["In Wooster & Co."]
    without = ssml.write(markup.root, ssml.without_phonemes)
    assert "ipa" not in without
    assert ssml.plain(ssml.parse(without)) == "In Wooster & Co."


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80))
def test_no_text_becomes_markup(text: str) -> None:
    from xml.sax.saxutils import escape

    source = f"<speak>.{escape(text)}<break time='1s'/></speak>"
    markup = ssml.parse(source)
    again = ssml.parse(markup.canonical)
    assert again.canonical == markup.canonical
    assert ssml.plain(again) == ssml.plain(markup)
    assert [c.name for c in again.root.children if isinstance(c, ssml.Element)] == ["break"]


def test_a_breaker_opens_tries_once_and_closes() -> None:
    breaker = Breaker()
    for _ in range(FAILURES):
        assert breaker.admits(0.0)
        breaker.failed(0.0)
    assert not breaker.admits(FIRST_REST - 0.1)
    assert breaker.admits(FIRST_REST)
    assert not breaker.admits(FIRST_REST), "one at a time"
    breaker.failed(FIRST_REST)
    assert not breaker.admits(2.9 * FIRST_REST)
    assert breaker.admits(3 * FIRST_REST)
    breaker.unasked()
    assert breaker.admits(3 * FIRST_REST)
    breaker.went_well()
    assert breaker.admits(3 * FIRST_REST)
    assert breaker.admits(3 * FIRST_REST)
    now = 0.0
    for _ in range(20):
        breaker.failed(now)
        assert breaker.until - now <= LAST_REST


VOICES = [
    Voice("en-US-Neural2-C", "en-US", ""),
    Voice("en-GB-Standard-A", "en-GB", ""),
    Voice("de", "de", ""),
    Voice("de-AT-x", "de-AT", ""),
]


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("en", "en-US-Neural2-C"), ("en-GB", "en-GB-Standard-A"), ("en-AU", "en-US-Neural2-C"),
        ("de-CH", "de"), ("de-at", "de-AT-x"), ("fr", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_voice_that_fits_a_language(language: str, voice: str) -> None:
    assert rules.fitting(VOICES, language) == voice


def test_a_language_is_read_off_a_name() -> None:
    named = {
        "en-US-Neural2-C": "en-US", "de_DE-thorsten-low": "de-DE", "en": "en", "en-us": "en-US",
        "fra": "fra", "Zira": "", "": "",
    }  # fmt: skip
    assert {name: rules.language_of(name) for name in named} == named


def test_whatever_is_heard_differently_is_kept_apart() -> None:
    keys = {
        rules.cache_key(said, voice, prosody, kind)
        for said in ("a", "b", "ssml:a")
        for voice in ("x", "y")
        for prosody in (PLAIN, Prosody(rate=90), Prosody(pitch=1), Prosody(volume=-1))
        for kind in ("google", "piper")
    }
    assert len(keys) == 3 * 2 * 4 * 2
