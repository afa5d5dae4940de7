"""Renders the zone's frames as the score says, mixed from decoded media, and tells what sounds."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from sync2gear_broker import timeline
from sync2gear_broker.messages import Media
from sync2gear_broker.timeline import Piece, Voice
from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.decoder import CHUNK, Pcm, Pool
from sync2gear_firmware.facts import Score, Sound, Sounding
from sync2gear_firmware.fader import Fader
from sync2gear_firmware.resample import Frames

log = logging.getLogger(__name__)

RAMP: Final = FRAME_RATE // 200
"""Frames over which a cut is smoothed: 5 ms."""
AHEAD: Final = 30 * FRAME_RATE
"""Frames that are decoded before they are due."""

_Identity = tuple[str, str, str, int, bool]
_Slot = tuple[str, str, str, int]
_FULL = 32768.0


@dataclass(frozen=True, slots=True)
class _Part:
    """One voice of a piece as it is rendered: the media itself or what stands in for it."""

    sound: Sound
    gain_a: float
    gain_b: float

    @property
    def identity(self) -> _Identity:
        sound = self.sound
        return (*sound.key, sound.slot, sound.stand_in)


@dataclass(frozen=True, slots=True)
class _Live:
    """A voice between two pieces: the frame after it, and how loud it is.

    Its ``gain`` runs to ``gain_b`` over the piece. Where a step would click, ``debt`` is the
    step, paid off over RAMP frames of which ``done`` have passed.
    """

    sound: Sound
    after: int
    gain: float
    gain_b: float
    debt: float = 0.0
    done: int = RAMP

    @property
    def level(self) -> float:
        """The gain with what is left of the step."""
        return self.gain + self.debt * (1 - self.done / RAMP)


def _continued(part: _Part, before: _Live | None, *, crossfades: bool) -> _Live:
    """How ``part`` begins: as it went on before, or from silence unless at its very first frame.

    From silence also there, if it ``crossfades`` with what stood in until then.
    """
    sound = part.sound
    gain_a, gain_b = part.gain_a, part.gain_b
    if sound.lacking:
        gain_a = gain_b = 0.0
    live = _Live(sound, sound.offset, gain_a, gain_b)
    if before is None:
        whole = sound.offset == 0 and not crossfades
        return live if whole else replace(live, debt=-gain_a, done=0)
    if abs(before.gain - gain_a) > 1e-6:
        return replace(live, debt=before.level - gain_a, done=0)
    return replace(live, debt=before.debt, done=before.done)


@dataclass(slots=True)
class _Tail:
    """The last few frames of a voice that was cut at zone frame ``at``, fading from ``gain``."""

    at: int
    sound: Sound
    offset: int
    gain: float
    done: int = 0


@dataclass(slots=True)
class _Tone:
    """A tone that is mixed in: frames played and how it goes."""

    kind: Literal["identify", "test_tone"]
    done: int = 0


class Player:
    """Renders blocks in order of their frames; one thread renders, any may change the score."""

    def __init__(self, pool: Pool, tell: Callable[[Sounding], None]) -> None:
        self._pool = pool
        self._tell = tell
        self._score = Score()
        self._was: dict[_Identity, _Live] = {}
        self._tails: list[_Tail] = []
        self._stand_ins: dict[_Slot, Media] = {}
        self._music, self._alarm = Fader(), Fader()
        self._tone: _Tone | None = None
        self._next: int | None = None
        self._told = False
        self._late = 0
        self._peak = 0.0

    def perform(self, score: Score) -> None:
        """Play from ``score`` from the next block on."""
        self._score = score
        if self._next is not None:
            self.look_ahead(self._next)

    def tone(self, kind: Literal["identify", "test_tone"]) -> None:
        """Mix in a tone."""
        self._tone = _Tone(kind)

    @property
    def trim(self) -> int:
        """Frames by which the output is early."""
        return self._score.trim

    @property
    def late(self) -> int:
        """Blocks for which the decoder was late."""
        return self._late

    def level(self) -> float | None:
        """The peak since the last call in dBFS, None if it was silent."""
        peak, self._peak = self._peak, 0.0
        return round(20 * math.log10(peak), 1) if peak > 0 else None

    def look_ahead(self, at: int) -> None:
        """Have decoded what sounds from frame ``at`` on."""
        score = self._score
        if score.settled is None:
            return
        wanted: dict[tuple[str, int], tuple[Media, int]] = {}
        for piece in timeline.plan(score.settled, at, at + AHEAD):
            for part in self._parts(score, piece)[0]:
                sound = part.sound
                if sound.lacking:
                    continue
                first, last = sound.offset, sound.offset + piece.end - piece.start
                for number in range(first // CHUNK, last // CHUNK + 1):
                    if number * CHUNK < sound.media.frames:
                        wanted.setdefault((sound.media.sha256, number), (sound.media, number))
        self._pool.want(list(wanted.values()))

    def ready(self, at: int) -> bool:
        """Whether what sounds at ``at`` is decoded, or is not there to be decoded."""
        score = self._score
        if score.settled is None:
            return False
        piece = timeline.sounding_at(score.settled, at)
        parts = [p.sound for p in self._parts(score, piece)[0] if not p.sound.lacking]
        return all(self._pool.has(s.media, s.offset // CHUNK) for s in parts)

    def mix(self, at: int, n: int) -> Frames:
        """Frames [at, at + n) of the zone; where ``at`` is not the last end, a short crossfade.

        What is mixed may exceed full scale.
        """
        score = self._score
        if self._next != at:
            self._cut(at)
        music: Frames = np.zeros((n, 2), np.float32)
        alarm: Frames = np.zeros((n, 2), np.float32)
        if score.settled is not None:
            for piece in timeline.plan(score.settled, at, at + n):
                here = slice(piece.start - at, piece.end - at)
                self._piece(score, piece, music[here], alarm[here])
        self._add_tails(music, alarm, at)
        mix = self._music.apply(music, score.volume, score.channels)
        mix += self._alarm.apply(alarm, score.emergency, score.channels)
        if self._tone is not None and not _add_tone(self._tone, mix):
            self._tone = None
        if at // CHUNK != (at + n) // CHUNK:
            self.look_ahead(at + n)
        self._next = at + n
        self._peak = max(self._peak, float(mix.max(initial=0)), float(-mix.min(initial=0)))
        return mix

    def _cut(self, at: int) -> None:
        """The position jumped: nothing goes on from what was rendered before."""
        if self._next is not None:
            log.info("player.jump from=%s to=%s", self._next, at)
        self._tails.clear()
        self.look_ahead(at)

    def _piece(self, score: Score, piece: Piece, music: Frames, alarm: Frames) -> None:
        parts, stand_in = self._parts(score, piece)
        if stand_in is not None:
            self._settle_on(*stand_in)
        now: dict[_Identity, _Live] = {}
        changed = not self._told
        stay = {part.identity for part in parts}
        leaves = any(w.sound.stand_in for key, w in self._was.items() if key not in stay)
        for part in parts:
            before = self._was.pop(part.identity, None)
            goes_on = before is not None and before.after == part.sound.offset
            if before is not None and not goes_on:
                self._leave(before, piece.start)
            if before is None or not goes_on or before.sound.lacking != part.sound.lacking:
                changed = True
            live = _continued(part, before if goes_on else None, crossfades=leaves)
            out = alarm if part.sound.role == "emergency" else music
            now[part.identity] = self._voice(live, out)
        for gone in self._was.values():
            self._leave(gone, piece.start)
            changed = True
        self._was = now
        if changed:
            self._told = True
            self._tell(Sounding(piece.start, tuple(part.sound for part in parts)))

    def _leave(self, gone: _Live, at: int) -> None:
        if gone.level > 0 and (gone.sound.stand_in or gone.after < gone.sound.media.frames):
            self._tails.append(_Tail(at, gone.sound, gone.after, gone.level))

    def _voice(self, live: _Live, out: Frames) -> _Live:
        """Mix a voice in; the voice as it stands at the end of ``out``."""
        sound, n = live.sound, len(out)
        if not sound.lacking:
            pcm, whole = self._read(sound, sound.offset, n)
            if not whole:
                self._underrun(sound)
            out += pcm * _gains(live, n)
        after = sound.offset + n
        if sound.stand_in:
            after %= sound.media.frames
        return replace(live, after=after, gain=live.gain_b, done=min(RAMP, live.done + n))

    def _read(self, sound: Sound, offset: int, n: int) -> tuple[Pcm, bool]:
        if sound.stand_in:
            offset %= sound.media.frames
        first = min(n, sound.media.frames - offset) if sound.stand_in else n
        pcm, whole = self._pool.read(sound.media, offset, first)
        while len(pcm) < n:  # what stands in goes round
            more, also = self._pool.read(sound.media, 0, min(n - len(pcm), sound.media.frames))
            pcm, whole = np.concatenate([pcm, more]), whole and also
        return pcm, whole

    def _add_tails(self, music: Frames, alarm: Frames, at: int) -> None:
        for tail in self._tails:
            mix = alarm if tail.sound.role == "emergency" else music
            first = tail.at + tail.done - at
            k = min(RAMP - tail.done, len(mix) - first)
            pcm, _ = self._read(tail.sound, tail.offset + tail.done, k)
            steps = np.arange(tail.done, tail.done + k, dtype=np.float32)
            fall = tail.gain * (1 - steps / RAMP)
            mix[first : first + k] += pcm * (fall / np.float32(_FULL))[:, None]
            tail.done += k
        self._tails = [tail for tail in self._tails if tail.done < RAMP]

    def _underrun(self, sound: Sound) -> None:
        self._late += 1
        if self._late & (self._late - 1) == 0:  # the 1st, 2nd, 4th, 8th, ...
            sha = sound.media.sha256
            log.warning("player.late media=%s offset=%d count=%d", sha, sound.offset, self._late)

    def _parts(self, score: Score, piece: Piece) -> tuple[list[_Part], tuple[_Slot, Media] | None]:
        """The voices of a piece as this speaker can sound them, and what stands in for which."""
        parts: list[_Part] = []
        lacking: Voice | None = None
        for voice in piece.voices:
            have = voice.media.sha256 in score.held
            if voice.role == "music" and have and _slot(voice) in self._stand_ins:
                have = False  # it joins at the next item
            reason = "" if have else "not_held"
            parts.append(_Part(_sound(voice, voice.media, reason), voice.gain_a, voice.gain_b))
            if not have and voice.role != "emergency":
                lacking = voice
        music = any(p.sound.role == "music" and not p.sound.lacking for p in parts)
        if lacking is None or music or not score.evergreens:
            return parts, None
        media = self._stand_ins.get(_slot(lacking))
        if media is None or media.sha256 not in score.held:
            media = score.evergreens[lacking.slot % len(score.evergreens)]
        sound = _sound(lacking, media, stand_in=True)
        parts.append(_Part(sound, lacking.gain_a, lacking.gain_b))
        return parts, (_slot(lacking), media)

    def _settle_on(self, slot: _Slot, media: Media) -> None:
        """Once something stands in for a slot it does so to the slot's end."""
        self._stand_ins[slot] = media
        while len(self._stand_ins) > 16:
            del self._stand_ins[next(iter(self._stand_ins))]


def quantised(mix: Frames) -> Pcm:
    """The nearest 16-bit frames; what is too loud is cut off."""
    pcm: Pcm = np.clip(np.rint(mix * _FULL), -32768, 32767).astype(np.int16)
    return pcm


def _gains(live: _Live, n: int) -> Frames | np.float32:
    """By what the next ``n`` 16-bit frames of a voice are multiplied."""
    if live.gain == live.gain_b and live.done == RAMP:
        return np.float32(live.gain / _FULL)
    gain = np.linspace(live.gain, live.gain_b, n, endpoint=False, dtype=np.float32)
    if (k := min(RAMP - live.done, n)) > 0:
        # a step in gain is spread over a few milliseconds; no frame moves
        steps = np.arange(live.done, live.done + k, dtype=np.float32)
        gain[:k] += np.float32(live.debt) * (1 - steps / np.float32(RAMP))
    gains: Frames = (gain / np.float32(_FULL))[:, None]
    return gains


def _slot(voice: Voice) -> _Slot:
    return (voice.role, voice.item, voice.media.sha256, voice.slot)


def _sound(voice: Voice, media: Media, lacking: str = "", *, stand_in: bool = False) -> Sound:
    offset = voice.offset % media.frames if stand_in else voice.offset
    return Sound(voice.role, voice.item, media, voice.begins, voice.slot, offset, lacking, stand_in)


def _add_tone(tone: _Tone, mix: Frames) -> bool:
    """Mix the next frames of ``tone`` in; whether there are more."""
    t = np.arange(tone.done, tone.done + len(mix)) / FRAME_RATE
    if tone.kind == "identify":
        # three short ones of 880 Hz, each faded in and out
        wave = np.sin(2 * np.pi * 880 * t) * np.maximum(0.0, np.sin(2 * np.pi * 2 * t))
        length = 1.5
    else:
        wave = np.sin(2 * np.pi * 1000 * t)
        length = 2.0
    mix += (0.1 * wave * (t < length)).astype(np.float32)[:, None]
    tone.done += len(mix)
    return tone.done < length * FRAME_RATE
