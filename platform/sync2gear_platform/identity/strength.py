"""Whether a password is good enough: long, hard to guess, and not known from a breach. Offline."""

import hashlib
import re
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Final, Protocol

from zxcvbn import zxcvbn

from sync2gear_platform.kit.errors import Refusal, Unavailable

MIN_LENGTH: Final = 10
MAX_LENGTH: Final = 200
"""Characters of a password, after normalisation."""

WANTED_SCORE: Final = 3
"""zxcvbn's scale is 0 to 4; 3 withstands 10^8 guesses."""

JUDGED: Final = 40
"""Characters that zxcvbn sees: its time grows with the square of the length and worse."""

MIN_LEFT: Final = 6
"""Letters that must be left without the words that are known: zxcvbn thinks two of those enough."""

MAX_WORDS: Final = 60
MAX_WORD: Final = 64
"""How much of what is known of a person is compared with the password."""

OUR_WORDS: Final = (
    "sync2gear", "synctogear", "sync", "gear", "speaker", "announcement", "playlist",
    "lautsprecher", "durchsage",
)  # fmt: skip
"""What everybody would guess because it is the password of this product."""

REASONS: Final = {
    "own": "it is made of your own name, your e-mail address, your business or our product",
    "passwords": "it is close to a password that very many people use",
    "words": "it is made of common words or names",
    "spatial": "it follows the keys of a keyboard",
    "repeat": "it repeats itself",
    "sequence": "it is a sequence such as abc or 1234",
    "date": "it is mostly a date or a year",
    "simple": "a computer would find it quickly",
}

ADVICE: Final = "Take four or more words that have nothing to do with each other or with you."

_DIGEST = re.compile(rb"([0-9A-Fa-f]{40})(:[0-9]{1,20})?\r?\n?")
_LINE = 80

# zxcvbn keeps the words of the person at hand in a dictionary that all threads share.
_zxcvbn = threading.Lock()


class WeakPassword(Refusal):
    """This password is too weak: take at least 10 characters that nobody would guess."""

    code = "weak_password"


class BreachedList(Protocol):
    """Passwords that are known from breaches."""

    def holds(self, password: str) -> bool:
        """Whether ``password`` is among them."""
        ...


def normal(password: str) -> str:
    """One spelling of a password, however the keyboard composed its accents (Unicode's NFC)."""
    return unicodedata.normalize("NFC", password)


def judge(password: str, *, inputs: Sequence[str], breached: BreachedList | None = None) -> None:
    """Refuse a weak password. ``inputs`` is what others know: e-mail, name, name of the client.

    Takes up to half a second of computing: not for an event loop.
    """
    password = normal(password)
    if len(password) < MIN_LENGTH:
        raise WeakPassword(
            f"A password needs at least {MIN_LENGTH} characters. {ADVICE}", reason="too_short"
        )
    if len(password) > MAX_LENGTH:
        raise WeakPassword(f"A password has at most {MAX_LENGTH} characters.", reason="too_long")
    known = [*words(inputs), *OUR_WORDS]
    with _zxcvbn:
        verdict = zxcvbn(password[:JUDGED], user_inputs=known)
    own = len(left_over(password, known)) < MIN_LEFT
    if own or verdict["score"] < WANTED_SCORE:
        why = "own" if own else reason(verdict["sequence"])
        raise WeakPassword(
            f"This password is too easy to guess: {REASONS[why]}. {ADVICE}", reason=why
        )
    if breached is not None and breached.holds(password):
        raise WeakPassword(
            "This password is known from a theft of passwords elsewhere, and such passwords are "
            "tried first. Take another one here, and change it wherever else you use it.",
            reason="breached",
        )


def words(inputs: Iterable[str]) -> list[str]:
    """What to compare a password with: each input whole, and its words of three letters or more."""
    found: dict[str, None] = {}
    for text in inputs:
        whole = normal(text).lower()[: MAX_WORD * 4]
        parts = [whole, *re.split(r"[@\s]+", whole), *re.split(r"[\W_]+", whole)]
        found |= dict.fromkeys(part[:MAX_WORD] for part in parts if len(part) > 2)
    return list(found)[:MAX_WORDS]


def left_over(password: str, known: Sequence[str]) -> str:
    """The letters and digits of a password without what is known of the person."""
    left = password.lower()
    for word in sorted(known, key=len, reverse=True):
        left = left.replace(word, " ") if len(word) > 3 else left
    return re.sub(r"[\W_]+", "", left)


def reason(sequence: Sequence[dict[str, Any]]) -> str:
    """The key of ``REASONS`` for the longest part that zxcvbn recognised."""
    longest = max(sequence, key=lambda match: len(match["token"]), default={"pattern": ""})
    if longest["pattern"] == "dictionary":
        return "passwords" if longest["dictionary_name"] == "passwords" else "words"
    pattern = {"regex": "date"}.get(longest["pattern"], longest["pattern"])
    return pattern if pattern in REASONS else "simple"


class BreachedUnreadable(Unavailable):
    """Passwords cannot be checked at the moment: try again later, or tell the operator."""

    code = "breached_list_unavailable"


class BreachedFile:
    """The operator's copy of "Pwned Passwords": SHA-1 digests in order, ``HASH:count`` a line.

    The file has tens of gigabytes: it is searched by halves, some forty reads, never loaded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            first = file.readline(_LINE)
        if not _DIGEST.fullmatch(first):
            raise ValueError(
                f"S2G_BREACHED_PASSWORDS: {path} does not begin with a line HASH:count. Take the"
                " SHA-1 list, ordered by hash (not NTLM), as plain text"
            )

    def holds(self, password: str) -> bool:
        """Whether the file has the digest of ``password``."""
        digest = hashlib.sha1(password.encode(), usedforsecurity=False)
        wanted = digest.hexdigest().upper().encode()
        try:
            with self.path.open("rb") as file:
                return _search(file, wanted)
        except OSError as error:
            raise BreachedUnreadable from error


def _search(file: IO[bytes], wanted: bytes) -> bool:
    # The line that is looked for begins in [low, high), if there is one.
    low, high = 0, file.seek(0, 2)
    while low < high:
        middle = (low + high) // 2
        file.seek(max(middle - 1, 0))
        if middle > 0:
            file.readline(_LINE)
        start = file.tell()
        if start >= high:
            high = middle
            continue
        line = file.readline(_LINE)
        match = _DIGEST.fullmatch(line)
        if match is None:
            raise OSError(f"no digest at byte {start}")
        found = match[1].upper()
        if found == wanted:
            return True
        if found < wanted:
            low = file.tell()
        else:
            high = middle
    return False
