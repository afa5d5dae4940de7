"""What a channel may be made of: how channels nest, and how their lines are put in order."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sync2gear_platform.kit.errors import Refusal

MAX_DEPTH: Final = 4
"""How deep channels nest, the outermost counted."""

MAX_ITEMS: Final = 500
"""The most lines of one channel."""

MAX_CHANNELS: Final = 2_000
"""The most channels of one client."""

MAX_PATTERN: Final = 200
"""The most turns of a pattern."""


class ChannelInItself(Refusal):
    """A channel cannot contain itself, nor a channel that contains it."""

    kind = "conflict"
    code = "channel_cycle"


class ChannelsTooDeep(Refusal):
    """Channels nest at most four deep: name the music itself instead."""

    kind = "conflict"
    code = "channels_too_deep"


class TooManyItems(Refusal):
    """A channel has at most 500 lines: put tracks into a folder and name that."""

    kind = "conflict"
    code = "too_many_items"


class TooManyChannels(Refusal):
    """There are too many channels: remove some that nothing uses."""

    kind = "conflict"
    code = "too_many_channels"


class WrongItems(Refusal):
    """The order must name every line of this channel exactly once."""

    kind = "conflict"
    code = "wrong_order"


class UnknownTurn(Refusal):
    """A pattern names lines of this channel that are heard in turn, and no others."""

    code = "pattern_invalid"


class OneSubject(Refusal):
    """A line is one thing: a track, a folder, an announcement or another channel."""

    code = "item_subject"


def check_nesting(inside: Mapping[UUID, Iterable[UUID]], channel_id: UUID) -> None:
    """Refuse channels that would go round in circles, or too deep, through ``channel_id``.

    ``inside`` says which channels each contains. Raises :class:`ChannelInItself`,
    :class:`ChannelsTooDeep`.
    """
    around: dict[UUID, set[UUID]] = {}
    for outer, inner in inside.items():
        for one in inner:
            around.setdefault(one, set()).add(outer)
    below = _levels(inside, channel_id)
    if any(channel_id in level for level in below[1:]):
        raise ChannelInItself
    above = _levels(around, channel_id)
    if len(below) + len(above) - 1 > MAX_DEPTH:
        raise ChannelsTooDeep


def _levels(next_to: Mapping[UUID, Iterable[UUID]], start: UUID) -> list[set[UUID]]:
    """What is reached from ``start`` in no step, one, two, ...; ends beyond any allowed depth.

    A circle shows as ``start`` itself on a later level: shorter ways than the number of channels
    reach everything, so a long walk is one in a circle.
    """
    levels = [{start}]
    while levels[-1] and len(levels) <= len(next_to) + 1:
        reached = {one for at in levels[-1] for one in next_to.get(at, ())}
        levels.append(reached)
        if start in reached:
            return levels
    return levels[:-1] if not levels[-1] else levels


def check_order(given: Sequence[UUID], items: Iterable[UUID]) -> None:
    """Refuse an order that does not name every line once."""
    known = set(items)
    if len(given) != len(known) or set(given) != known:
        raise WrongItems


def check_pattern(pattern: Sequence[str], turns: Iterable[UUID]) -> None:
    """Refuse a pattern of lines that are not there, or not heard in turn."""
    if not set(pattern) <= {str(one) for one in turns}:
        raise UnknownTurn
