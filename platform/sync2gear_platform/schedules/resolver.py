"""From schedules to a programme: a pure fold over time, the same for compile, forecast and explain.

``resolve`` takes what was before and gives what is after, so that two halves of a stretch say what
the whole says. How far music has come when announcements pause it is read with the one
implementation of the timeline.
"""

from collections import deque
from collections.abc import Sequence
from uuid import UUID

from sync2gear_broker.messages import Event
from sync2gear_broker.units import frames_from_millis
from sync2gear_platform.channels.model import Piece
from sync2gear_platform.schedules.asking import reading_of
from sync2gear_platform.schedules.band import Band, programme_of
from sync2gear_platform.schedules.calls import Call, calls
from sync2gear_platform.schedules.given import (
    VERSION,
    Facts,
    History,
    Resolved,
    Running,
    Spoken,
    Stretch,
    Why,
)
from sync2gear_platform.schedules.layers import Claim, Reign, claims, reigns
from sync2gear_platform.schedules.quiet import REST, SILENCE, Hush
from sync2gear_platform.schedules.share import paced

__all__ = [
    "VERSION",
    "Facts",
    "History",
    "Resolved",
    "Running",
    "Spoken",
    "Stretch",
    "Why",
    "programme_of",
    "resolve",
]


def resolve(facts: Facts, history: History, start: int, end: int) -> Resolved:
    """What ``facts`` make of the frames [start, end), after ``history``."""
    spoken = [paced(s, facts.messages) for s in facts.schedules if s.message in facts.messages]
    hush = Hush(facts.quiet, facts.tz, start, end)
    timed, past = calls(spoken, facts.calendars, facts.tz, history.past, start, end, hush.covers)
    why: dict[str, Why] = {}
    events = list(history.events)
    for call in timed:
        piece = _piece(facts, call) if call.dropped is None else None
        if piece is not None:
            events.append((_event(call, piece), piece.media))
            why[call.id] = Why(
                call.schedule.id,
                call.schedule.name,
                message=call.schedule.message,
                sound=piece.id,
            )
    band = Band(facts, history, events, (start, end))
    musical = [s for s in facts.schedules if s.channel in facts.channels]
    wanted = [*claims(musical, facts.calendars, facts.tz, start, end), *facts.chosen]
    wanted += hush.claims()
    coming = deque(reigns(wanted, start, end))
    while coming:
        reign = coming.popleft()
        silent = reign.schedule.id == SILENCE.id
        stretch = band.rest(reign) if silent else band.play(reign)
        if stretch is not None:
            rivals = [one for one in reign.rivals if one.schedule is not REST]
            why[stretch.block.id] = Why(
                reign.schedule.id,
                reign.schedule.name,
                tuple((one.schedule.id, one.schedule.name, one.lost) for one in rivals),
                wanted=tuple((one.start, one.end) for one in rivals),
            )
        over = reign.start if stretch is None else stretch.end
        if over < reign.end and not silent and not _loops(facts, reign):
            if stretch is not None:
                band.gives_way(over, _latest(wanted, reign))
            wanted = _without(wanted, reign, over)
            coming = deque(reigns(wanted, over, end))
    return Resolved(
        music=tuple(band.music),
        events=tuple(e for e in events if e[0].start >= start),
        dropped=tuple(call for call in timed if call.dropped is not None),
        why=why,
        after=band.after(past, end),
        before=band.before,
    )


def _loops(facts: Facts, reign: Reign) -> bool:
    return facts.channels[reign.schedule.channel or UUID(int=0)].loop


def _latest(wanted: Sequence[Claim], reign: Reign) -> int:
    """Until when whoever has the music wants it."""
    mine = (c.end for c in wanted if c.schedule.id == reign.schedule.id and c.start <= reign.start)
    return max(mine, default=reign.end)


def _without(wanted: Sequence[Claim], reign: Reign, over: int) -> list[Claim]:
    """The claims once a list that is played once is over: whoever comes next has the music."""
    found: list[Claim] = []
    for one in wanted:
        if one.schedule.id != reign.schedule.id or not one.start <= reign.start < one.end:
            found.append(one)
            continue
        found.append(Claim(over, one.end, REST))
        if one.start < over:
            found.append(Claim(one.start, over, one.schedule))
    return found


def _piece(facts: Facts, call: Call) -> Piece | None:
    """The sound of a call: the variant whose turn it is."""
    message = facts.messages[call.schedule.message or UUID(int=0)]
    day, minute = reading_of(call.at, facts.tz)
    return message.chosen(day, call.at, minute)


def _event(call: Call, piece: Piece) -> Event:
    """The announcement of a call, as a programme holds it; its media's index is set later."""
    start = call.schedule.start
    late = start.late_by
    return Event(
        id=call.id,
        start=call.at,
        when=start.mode,
        max_wait=frames_from_millis(start.max_wait),
        late_by=None if late is None else frames_from_millis(late),
        mode=start.mix,
        duck=start.duck,
        fade_in=frames_from_millis(start.fade_in),
        fade_out=frames_from_millis(start.fade_out),
        gain=start.gain + piece.media.gain,
        priority=call.schedule.priority,
        on_cut=start.on_cut,
        media=0,
    )
