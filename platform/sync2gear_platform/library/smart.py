"""Rules of smart folders: a small tree of conditions, as SQL and, for whoever checks it, as Python.

``{"all": [...]}`` or ``{"any": [...]}`` of conditions ``{"field", "op", "value"}`` and of further
groups. Texts are compared without case. "Within days" of what never happened is false.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from sqlalchemy import ColumnElement, and_, func, not_, or_, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.tables import Folder, Track

MAX_DEPTH: Final = 4
MAX_CONDITIONS: Final = 50

Value = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]*$")]
Days = Annotated[int, Field(strict=True, ge=1, le=36_500)]
Amount = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


class _Condition(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextCondition(_Condition):
    """What a name is, begins with or contains."""

    field: Literal["title", "artist", "album", "genre", "filename", "licence"]
    op: Literal["is", "is_not", "begins", "contains"]
    value: Value


class TagCondition(_Condition):
    """Which tags a track has."""

    field: Literal["tags"]
    op: Literal["has", "has_not"]
    value: Value


class AmountCondition(_Condition):
    """How much: years, seconds, plays. What has no year meets no condition on years."""

    field: Literal["year", "duration", "play_count"]
    op: Literal["is", "at_least", "at_most"]
    value: Amount


class MomentCondition(_Condition):
    """How long ago, in days."""

    field: Literal["added", "last_played"]
    op: Literal["within_days", "not_within_days"]
    value: Days


class FlagCondition(_Condition):
    """What is so or not; ``valid``: today is between its days."""

    field: Literal["explicit", "offline_allowed", "valid"]
    op: Literal["is"]
    value: Annotated[bool, Field(strict=True)]


Condition = Annotated[
    TextCondition | TagCondition | AmountCondition | MomentCondition | FlagCondition,
    Field(discriminator="field"),
]


class Rules(BaseModel):
    """A group: all of its members have to be met, or any of them."""

    model_config = ConfigDict(extra="forbid")

    all: Annotated[list["Condition | Rules"], Field(min_length=1, max_length=50)] | None = None
    any: Annotated[list["Condition | Rules"], Field(min_length=1, max_length=50)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Rules":
        if (self.all is None) == (self.any is None):
            raise ValueError("a group has either `all` or `any`")
        if self.depth() > MAX_DEPTH:
            raise ValueError(f"groups nest at most {MAX_DEPTH} deep")
        if self.size() > MAX_CONDITIONS:
            raise ValueError(f"there are at most {MAX_CONDITIONS} conditions")
        return self

    @property
    def members(self) -> "Sequence[_Condition | Rules]":
        """What the group is made of."""
        return self.all or self.any or ()

    def depth(self) -> int:
        """How deep groups nest."""
        return 1 + max((m.depth() for m in self.members if isinstance(m, Rules)), default=0)

    def size(self) -> int:
        """How many conditions there are."""
        return sum(m.size() if isinstance(m, Rules) else 1 for m in self.members)


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Tongue:
    """How one language says each condition; ``T`` is its kind of truth value."""

    leaves: Mapping[type[_Condition], Callable[[Any], Any]]
    both: Callable[[list[Any]], Any]
    either: Callable[[list[Any]], Any]

    def say(self, rules: Rules) -> Any:
        said = [
            self.say(m) if isinstance(m, Rules) else self.leaves[type(m)](m) for m in rules.members
        ]
        return self.both(said) if rules.all else self.either(said)


def condition(rules: Rules, now: datetime) -> ColumnElement[bool]:
    """``rules`` as a condition on ``tracks``, never null."""

    def text(leaf: TextCondition) -> ColumnElement[bool]:
        mine, wanted = func.lower(_COLUMNS[leaf.field]), func.lower(leaf.value)
        if leaf.op == "contains":
            return func.strpos(mine, wanted) > 0
        if leaf.op == "begins":
            return func.starts_with(mine, wanted)
        return mine == wanted if leaf.op == "is" else mine != wanted

    def tag(leaf: TagCondition) -> ColumnElement[bool]:
        has: ColumnElement[bool] = type_coerce(Track.tags, JSONB).contains([leaf.value])
        return has if leaf.op == "has" else not_(has)

    def amount(leaf: AmountCondition) -> ColumnElement[bool]:
        mine = _COLUMNS[leaf.field]
        wanted = leaf.value * 1000 if leaf.field == "duration" else leaf.value
        if leaf.op == "is" and leaf.field == "duration":
            return func.coalesce(and_(mine >= wanted, mine < wanted + 1000), False)
        by = {"is": mine == wanted, "at_least": mine >= wanted, "at_most": mine <= wanted}
        return func.coalesce(by[leaf.op], False)

    def moment(leaf: MomentCondition) -> ColumnElement[bool]:
        recent = func.coalesce(_COLUMNS[leaf.field] >= now - timedelta(days=leaf.value), False)
        return recent if leaf.op == "within_days" else not_(recent)

    def flag(leaf: FlagCondition) -> ColumnElement[bool]:
        if leaf.field == "valid":
            today = now.date()
            mine = and_(
                func.coalesce(col(Track.valid_from) <= today, True),
                func.coalesce(col(Track.valid_until) >= today, True),
            )
        else:
            mine = _COLUMNS[leaf.field]
        return mine if leaf.value else not_(mine)

    tongue = _Tongue(
        {
            TextCondition: text,
            TagCondition: tag,
            AmountCondition: amount,
            MomentCondition: moment,
            FlagCondition: flag,
        },
        lambda said: and_(*said),
        lambda said: or_(*said),
    )
    said: ColumnElement[bool] = tongue.say(rules)
    return said


def fits(rules: Rules, track: Track, now: datetime) -> bool:
    """Whether ``track`` meets ``rules``: the same as :func:`condition`, without a database."""

    def text(leaf: TextCondition) -> bool:
        mine, wanted = str(getattr(track, leaf.field)).lower(), leaf.value.lower()
        return {
            "is": mine == wanted,
            "is_not": mine != wanted,
            "begins": mine.startswith(wanted),
            "contains": wanted in mine,
        }[leaf.op]

    def tag(leaf: TagCondition) -> bool:
        return (leaf.value in track.tags) == (leaf.op == "has")

    def amount(leaf: AmountCondition) -> bool:
        mine = {
            "year": track.year,
            "duration": track.duration_millis / 1000,
            "play_count": track.play_count,
        }[leaf.field]
        if mine is None:
            return False
        if leaf.op == "is":
            return int(mine) == leaf.value
        return mine >= leaf.value if leaf.op == "at_least" else mine <= leaf.value

    def moment(leaf: MomentCondition) -> bool:
        mine = track.created_at if leaf.field == "added" else track.last_played_at
        recent = mine is not None and mine >= now - timedelta(days=leaf.value)
        return recent == (leaf.op == "within_days")

    def flag(leaf: FlagCondition) -> bool:
        if leaf.field != "valid":
            return bool(getattr(track, leaf.field)) == leaf.value
        today = now.date()
        begun = track.valid_from is None or track.valid_from <= today
        over = track.valid_until is not None and track.valid_until < today
        return (begun and not over) == leaf.value

    tongue = _Tongue(
        {
            TextCondition: text,
            TagCondition: tag,
            AmountCondition: amount,
            MomentCondition: moment,
            FlagCondition: flag,
        },
        all,
        any,
    )
    return bool(tongue.say(rules))


_COLUMNS: Final[dict[str, Any]] = {
    "title": col(Track.title),
    "artist": col(Track.artist),
    "album": col(Track.album),
    "genre": col(Track.genre),
    "filename": col(Track.filename),
    "licence": col(Track.licence),
    "year": col(Track.year),
    "duration": col(Track.duration_millis),
    "play_count": col(Track.play_count),
    "added": col(Track.created_at),
    "last_played": col(Track.last_played_at),
    "explicit": col(Track.explicit),
    "offline_allowed": col(Track.offline_allowed),
}

KEYS: Final[dict[str, Any]] = {
    "position": col(Track.position),
    "title": col(Track.title),
    "artist": col(Track.artist),
    "album": col(Track.album),
    "duration_millis": col(Track.duration_millis),
    "play_count": col(Track.play_count),
    "created_at": col(Track.created_at),
}
"""By what tracks are put in an order."""


def chosen(ctx: Ctx, folder: Folder) -> ColumnElement[bool]:
    """What is in a smart folder: what its rules fit, and of those no more than it takes."""
    if folder.most is None:
        return condition(Rules.model_validate(folder.rules), ctx.now)
    return col(Track.id).in_(choice(ctx, folder).with_only_columns(col(Track.id)))


def preview(ctx: Ctx, folder: Folder) -> Any:
    """A statement of the tracks of a smart folder in no order yet."""
    return select(Track).where(col(Track.client_id) == ctx.client_id, chosen(ctx, folder))


def ordering(folder: Folder) -> list[Any]:
    """By what the tracks of a smart folder are put in order; it is total."""
    descending = folder.order.startswith("-")
    key = KEYS[folder.order.removeprefix("-")]
    return [k.desc() if descending else k.asc() for k in (key, col(Track.id))]


def choice(ctx: Ctx, folder: Folder) -> Any:
    """A statement of the tracks of a smart folder in its order."""
    fit = condition(Rules.model_validate(folder.rules), ctx.now)
    mine = select(Track).where(col(Track.client_id) == ctx.client_id, fit)
    statement = mine.order_by(*ordering(folder))
    return statement if folder.most is None else statement.limit(folder.most)
