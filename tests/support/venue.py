"""A venue of many schedules without a database, and a platform that publishes for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from uuid import UUID
from zoneinfo import ZoneInfo

from support.strategies import media
from sync2gear_broker import timeline
from sync2gear_broker.messages import Programme, ZoneState
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.channels.model import Apart, Channel, Inline, Item, Piece
from sync2gear_platform.playback import engine
from sync2gear_platform.schedules.compiling import WHOLE, Playing, compile_zone, free_from
from sync2gear_platform.schedules.ledger import packed, unpacked
from sync2gear_platform.schedules.model import (
    AfterTracks,
    At,
    Days,
    Every,
    Limits,
    Message,
    Minutes,
    Quiet,
    Schedule,
    Share,
    Span,
    Start,
    Timing,
    When,
)
from sync2gear_platform.schedules.resolver import Facts

MINUTE = 60 * FRAME_RATE
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ZONE = UUID(int=7)


def songs(first: int, count: int) -> tuple[Piece, ...]:
    """Songs of rising numbers between three and four minutes, of seven artists."""
    return tuple(
        Piece(f"t{n}", media(n, 3 * MINUTE + (n * 7919) % MINUTE), (f"a{n % 7}",))
        for n in range(first, first + count)
    )


def voice(number: int) -> Piece:
    """An announcement of eight to thirty seconds."""
    return Piece(f"v{number}", media(number, (8 + number % 23) * FRAME_RATE, "announcement"))


def venue(schedules: int = 40, tz: str = "Europe/Berlin") -> Facts:
    """Six day-parts over a base of all day, and announcements of every kind, ``schedules`` in all.

    Two seconds of crossfade, announcements between the tracks, limits and several priorities.
    """
    channels = {
        UUID(int=10 + n): Channel(
            str(UUID(int=10 + n)),
            (Item("a", songs(1000 * (n + 1), 30)), Item("b", songs(1000 * (n + 1) + 500, 12))),
            inlines=(Inline("jingle", (voice(900 + n),), tracks=6),) if n % 2 else (),
            apart=Apart(artist=2, title=5),
            crossfade=2 * FRAME_RATE,
        )
        for n in range(3)
    }
    messages = {
        UUID(int=30 + n): Message(UUID(int=30 + n), ((voice(n), 1), (voice(50 + n), 2)))
        for n in range(8)
    }
    made = [Schedule(UUID(int=100), "base", Timing(), channel=UUID(int=10), priority=10)]
    for n, (start, end) in enumerate([(6, 9), (9, 12), (12, 14), (14, 18), (18, 22), (22, 2)]):
        days = Days(frozenset({4, 5}) if n == 5 else frozenset())
        made.append(
            Schedule(
                UUID(int=101 + n), f"part {n}", Timing(Span(time(start), time(end)), days),
                channel=UUID(int=10 + n % 3), begin=("restart", "continue", "next")[n % 3],
                start=Start(mode=("cut", "next", "wait")[n % 3], max_wait=100_000),
            )
        )  # fmt: skip
    whens: list[When] = [
        At((time(9, 45), time(19, 55))), Minutes((5, 35)), Every(50), Every(35, anchored=False),
        AfterTracks(7), Share(90),
    ]  # fmt: skip
    for n in range(schedules - len(made)):
        start = Start(
            mode=("cut", "next", "wait")[n % 3], max_wait=60_000,
            late_by=None if n % 4 else 240_000, mix="duck" if n % 5 == 0 else "pause",
            fade_in=500, fade_out=500, on_cut="restart" if n % 7 == 0 else "drop",
        )  # fmt: skip
        made.append(
            Schedule(
                UUID(int=200 + n), f"call {n}",
                Timing(Span(time(8 + n % 3), time(18 + n % 4)), when=whens[n % len(whens)]),
                message=UUID(int=30 + n % len(messages)), priority=20 + 10 * (n % 4), start=start,
                limits=Limits(max_per_hour=1 if n % 2 else 0, min_gap=120_000, group=f"g{n % 6}"),
            )
        )  # fmt: skip
    quiet = (Quiet(Span(time(13), time(14, 20))), Quiet(Span(time(1), time(3)), music=False))
    return Facts(ZONE, ZoneInfo(tz), tuple(made), channels, messages, quiet=quiet)


@dataclass
class Platform:
    """What the platform holds of one zone, and publishes."""

    facts: Facts
    state: ZoneState = field(default_factory=lambda: ZoneState(zone=str(ZONE), epoch=1, rev=1))
    held: Mapping[str, Programme] = field(default_factory=dict)
    playing: Playing | None = None

    def publish(self, now: int, reach: int = WHOLE) -> tuple[ZoneState, Programme]:
        """Compile from a second later on, as a worker does, and let it take over then."""
        playing = Playing(self.state, self.held, self.playing.ledger if self.playing else None)
        at = free_from(playing, now + FRAME_RATE)
        compiled = compile_zone(self.facts, playing, at, at + reach)
        assert compiled is not None
        sha256 = compiled.programme.sha256()
        state = timeline.rebase(self.held, self.state, now)
        state = engine.swap(state, compiled.programme, sha256, now, at)
        self.state = state.model_copy(update={"rev": self.state.rev + 1})
        named = {ref.sha256 for ref in self.state.programmes}
        held = {**self.held, sha256: compiled.programme}
        self.held = {name: one for name, one in held.items() if name in named}
        self.playing = Playing(self.state, self.held, unpacked(packed(compiled.ledger)))
        return self.state, compiled.programme
