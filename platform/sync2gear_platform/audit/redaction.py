"""What of old and new values may be written down: no secret, at any depth, and not without end."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

HIDDEN: Final = "***"

SECRET_FIELDS: Final = frozenset(
    {
        "password", "passwd", "passphrase", "secret", "token", "jwt", "bearer", "credential",
        "credentials", "cookie", "authorization", "otp", "totp", "recovery", "sealed", "signature",
    }
)  # fmt: skip
"""Words of a field's name that make its value a secret: ``password_hash``, ``accessToken``."""

_KEYS: Final = frozenset({"api", "private", "secret", "access", "vault", "signing", "master"})
"""Words before ``key`` that make it one that opens something."""

_HARMLESS: Final = frozenset({"id", "ids", "count", "name", "at", "expires", "version"})
"""Last words of names that only speak of a secret: ``token_id``, ``password_changed_at``."""

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_SECRETS: Final = re.compile(
    r"""
    eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*                 # JWT
    | s2g_?[\w-]*_[\w-]{16,}                        # our API tokens
    | \$(?:argon2\w*|2[abxy]|scrypt|pbkdf2[\w-]*)\$\S+   # password hashes
    | gAAAAA[\w-]{20,}={0,2}                        # Fernet
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*?(?:-----END[ ][A-Z ]*-----|\Z)
    | (?<=://)[^/\s:@]*:[^/\s@]+(?=@)               # user:password of an address
    | (?i:(?<=bearer\ )|(?<=basic\ ))[\w.~+/=-]{16,}
    """,
    re.VERBOSE | re.DOTALL,
)

MAX_DEPTH: Final = 20
MAX_TEXT: Final = 10_000
MAX_ITEMS: Final = 1_000
MAX_BYTES: Final = 65_536
_CUT: Final = "…"


def redacted(values: Mapping[str, Any] | None) -> Any:
    """JSON ``values`` without secrets; what is too long, too deep or no number is cut or named."""
    if values is None:
        return None
    clean = _clean(values, MAX_DEPTH)
    size = len(json.dumps(clean, ensure_ascii=True))
    return clean if size <= MAX_BYTES else {"cut": f"{size} bytes: too large to be written down"}


def is_secret(name: str) -> bool:
    """Whether a field of this name holds a secret."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[-1] in _HARMLESS:
        return False
    singular = [word.removesuffix("s") for word in words]
    if SECRET_FIELDS & {*words, *singular}:
        return True
    pairs = zip(words, singular[1:], strict=False)
    return any(first in _KEYS and second == "key" for first, second in pairs)


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _SECRETS.sub(HIDDEN, value[: MAX_TEXT + 1])[:MAX_TEXT] + (
            _CUT if len(value) > MAX_TEXT else ""
        )
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if not isinstance(value, (Mapping, list, tuple)):
        return value
    if depth == 0:
        return _CUT
    if isinstance(value, Mapping):
        return {
            str(name): HIDDEN
            if is_secret(str(name)) and inner is not None
            else _clean(inner, depth - 1)
            for name, inner in list(value.items())[:MAX_ITEMS]
        }
    return [_clean(inner, depth - 1) for inner in value[:MAX_ITEMS]]
