"""What is told and kept: what sounded, and the events that passed without us. Pure."""

from dataclasses import replace

from sync2gear_broker import timeline
from sync2gear_broker.timeline import Outcome
from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware import facts as f
from sync2gear_firmware import plays
from sync2gear_firmware.facts import Record
from sync2gear_firmware.known import State, Step

_MARGIN = 2 * FRAME_RATE
"""The sink renders a little before or after the clock: so old is a thing before it is judged."""


def kept(state: State, records: tuple[f.Record, ...], frame: int) -> Step:
    """Put on the disk what is to be told and what still sounds, the position with it."""
    state, missed = look(state, frame)
    opens = tuple(plays.so_far(play, frame) for play in state.plays)
    deeds: list[f.Deed] = [f.Keep((*records, *missed), opens, frame)]
    for record in (*records, *missed):
        title, artist = record.media.title or record.media.sha256[:12], record.media.artist
        verb = {"started": "plays", "finished": "finished", "missed": "missed"}[record.kind]
        text = f"zone {record.zone} {verb} {title!r} by {artist!r} at frame {record.at}"
        if record.kind == "finished":
            text += f" frames={record.frames}"
        if record.reason:
            text += f" reason={record.reason}"
        deeds.append(f.Say("warning" if record.kind == "missed" else "info", text))
    return state, deeds


def look(state: State, now: int) -> tuple[State, tuple[Record, ...]]:
    """Tell of the events that were over since the last look, up to a little before frame ``now``.

    An event that a person cancelled or skipped was not missed.
    """
    upto = now - _MARGIN
    if not state.trusted or state.settled is None or state.zone is None:
        return state, ()
    known = frozenset(one.id for one in timeline.outcomes(state.settled))
    since, told = state.checked, state.judged
    records = []
    for one in timeline.outcomes(state.settled):
        over = _over(state, one)
        if since is None or over is None or over > upto or one.id in state.sounded:
            continue
        late_news = told is not None and one.id not in told
        if over > since or late_news:
            reason = one.reason if one.began is None else _why(state, over, since)
            records.append(_record(state.zone.zone, one, reason or "not_played"))
    checked = upto if since is None else max(since, upto)
    return replace(state, checked=checked, judged=known), tuple(records)


def _over(state: State, one: Outcome) -> int | None:
    """The frame from which it is certain what became of an event; None while it is not."""
    if one.state in ("waiting", "cancelled"):
        return None
    if one.began is not None:
        return one.end
    return one.start if one.reason == "stopped" else one.start + _patience(state, one.id)


def _patience(state: State, event: str) -> int:
    live = state.zone.live if state.zone is not None else ()
    planned = (e for programme in state.programmes.values() for e in programme.events)
    cue = next((c for c in (*live, *planned) if c.id == event), None)
    return 0 if cue is None else cue.late_by or 0


def _why(state: State, over: int, since: int) -> str:
    if over <= since:
        return "not_delivered"
    line = state.clock.line
    if line is not None and over <= line.frame_at(state.started):
        return "off"
    return "no_clock" if state.joined is None or over <= state.joined else "not_played"


def _record(zone: str, one: Outcome, reason: str) -> Record:
    at = one.start if one.began is None else one.began
    return Record("missed", zone, one.id, one.media, at, one.start, audible=False, reason=reason)
