"""Which passwords are taken, and how the list of breached ones is searched."""

import hashlib
import tempfile
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.world import PASSWORD
from sync2gear_platform.identity import strength
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.strength import BreachedFile, BreachedUnreadable, WeakPassword

ANNA = ("anna.schmidt@backhaus-lindner.example", "Anna Schmidt", "Backhaus Lindner")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "too_short"),
        ("x" * 201, "too_long"),
        ("password123", "passwords"),
        ("Passw0rd!!", "passwords"),
        ("annaschmidt1", "own"),
        ("Backhaus-Lindner", "own"),
        ("sync2gear2026", "own"),
        ("qwertzuiop", "passwords"),
        ("Anna.Schmidt.1984!", "own"),
        ("qwertyuiop[]", "spatial"),
        ("aaaaaaaaaaaa", "repeat"),
        ("abcabcabcabc", "repeat"),
        ("abcdefghijkl", "sequence"),
        ("24.12.1984 ", "date"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str, reason: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        strength.judge(password, inputs=ANNA)
    assert refused.value.extra["reason"] == reason
    assert password not in refused.value.detail


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "gVq7-x2Lm!t",
        "vier Enten tanzen heimlich",
        "пирог утром и чайник",
        "x9" + "k" * 3 + "%vQ" * 60,
        "N0t-Anna's-u5ual-One",
    ],
)
def test_a_good_password_is_taken(password: str) -> None:
    strength.judge(password, inputs=ANNA)


def test_the_words_of_one_person_do_not_bind_another() -> None:
    """zxcvbn keeps them in a table that all threads share: judging is one at a time."""
    mine = "quibblewort-fandango"

    def judged(number: int) -> bool:
        try:
            strength.judge(mine, inputs=[mine] if number % 2 else ANNA)
        except WeakPassword:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(judged, range(60))) == [n % 2 == 0 for n in range(60)]


@pytest.mark.parametrize("alphabet", ["4@8(3691!0$5+7%2", "1!|l7+", "a1", "0123456789"])
def test_judging_the_longest_password_takes_no_time_to_speak_of(alphabet: str) -> None:
    hostile = (alphabet * 200)[: strength.MAX_LENGTH]
    inputs = [" ".join(f"word{n}x" for n in range(5000))] * 10
    began = time.process_time()
    with suppress(WeakPassword):
        strength.judge(hostile, inputs=inputs)
    assert time.process_time() - began < 2


@given(st.lists(st.text(max_size=400), max_size=8))
def test_what_is_known_of_a_person_is_bounded(inputs: list[str]) -> None:
    found = strength.words(inputs)
    assert len(found) <= strength.MAX_WORDS
    assert all(2 < len(word) <= strength.MAX_WORD for word in found)


async def test_accents_may_be_composed_by_any_keyboard() -> None:
    composed = unicodedata.normalize("NFC", "Öl für Großmütter, täglich")
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    passwords = Passwords(1024)
    for made, typed in ((composed, decomposed), (decomposed, composed)):
        assert await passwords.check(typed, await passwords.hash(made))
    # a hash from before there was normalisation
    old = passwords._hasher.hash(decomposed)
    assert await passwords.check(decomposed, old)
    assert not await passwords.check("Öl für Großmütter", old)
    assert not await passwords.check(decomposed, None)


def digest(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


def write_list(path: Path, passwords: list[str], end: str = "\n", last: str = "\n") -> Path:
    lines = sorted(f"{digest(p)}:{len(p) * 7}" for p in passwords)
    path.write_bytes((end.join(lines) + last).encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "\n", "\r\n"])
@pytest.mark.parametrize("count", [1, 2, 3, 1000])
def test_every_line_of_a_list_is_found_and_nothing_else(
    tmp_path: Path, end: str, last: str, count: int
) -> None:
    known = [f"password number {n}" for n in range(count)]
    file = BreachedFile(write_list(tmp_path / "pwned.txt", known, end, last))
    assert all(file.holds(p) for p in known)
    assert not any(file.holds(f"another {n}") for n in range(300))


@given(st.sets(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=30))
def test_a_list_of_anything_holds_what_it_holds(known: set[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        some = sorted(known)[::2]
        file = BreachedFile(write_list(Path(folder) / "pwned.txt", some))
        assert {p for p in known if file.holds(p)} == set(some)


def test_lower_case_digests_without_counts_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "pwned.txt"
    path.write_text("".join(sorted(digest(p).lower() + "\n" for p in ("one", "two", "three"))))
    file = BreachedFile(path)
    assert file.holds("two")
    assert not file.holds("four")


def test_a_breached_password_is_refused_however_strong(tmp_path: Path) -> None:
    file = BreachedFile(write_list(tmp_path / "pwned.txt", ["gVq7-x2Lm!t", "other"]))
    with pytest.raises(WeakPassword) as refused:
        strength.judge("gVq7-x2Lm!t", inputs=ANNA, breached=file)
    assert refused.value.extra["reason"] == "breached"
    strength.judge("gVq7-x2Lm!u", inputs=ANNA, breached=file)


@pytest.mark.parametrize(
    "content",
    [b"", b"password1\npassword2\n", b"8846F7EAEE8FB117AD06BDD830B7586C:3\n", b"\x1f\x8b\x08" * 50],
)
def test_a_file_that_is_no_such_list_is_refused_at_start(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pwned.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="SHA-1"):
        BreachedFile(path)


def test_a_list_that_is_damaged_or_gone_lets_nothing_pass(tmp_path: Path) -> None:
    path = write_list(tmp_path / "pwned.txt", [f"p{n}" for n in range(9)])
    file = BreachedFile(path)
    path.write_bytes(path.read_bytes()[:30] + b"\xff" * 9000)
    with pytest.raises(BreachedUnreadable):
        file.holds("a password")
    path.unlink()
    with pytest.raises(BreachedUnreadable):
        strength.judge(PASSWORD, inputs=ANNA, breached=file)
