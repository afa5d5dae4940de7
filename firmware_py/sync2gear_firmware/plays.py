"""Proof of play: turns what sounds from frame to frame into started, finished and missed. Pure."""

from dataclasses import replace
from typing import Literal

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.facts import Play, Record, Sound

_TOLERANCE = FRAME_RATE // 20


def advance(
    plays: tuple[Play, ...], at: int, sounds: tuple[Sound, ...], *, zone: str, audible: bool
) -> tuple[tuple[Play, ...], tuple[Record, ...]]:
    """The plays open from zone frame ``at`` on, and what is to be told of those before.

    Music that is silent while no other music sounds is paused, not over; an announcement that is
    silent is over.
    """
    rest = list(plays)
    kept: list[Play] = []
    records: list[Record] = []
    fresh: list[Sound] = []
    for sound in sounds:
        known = next((p for p in rest if p.zone == zone and _same(p, sound, at)), None)
        if known is None:
            fresh.append(sound)
            continue
        rest.remove(known)
        play = _resumed(_stopped(known, at), sound, at, audible=audible)
        if not play.told and not play.lacking:
            play = replace(play, began=at, told=True)
            records.append(_record("started", play, at))
        kept.append(play)
    other_music = any(s.role == "music" for s in sounds)
    for play in rest:
        paused = _stopped(play, at)
        if play.role == "music" and not other_music and paused.offset < play.media.frames:
            kept.append(paused)
        else:
            records.insert(0, _told(paused, at))
    for sound in fresh:
        play = _begun(sound, at, zone, audible=audible)
        kept.append(play)
        if not play.lacking:
            records.append(_record("started", play, at))
    return tuple(kept), tuple(records)


def so_far(play: Play, at: int) -> Play:
    """``play`` with what it has sounded until ``at`` counted, still going on."""
    if play.since is None:
        return play
    done = max(0, at - play.since)
    played = play.played if play.lacking else play.played + done
    return replace(play, since=at, offset=play.offset + done, played=played)


def interrupted(play: Play) -> Play:
    """``play`` as it stands after the speaker itself was gone."""
    return replace(play, since=None)


def _same(play: Play, sound: Sound, at: int) -> bool:
    return (
        (play.role, play.item, play.media.sha256) == sound.key
        and (play.slot, play.stand_in) == (sound.slot, sound.stand_in)
        # gone back to its beginning it is heard once more; a stand-in goes round
        and (sound.stand_in or sound.offset >= so_far(play, at).offset - _TOLERANCE)
    )


def _begun(sound: Sound, at: int, zone: str, *, audible: bool) -> Play:
    return Play(
        sound.role,
        sound.item,
        sound.media,
        zone,
        planned=sound.begins,
        slot=sound.slot,
        began=at,
        since=at,
        offset=sound.offset,
        audible=audible,
        lacking=sound.lacking,
        stand_in=sound.stand_in,
        told=not sound.lacking,
    )


def _stopped(play: Play, at: int) -> Play:
    return replace(so_far(play, at), since=None)


def _resumed(play: Play, sound: Sound, at: int, *, audible: bool) -> Play:
    return replace(
        play,
        since=at,
        offset=sound.offset,
        audible=play.audible or audible,
        lacking=sound.lacking,
    )


def _told(play: Play, at: int) -> Record:
    if not play.told:
        return _record("missed", play, play.began)
    return _record("finished", play, at)


def _record(kind: Literal["started", "finished", "missed"], play: Play, at: int) -> Record:
    return Record(
        kind,
        play.zone,
        play.item,
        play.media,
        at,
        play.planned,
        frames=min(play.played, play.media.frames) if kind == "finished" else 0,
        audible=play.audible and kind != "missed",
        reason=play.lacking or ("evergreen" if play.stand_in else ""),
    )
