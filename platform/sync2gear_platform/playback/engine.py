"""What a command makes of a zone's state: pure functions from one document to the next.

Every function takes the state rebased to now (:func:`opened`) and gives the state wanted;
:func:`closed` puts the version on it and refuses a document that is too large. ``at`` is the frame
from which the command holds: now, or now plus the lead that the speakers need.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

from sync2gear_broker import timeline
from sync2gear_broker.messages import (
    Anchor,
    LiveEvent,
    OpenEvent,
    Programme,
    ProgrammeRef,
    Window,
    ZoneState,
)
from sync2gear_broker.messages.zone import MAX_LIVE_EVENTS
from sync2gear_broker.topics import ZONE_DESIRED
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.playback.rules import MAX_ZONES, Need, lead

Programmes = Mapping[str, Programme]
Cancelled = TypeVar("Cancelled", LiveEvent, OpenEvent)

RESTART_AFTER: Final = 3 * FRAME_RATE
"""``previous`` later than this in an item begins the item again, as people know from players."""

MAX_SKIPS: Final = 64

ROOM: Final = 1536
"""Bytes of a document that announcements leave free: it grows as they begin, and people must still
be able to pause, stop and cancel."""


class NothingToPlay(Refusal):
    """This zone has never been given music: play a folder or tracks first."""

    kind = "conflict"
    code = "nothing_to_play"


class AboutToBegin(Refusal):
    """The music of this zone begins in a moment: try again then."""

    kind = "conflict"
    code = "about_to_begin"


class NoMusicNow(Refusal):
    """No music is planned here at this time, only what is announced: choose some first."""

    kind = "conflict"
    code = "no_music_now"


class SeekBeyondEnd(Refusal):
    """That position is beyond the end of what is playing."""

    code = "seek_beyond_end"


class TooManyLiveEvents(Refusal):
    """Too many announcements wait in this zone: cancel one, or wait until one is over."""

    kind = "conflict"
    code = "too_many_live_events"


class StateTooLarge(Refusal):
    """Too much is going on in this zone at once: wait until an announcement is over."""

    kind = "conflict"
    code = "state_too_large"


class NoSuchEvent(Refusal):
    """There is no such announcement in this zone, or it is over."""

    kind = "not_found"
    code = "no_such_event"


def opened(programmes: Programmes, state: ZoneState, now: int) -> ZoneState:
    """``state`` with everything that is over at ``now`` folded away: where a command begins."""
    return timeline.rebase(programmes, state, now)


def closed(state: ZoneState, version: tuple[int, int]) -> ZoneState:
    """``state`` as it is published, under its new ``(epoch, rev)``."""
    state = state.model_copy(update={"epoch": version[0], "rev": version[1]})
    if len(state.canonical()) > ZONE_DESIRED.max_bytes:
        raise StateTooLarge
    return state


def play(state: ZoneState, programme: Programme, sha256: str, now: int) -> ZoneState:
    """The music of ``programme`` from its first block on; announcements go on as they are."""
    block = programme.blocks[0]
    at = block.at
    ruling = tuple(ref for ref in state.programmes if ref.from_ <= now)[-1:]
    anchor = state.anchor
    if anchor is None or not ruling:
        anchor = Anchor(at=now, block=block.id, pos=block.pos, open=_open(state, now))
    return state.model_copy(
        update={
            "programmes": (*ruling, ProgrammeRef(sha256=sha256, from_=at)),
            "anchor": anchor,
            "hold": _ended(state.hold, at),
            "stopped": _ended(state.stopped, at),
        }
    )


def swap(
    state: ZoneState, programme: Programme, sha256: str, now: int, at: int, since: int = 0
) -> ZoneState:
    """``programme`` rules from ``at`` on; what people did, and what is announced, stays.

    It was made for what is so from the frame ``since`` on: what begins last before that, such as
    what people have just chosen, does not wait until ``at``.
    """
    ref = ProgrammeRef(sha256=sha256, from_=at)
    ruling = tuple(one for one in state.programmes if one.from_ <= now)[-1:]
    begins = tuple(one for one in state.programmes if now < one.from_ < since)[-1:]
    anchor = state.anchor
    if anchor is None or not ruling:
        block = programme.blocks[0]
        anchor = Anchor(at=now, block=block.id, pos=block.pos, open=_open(state, now))
    return state.model_copy(update={"programmes": (*ruling, *begins, ref), "anchor": anchor})


def pause(state: ZoneState, at: int) -> ZoneState:
    """The music stands still from ``at`` on; announcements still sound."""
    musical(state)
    return state.model_copy(update={"hold": _begun(state.hold, at)})


def resume(state: ZoneState, at: int) -> ZoneState:
    """Pause and stop end at ``at``: the music goes on where it stood."""
    musical(state)
    return state.model_copy(
        update={"hold": _ended(state.hold, at), "stopped": _ended(state.stopped, at)}
    )


def stop(state: ZoneState, at: int, until: int | None = None) -> ZoneState:
    """Nothing but an emergency sounds from ``at`` on, until somebody resumes or for a while."""
    musical(state)
    begun = _begun(state.stopped, at).model_copy(update={"until": until})
    return state.model_copy(update={"stopped": begun})


def skip_forward(programmes: Programmes, state: ZoneState, now: int, at: int) -> ZoneState:
    """What sounds at ``now`` ends; the next item begins at ``at``."""
    return _jump(programmes, state, now, at, 1)


def skip_back(programmes: Programmes, state: ZoneState, now: int, at: int) -> ZoneState:
    """The item begins again at ``at``, or the one before it if this one has only just begun."""
    position = timeline.music_at(timeline.settle(programmes, state), now)
    again = position is not None and position.offset > RESTART_AFTER
    return _jump(programmes, state, now, at, 0 if again else -1)


def seek(programmes: Programmes, state: ZoneState, now: int, at: int, offset: int) -> ZoneState:
    """The item that has the music goes on at ``at`` from ``offset`` frames in."""
    musical(state)
    position = timeline.music_at(timeline.settle(programmes, state), now)
    if position is not None and not position.silent and offset >= position.length:
        raise SeekBeyondEnd
    return _jump(programmes, state, now, at, 0, offset)


def volume(state: ZoneState, percent: int, *, mute: bool | None = None) -> ZoneState:
    """Another volume; ``mute`` None leaves the mute as it is."""
    silent = state.mute if mute is None else mute
    return state.model_copy(update={"volume": percent, "mute": silent})


def announce(state: ZoneState, event: LiveEvent) -> ZoneState:
    """``event`` joins those that sound or wait."""
    if len(state.live) >= MAX_LIVE_EVENTS:
        raise TooManyLiveEvents
    state = state.model_copy(update={"live": (*state.live, event)})
    if len(state.canonical()) > ZONE_DESIRED.max_bytes - ROOM:
        raise StateTooLarge
    return state


def in_turn(state: ZoneState, now: int, start: int, priority: int) -> int:
    """When a call of ``priority`` that could begin at ``start`` begins: not before an earlier one.

    An earlier one that is as urgent may still wait for its larger file. One that is further off
    than its file takes was put off by a person, who wants to hear the others meanwhile.
    """
    before = (
        event.start
        for event in state.live
        if event.priority == priority
        and (event.end is None or event.end > event.start)
        and now < event.start <= now + lead([Need(event.media.bytes, False)], zones=MAX_ZONES)
    )
    return max(start, max(before, default=start - 1) + 1)


def cancel(programmes: Programmes, state: ZoneState, event_id: str, at: int) -> ZoneState:
    """Nothing of the event sounds from ``at`` on. Its record stays, so music does not jump."""
    live = tuple(_cut(e, at) if e.id == event_id else e for e in state.live)
    anchor = state.anchor
    listed = anchor.open if anchor else ()
    entries = tuple(_cut(e, at) if e.id == event_id else e for e in listed)
    known = event_id in {e.id for e in state.live} | {e.id for e in listed}
    skip = state.skip
    if not known and _planned(programmes, state, event_id, at) and event_id not in skip:
        skip, known = (*skip, event_id), True
    if not known:
        raise NoSuchEvent
    if len(skip) > MAX_SKIPS:
        raise StateTooLarge
    if anchor is not None:
        anchor = anchor.model_copy(update={"open": entries})
    return state.model_copy(update={"live": live, "skip": skip, "anchor": anchor})


def _planned(programmes: Programmes, state: ZoneState, event_id: str, at: int) -> bool:
    held = (programmes[r.sha256] for r in state.programmes if r.sha256 in programmes)
    return any(e.id == event_id and e.start >= at for p in held for e in p.events)


def musical(state: ZoneState) -> Anchor:
    """The anchor of a zone that has music; :class:`NothingToPlay` for one that never had."""
    if state.anchor is None or not state.programmes:
        raise NothingToPlay
    return state.anchor


def _jump(
    programmes: Programmes, state: ZoneState, now: int, at: int, step: int, offset: int = 0
) -> ZoneState:
    """Put the music by hand; what is announced meanwhile goes on.

    An anchor says nothing of the time before it, so it lies at ``now`` and the music stands still
    on its new place until ``at``: every speaker begins there on the same frame, with the first one.
    """
    anchor = musical(state)
    settled = timeline.settle(programmes, state)
    target = timeline.item_start(settled, now, step)
    if target is None:
        raise AboutToBegin
    position = timeline.music_at(settled, now)
    if position is not None and position.silent:
        raise NoMusicNow
    block, pos = target[0], target[1] + offset
    moved = {"block": block, "pos": pos, "fresh": pos, "until": None}
    return state.model_copy(
        update={"anchor": anchor.model_copy(update=moved), "hold": _still(state.hold, now, at)}
    )


def _still(window: Window | None, now: int, at: int) -> Window:
    """A pause from ``now`` until ``at``, or until a longer one that people asked for ends."""
    if window is None:
        return Window(from_=now, until=at)
    until = None if window.until is None else max(window.until, at)
    return Window(from_=min(window.from_, now), until=until)


def _open(state: ZoneState, now: int) -> tuple[OpenEvent, ...]:
    """What sounds or waits at ``now`` in a zone that gets its first anchor, which must list it."""
    if state.anchor is not None:
        return state.anchor.open
    entries = []
    for one in timeline.outcomes(timeline.settle({}, state)):
        began = one.began if one.began is not None and one.began < now else None
        over = one.end is not None and one.end <= now
        if one.start < now and not over and one.state not in {"dropped", "missed", "cancelled"}:
            entries.append(OpenEvent(id=one.id, began=began, wait="voice"))
    return tuple(entries)


def _begun(window: Window | None, at: int) -> Window:
    """A window open from ``at`` on; one that has begun, or is about to, loses its end."""
    if window is None:
        return Window(from_=at)
    return Window(from_=min(window.from_, at))


def _ended(window: Window | None, at: int) -> Window | None:
    """The window closed at ``at`` if it would last longer."""
    if window is None or window.from_ >= at:
        return None
    if window.until is not None and window.until <= at:
        return window
    return Window(from_=window.from_, until=at)


def _cut(event: Cancelled, at: int) -> Cancelled:
    over = event.end is not None and event.end <= at
    return event if over else event.model_copy(update={"end": at})
