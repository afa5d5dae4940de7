"""Forms with files (multipart/form-data, RFC 7578), read as they come: nothing is held whole."""

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from sync2gear_platform.kit.errors import Refusal

MAX_PARTS: Final = 1000
MAX_HEAD: Final = 8192
"""Bytes of the headers of one part."""

MAX_FIELD: Final = 4096
"""Bytes of a field that is no file."""


class BadForm(Refusal):
    """This is no form with files: send multipart/form-data."""

    code = "bad_form"


@dataclass(slots=True)
class Part:
    """One part: a field, or a file with the name that its sender gives it."""

    name: str
    filename: bytes | None
    data: AsyncIterator[bytes]

    async def text(self) -> str:
        """The value of a field; raises :class:`BadForm` where it is long or no UTF-8."""
        held = bytearray()
        async for piece in self.data:
            held += piece
            if len(held) > MAX_FIELD:
                raise BadForm(f"A field may be {MAX_FIELD} bytes long.")
        try:
            return held.decode()
        except UnicodeDecodeError:
            raise BadForm("Fields are UTF-8.") from None


@dataclass(slots=True)
class _Head:
    """The headers of a part as they are parsed."""

    name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    found: dict[bytes, bytes] = field(default_factory=dict)
    size: int = 0


class Form:
    """The parts of one form, each to be read before the next."""

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
            raise BadForm
        self._body = body
        self._events: deque[_Head | bytes | None] = deque()
        self._head = _Head()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_part_data": self._on_data,
                "on_part_end": lambda: self._events.append(None),
                "on_header_field": self._on_name,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header,
                "on_headers_finished": lambda: self._events.append(self._head),
            },
        )

    async def parts(self) -> AsyncIterator[Part]:
        """Part after part; raises :class:`BadForm` and what the body raises."""
        count = 0
        while (event := await self._next()) is not False:
            if not isinstance(event, _Head):
                continue  # what the caller left of the part before
            count += 1
            if count > MAX_PARTS:
                raise BadForm(f"A form may have {MAX_PARTS} parts.")
            _, options = parse_options_header(event.found.get(b"content-disposition"))
            name = options.get(b"name", b"").decode("utf-8", "replace")
            yield Part(name, options.get(b"filename"), self._data())

    async def _data(self) -> AsyncIterator[bytes]:
        while (event := await self._next()) is not None:
            if not isinstance(event, bytes):
                raise BadForm
            yield event

    async def _next(self) -> _Head | bytes | bool | None:
        """The next head, piece or end (``None``) of a part; ``False`` once the form is over."""
        while not self._events:
            piece = await anext(self._body, None)
            if piece is None:
                return False
            try:
                self._parser.write(piece)
            except MultipartParseError as error:
                raise BadForm from error
        return self._events.popleft()

    def _begin(self) -> None:
        self._head = _Head()

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._head.name += self._measured(data[start:end])

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._head.value += self._measured(data[start:end])

    def _measured(self, data: bytes) -> bytes:
        self._head.size += len(data)
        if self._head.size > MAX_HEAD:
            raise BadForm(f"The headers of a part may be {MAX_HEAD} bytes long.")
        return data

    def _on_header(self) -> None:
        head = self._head
        head.found[bytes(head.name).lower()] = bytes(head.value)
        head.name, head.value = bytearray(), bytearray()
