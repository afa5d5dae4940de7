"""Letters from templates: the same words as plain text and as HTML, in the reader's language.

A template is a file of paragraphs, the first of which is the subject. Each is rendered by itself,
so that no value, whatever it holds, can begin a paragraph or become a link: which paragraph is a
link (``[words](value)``) the template's source alone decides.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, StrictUndefined, UndefinedError
from jinja2 import meta as jinja_meta

from sync2gear_platform.notifications import rules
from sync2gear_platform.notifications.rules import Letter

_FOLDER: Final = files("sync2gear_platform.notifications") / "templates"
_LINK: Final = re.compile(r"\[(?P<words>[^\]]+)\]\((?P<target>\{\{.+\}\})\)")


class CannotWriteError(ValueError):
    """A letter that cannot be written: an unknown template, or a value that is missing."""


def _environment(*, html: bool) -> Environment:
    # autoescape is on wherever the result is HTML; plain text must not be escaped
    made = Environment(undefined=StrictUndefined, autoescape=html, trim_blocks=True)  # noqa: S701 - HTML is escaped
    made.filters["moment"] = rules.written_moment
    return made


_PLAIN: Final = _environment(html=False)
_HTML: Final = _environment(html=True)


@cache
def paragraphs(template: str, locale: str) -> tuple[str, ...]:
    """The source of each paragraph of a template, the subject first."""
    if template not in rules.REQUIRED:
        raise CannotWriteError(f"there is no template {template}")
    source = (_FOLDER / locale / f"{template}.txt").read_text(encoding="utf-8")
    return tuple(part.strip() for part in source.strip().split("\n\n"))


def asked_for(template: str, locale: str) -> set[str]:
    """The values that a template speaks of."""
    source = "\n".join(paragraphs(template, locale))
    return jinja_meta.find_undeclared_variables(_PLAIN.parse(source)) - {"locale"}


def write(template: str, locale: str, values: Mapping[str, Any]) -> Letter:
    """The letter of ``template`` in the language of ``locale``; :class:`CannotWriteError`."""
    language = rules.spoken_language(locale)
    words = {name: rules.one_line(value) for name, value in values.items() if value is not None}
    missing = rules.REQUIRED.get(template, frozenset()) - set(words)
    if missing:
        raise CannotWriteError(f"{template} misses {', '.join(sorted(missing))}")
    optional = {name: words.get(name, "") for name in rules.OPTIONAL}
    words = {**words, **optional, "locale": language}
    subject, *body = paragraphs(template, language)
    try:
        text = [_text(part, words) for part in body]
        html = [_html(part, words) for part in body]
        heading = _PLAIN.from_string(subject).render(words)
    except UndefinedError as error:
        raise CannotWriteError(f"{template}: {error.message}") from error
    return Letter(
        subject=rules.one_line(heading),
        text="\n\n".join(part for part in text if part) + "\n",
        html=_page().render(
            subject=heading, parts=[part for part in html if part], locale=language
        ),
    )


def _text(part: str, words: Mapping[str, str]) -> str:
    link = _LINK.fullmatch(part)
    if link is None:
        return _PLAIN.from_string(part).render(words).strip()
    return _PLAIN.from_string(f"{link['words']}:\n{link['target']}").render(words)


def _html(part: str, words: Mapping[str, str]) -> dict[str, str] | None:
    """A paragraph as the page shows it: escaped text, or a link; ``None`` when it is empty."""
    link = _LINK.fullmatch(part)
    if link is not None:
        target = _PLAIN.from_string(link["target"]).render(words)
        if not target.startswith(("https://", "http://")):
            raise CannotWriteError("a link leads to no web page")
        return {"text": _PLAIN.from_string(link["words"]).render(words), "href": target}
    text = _PLAIN.from_string(part).render(words).strip()
    return {"text": text, "href": ""} if text else None


@cache
def _page() -> Any:
    return _HTML.from_string((_FOLDER / "page.html").read_text(encoding="utf-8"))
