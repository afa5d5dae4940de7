"""REST bodies of the audit trail."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sync2gear_platform.audit.rules import GENESIS, Activity, Kind, Operation

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Seq = Annotated[int, Field(ge=0, lt=2**63)]


class ActorOut(BaseModel):
    """Who did it. ``label`` is what the actor was called then, empty once erased."""

    kind: str
    id: UUID | None
    label: str
    session_id: UUID | None


class EntryOut(BaseModel):
    """One entry with its place in the chain. ``erased``: its personal details are gone."""

    id: UUID
    client_id: UUID | None
    seq: int
    hash: str
    at: datetime
    actor: ActorOut
    action: str
    activity: Activity
    operation: Operation
    subject_type: str
    subject_id: UUID | None
    address: str
    agent: str
    before: Any = None
    after: Any = None
    trace: str
    erased: bool


class VerifyIn(BaseModel):
    """Where to go on: after link ``after``, whose hash is ``hash``; by default from the start.

    ``client_id`` is for the installation's people: whose chain, the nil UUID for the
    installation's own.
    """

    model_config = ConfigDict(extra="forbid")

    client_id: UUID | None = None
    after: Seq = 0
    hash: Hash = GENESIS


class FaultOut(BaseModel):
    """The first thing that is wrong."""

    model_config = ConfigDict(from_attributes=True)

    kind: Kind
    detail: str
    seq: int | None
    entry_id: UUID | None
    line: int | None


class AnchoredOut(BaseModel):
    """What the file of anchors remembers of the chain: how many heads, and the newest."""

    model_config = ConfigDict(from_attributes=True)

    compared: int
    seq: int


class VerifyOut(BaseModel):
    """How far the chain was followed; ask again with ``seq`` and ``hash`` until it is ``done``.

    ``anchored`` comes with the end; null there means that no file of anchors is kept.
    """

    chain: UUID
    seq: int
    hash: str
    head: int
    done: bool
    fault: FaultOut | None
    anchored: AnchoredOut | None


class ChainOut(BaseModel):
    """A chain of the installation; ``entries`` is 0 where only anchors remember it."""

    client_id: UUID
    entries: int


class ChainsOut(BaseModel):
    """Every chain."""

    results: list[ChainOut]


Format = Literal["csv", "jsonl"]
