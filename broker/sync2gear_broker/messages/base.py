"""What every body on the wire has in common: frozen, versioned, tolerant of additions."""

import hashlib
import json
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen part of a document. Unknown fields are ignored: changes are additive."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, allow_inf_nan=False
    )


class Document(Value):
    """A whole body of the contract's major version 1."""

    v: Literal[1] = 1

    def canonical(self) -> bytes:
        """The one spelling of this document: UTF-8 JSON, sorted keys, no white space."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))

    @classmethod
    def parse(cls, payload: bytes | str) -> Self:
        """Read a body; raises ``pydantic.ValidationError`` on anything that is not one."""
        return cls.model_validate_json(payload)


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no white space, the form that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of ``data`` in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()
