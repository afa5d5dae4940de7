"""What a speaker finds wrong with itself, from what it measures. Pure; ``now`` is microseconds."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Final

_SECOND: Final = 1_000_000
INAUDIBLE: Final = -70.0
"""A peak below this (dBFS) is silence to everybody in the shop."""
_SILENT_FOR: Final = 30 * _SECOND
_OFF_MILLIS: Final = 15.0
_OFF_FOR: Final = 30 * _SECOND
_ODDS_MILLIS: Final = 1000.0
"""NTP is right to some tens of milliseconds wherever it works at all."""
_ODDS_FOR: Final = 30 * _SECOND
_DROPS, _DROPS_IN = 5, 60 * _SECOND
_HOT, _COOL = 80.0, 75.0
"""Degrees Celsius: at 80 a Raspberry Pi begins to slow down."""
_LOW, _ENOUGH = 32 * 1024**2, 48 * 1024**2
"""Bytes free: the cache leaves 64 MB, or 32 for what a person sent."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """One measurement: ``level`` is the peak since the last in dBFS (None: digital silence).

    ``playing``: something here should be heard. ``off`` is how many milliseconds the heard
    position lags behind the zone clock, where the sink can tell; ``drops`` counts since the start
    what the sound card and the decoder were late for. ``wall`` is by how many milliseconds the
    machine's own clock is ahead of the platform's, ``ntp`` whether an NTP server keeps that one;
    ``ahead`` is how many microseconds before they are heard frames are rendered now.
    """

    level: float | None = None
    playing: bool = False
    off: float | None = None
    drops: int = 0
    temperature: float | None = None
    disk_free: int | None = None
    wall: float | None = None
    ntp: bool = False
    ahead: int | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """Since when it is silent though it plays, out of step, and the two clocks at odds; ``drops``
    of the last minute.
    """

    silent: int | None = None
    off: int | None = None
    odds: int | None = None
    drops: tuple[tuple[int, int], ...] = ()


def judged(
    watched: Watched, vitals: Vitals, now: int, faults: Container[str]
) -> tuple[Watched, Mapping[str, str | None]]:
    """What is known after ``vitals``, and each fault's words, or None where it is over.

    ``faults`` are those that are told already: one that comes has to go some way to be over.
    """
    inaudible = vitals.level is None or vitals.level < INAUDIBLE
    off = vitals.off is not None and abs(vitals.off) > _OFF_MILLIS
    odds = vitals.ntp and vitals.wall is not None and abs(vitals.wall) > _ODDS_MILLIS
    recent = tuple(one for one in watched.drops if one[0] > now - _DROPS_IN)
    after = replace(
        watched,
        silent=_since(watched.silent, now, lasts=inaudible and vitals.playing),
        off=_since(watched.off, now, lasts=off),
        odds=_since(watched.odds, now, lasts=odds),
        drops=(*recent, (now, vitals.drops)),
    )
    hot, low = vitals.temperature, vitals.disk_free
    found = {
        "silent": (_for(after.silent, now, _SILENT_FOR), "silent for 30 s though it plays"),
        "out_of_step": (_for(after.off, now, _OFF_FOR), "more than 15 ms off for 30 s"),
        "clock_differs": (
            _for(after.odds, now, _ODDS_FOR),
            "the platform and NTP differ by more than a second",
        ),
        "underruns": (
            vitals.drops - after.drops[0][1] >= _DROPS,
            "five breaks of sound in a minute",
        ),
        "hot": (
            hot is not None and hot >= (_COOL if "hot" in faults else _HOT),
            "80 °C, it may slow down",
        ),
        "disk_low": (
            low is not None and low < (_ENOUGH if "disk_low" in faults else _LOW),
            "less than 32 MB free",
        ),
    }
    return after, {code: words if bad else None for code, (bad, words) in found.items()}


def _since(before: int | None, now: int, *, lasts: bool) -> int | None:
    if not lasts:
        return None
    return now if before is None else before


def _for(since: int | None, now: int, long: int) -> bool:
    return since is not None and now - since >= long


@dataclass(frozen=True, slots=True)
class Pulse:
    """When a part was last seen to go round, by its own count of rounds."""

    rounds: int
    at: int


def hung(
    pulses: Mapping[str, Pulse], rounds: Mapping[str, int], patience: Mapping[str, int], now: int
) -> tuple[dict[str, Pulse], list[str]]:
    """The pulses after a look at all ``rounds``, and which part has stood for its ``patience``.

    ``now`` must not count what the machine was asleep. Who is reported is given as long again.
    """
    after: dict[str, Pulse] = {}
    found: list[str] = []
    for name, count in rounds.items():
        before = pulses.get(name)
        if before is not None and before.rounds == count:
            if now - before.at < patience[name]:
                after[name] = before
                continue
            found.append(name)
        after[name] = Pulse(count, now)
    return after, found
