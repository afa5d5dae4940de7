"""What happens in zones, told as it happens: read off the pieces that screens are given.

A zone's view says what sounds from when to when. What sounds at an instant, beside what sounded at
the one before, is what began and what ended.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

View = Mapping[str, Any]
"""A zone as in ``ZoneView``, as JSON has it."""

TOLD: Final = ("status", "volume", "mute", "shuffle", "folder_id")
_BEGAN: Final = {"event": "announcement_began", "emergency": "emergency_began"}
_ENDED: Final = {
    "music": "track_ended", "event": "announcement_ended", "emergency": "emergency_ended",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of audio that sounds; ``origin`` is the frame at which its first frame would."""

    role: str
    item: str
    sha256: str
    origin: int


@dataclass
class Story:
    """What was told of some zones, up to the frame ``told``, and what is known of their future."""

    told: int
    views: dict[str, View] = field(default_factory=dict)
    sounding: dict[str, dict[Piece, View]] = field(default_factory=dict)

    def learn(self, view: View) -> list[dict[str, Any]]:
        """A zone is now as ``view`` has it: what changed by that, beside what happened until then.

        Nothing is told of a zone that was not known.
        """
        zone, frame = str(view["zone_id"]), int(view["frame"])
        old = self.views.get(zone)
        happened = self._passed([zone], max(frame, self.told)) if old is not None else []
        if old is not None and (old["epoch"], old["rev"]) > (view["epoch"], view["rev"]):
            return happened  # told out of turn
        self.views[zone] = view
        now = sounding_at(view, max(frame, self.told))
        before = self.sounding.get(zone, {})
        self.sounding[zone] = now
        if old is None:
            return happened
        changed = {name: view[name] for name in TOLD if view[name] != old[name]}
        if changed:
            happened.append(
                {"kind": "state_changed", "zone_id": zone, "frame": frame, "rev": view["rev"],
                 **changed}
            )  # fmt: skip
        return [*happened, *_between(zone, before, now, frame)]

    def forget(self, zones: Iterable[str]) -> None:
        """These zones are told of no more."""
        for zone in zones:
            self.views.pop(zone, None)
            self.sounding.pop(zone, None)

    def passed(self, frame: int) -> list[dict[str, Any]]:
        """What happened since, up to ``frame``, in order."""
        happened = self._passed(self.views, frame)
        self.told = max(self.told, frame)
        return happened

    def next(self) -> int | None:
        """The frame at which something happens next, or a view ends; ``None``: nothing known."""
        ahead = [
            edge
            for view in self.views.values()
            for edge in (*_edges(view), int(view["until"]))
            if edge > self.told
        ]
        return min(ahead, default=None)

    def ended(self) -> list[str]:
        """Zones of whose future nothing is known any more: look again."""
        return [zone for zone, view in self.views.items() if int(view["until"]) <= self.told]

    def _passed(self, zones: Iterable[str], frame: int) -> list[dict[str, Any]]:
        happened = []
        for zone in list(zones):
            view = self.views[zone]
            for edge in sorted({e for e in _edges(view) if self.told < e <= frame}):
                before, now = self.sounding[zone], sounding_at(view, edge)
                self.sounding[zone] = now
                happened += _between(zone, before, now, edge)
        return sorted(happened, key=lambda one: int(one["frame"]))


def sounding_at(view: View, frame: int) -> dict[Piece, View]:
    """The pieces that sound in a zone at a frame, with their segments."""
    return {
        Piece(s["role"], s["item"], s["sha256"], s["start"] - s["offset"]): s
        for s in view["segments"]
        if s["start"] <= frame < s["end"]
    }


def _edges(view: View) -> Iterable[int]:
    """Frames at which pieces begin or end; what reaches to the view's end may go on after it."""
    for segment in view["segments"]:
        yield int(segment["start"])
        if segment["end"] < view["until"]:
            yield int(segment["end"])


def _between(
    zone: str, before: Mapping[Piece, View], now: Mapping[Piece, View], frame: int
) -> list[dict[str, Any]]:
    """What ended and what began at a frame."""
    happened = []
    for piece, segment in before.items():
        if piece not in now:
            position = min(frame, segment["end"]) - piece.origin
            whole = position >= segment["duration"]
            happened.append(
                {"kind": _ENDED[piece.role], **_told(zone, piece, segment, frame, position),
                 "whole": whole}
            )  # fmt: skip
    for piece, segment in now.items():
        if piece not in before:
            position = frame - piece.origin
            kind = _BEGAN.get(piece.role) or ("track_resumed" if position else "track_started")
            happened.append({"kind": kind, **_told(zone, piece, segment, frame, position)})
    return happened


def _told(zone: str, piece: Piece, segment: View, frame: int, position: int) -> dict[str, Any]:
    return {
        "zone_id": zone,
        "frame": frame,
        "item": piece.item,
        "title": segment["title"],
        "artist": segment["artist"],
        "sha256": piece.sha256,
        "position": position,
        "duration": segment["duration"],
    }
