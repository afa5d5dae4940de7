"""Letters: every template says what it must in every language, and a value stays text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from sync2gear_platform.notifications import letters, rules
from sync2gear_platform.settings import MailServer, Settings

VALUES = {
    "client": "Café <Ärger> & Co",
    "inviter": "Kim",
    "url": "https://sync2gear.example/x?a=1&b=2",
    "email": "new@example.com",
    "when": "2026-11-25T16:04:00+00:00",
    "address": "203.0.113.7",
    "agent": "Firefox",
}
EACH = [(template, locale) for template in rules.REQUIRED for locale in rules.LOCALES]


@pytest.mark.parametrize(("template", "locale"), EACH)
def test_every_letter_is_whole(template: str, locale: str) -> None:
    letter = letters.write(template, locale, VALUES)
    assert 5 < len(letter.subject) < 80
    for name in rules.REQUIRED[template] - {"client", "when"}:
        assert VALUES[name] in letter.text
    if "url" in rules.REQUIRED[template]:
        assert 'href="https://sync2gear.example/x?a=1&amp;b=2"' in letter.html
    assert "<Ärger>" not in letter.html
    assert "{" not in letter.text + letter.html.replace(VALUES["client"], "")
    assert ("Guten Tag" if locale == "de" else "Hello") in letter.text
    named = letters.write(template, locale, {**VALUES, "name": "Lee"})
    assert ("Lee," in named.text) == (template != "signup_confirm")


@pytest.mark.parametrize(("template", "locale"), EACH)
def test_the_values_of_a_template_are_those_that_are_documented(template: str, locale: str) -> None:
    assert letters.asked_for(template, locale) - rules.OPTIONAL == rules.REQUIRED[template]
    for name in rules.REQUIRED[template]:
        with pytest.raises(letters.CannotWriteError, match=name):
            letters.write(template, locale, {k: v for k, v in VALUES.items() if k != name})


@given(st.text(max_size=300))
def test_no_value_is_more_than_text(value: str) -> None:
    letter = letters.write("invitation", "en", {**VALUES, "client": value, "inviter": value})
    usual = letters.write("invitation", "en", VALUES)
    assert len(letter.subject.splitlines()) <= 1
    assert letter.text.count("\n") == usual.text.count("\n")
    assert letter.html.count("<p") == usual.html.count("<p")
    assert letter.html.count("href=") == usual.html.count("href=")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "/relative", ""])
def test_a_link_leads_to_a_web_page(url: str) -> None:
    with pytest.raises(letters.CannotWriteError):
        letters.write("password_reset", "en", {"url": url})


def test_an_unknown_template_is_refused_and_an_unknown_language_is_english() -> None:
    with pytest.raises(letters.CannotWriteError, match="no template"):
        letters.write("../page", "en", VALUES)
    assert letters.write("totp_enabled", "fr-CA", {}) == letters.write("totp_enabled", "en", {})
    assert letters.write("totp_enabled", "de-AT", {}) == letters.write("totp_enabled", "de", {})


def test_a_moment_is_written_as_people_write_it() -> None:
    assert rules.written_moment("2026-11-25T16:04:00+00:00", "de") == "25.11.2026, 16:04 UTC"
    assert rules.written_moment("2026-11-25T16:04:00+00:00", "en") == "2026-11-25 16:04 UTC"
    assert rules.written_moment("tomorrow", "en") == "tomorrow"


def test_until_when_a_link_holds_is_said_when_it_is_known() -> None:
    values = {**VALUES, "expires": "2026-11-25T17:00:00+00:00"}
    assert "until 2026-11-25 17:00 UTC" in letters.write("password_reset", "en", values).text


@pytest.mark.parametrize(
    ("given_address", "taken"),
    [
        ("kim@example.com", "kim@example.com"),
        (" Kim.O'Neil+tag@Example.COM ", "Kim.O'Neil+tag@example.com"),
        ("kim@bücher.example", "kim@xn--bcher-kva.example"),
        ("demo@sync2gear.local", "demo@sync2gear.local"),
    ],
)
def test_sound_addresses_are_taken(given_address: str, taken: str) -> None:
    assert rules.envelope(given_address).lower() == taken.lower()


@given(st.text(max_size=80))
def test_no_address_can_end_its_command(address: str) -> None:
    try:
        taken = rules.envelope(address + "@example.com")
    except rules.BadAddressError:
        return
    assert taken.isascii()
    assert not set(taken) & set('\r\n<>,;:"\\ \t()')
    assert taken.count("@") == 1


@pytest.mark.parametrize(
    "address", ["", "kim", "@example.com", "kim@", "kim@host", "a@b..c", "-v@example.com",
                f"{'k' * 250}@example.com", "kim@-example.com", "kim@exam_ple.com"],
)  # fmt: skip
def test_odd_addresses_are_refused(address: str) -> None:
    with pytest.raises(rules.BadAddressError):
        rules.envelope(address)


def settings(url: str, sender: str = "sound@example.com") -> Settings:
    return Settings(env="dev", smtp_url=SecretStr(url), mail_from=sender)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", MailServer("mail.example", 587, "starttls")),
        ("smtps://u:p%40@mail.example", MailServer("mail.example", 465, "implicit", "u", "p@")),
        ("smtp://localhost:25?starttls=never", MailServer("localhost", 25, "none")),
        ("smtp://m:2525?ca=/etc/ca.pem", MailServer("m", 2525, "starttls", ca="/etc/ca.pem")),
    ],
)
def test_a_mail_server_is_named_by_its_address(url: str, server: MailServer) -> None:
    assert settings(url).mail_server == server


@pytest.mark.parametrize(
    "url", ["http://mail.example", "smtp://", "mail.example", "smtp://m:port", "smtp://m?x=1",
            "smtp://m?starttls=maybe", "smtp://mail.example?starttls=never"],
)  # fmt: skip
def test_an_address_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="S2G_SMTP_URL"):
        settings(url)


@pytest.mark.parametrize("sender", ["", "nobody", "a@b\r\nBcc: c@d"])
def test_a_mail_server_needs_a_sender(sender: str) -> None:
    with pytest.raises(ValidationError, match="S2G_MAIL_FROM"):
        settings("smtps://mail.example", sender)
