"""`zones`: what every zone does now; and how the other commands find a zone."""

from typing import Any, Final

import typer

from sync2gear_broker.units import FRAME_RATE
from sync2gear_cli import commands, names, output
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.output import AsJson

app = commands.new()

HEADS: Final = ("zone", "status", "now", "volume", "speakers")
_ROLES: Final = {"music": 0, "event": 1, "emergency": 2}


@app.command()
def zones(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the zones: status, what sounds now, volume and speakers."""
    with open_api(ctx.obj) as api:
        state = read_state(api)
    if as_json:
        output.emit(state)
    else:
        rows = [row(view, state["frame"]) for view in state["results"]]
        output.show(HEADS, rows, "There are no zones yet.")


def read_state(api: Api) -> dict[str, Any]:
    """``{frame, results: [zone view]}`` of all zones, by name."""
    state: dict[str, Any] = api.get("/playback/state/")
    state["results"].sort(key=lambda view: str(view["name"]).casefold())
    return state


def find_zones(api: Api, wanted: list[str]) -> list[str]:
    """The ids of the zones that ``wanted`` names."""
    views = read_state(api)["results"]
    return [str(view["zone_id"]) for view in names.find_all("zone", views, wanted, key="zone_id")]


def row(view: dict[str, Any], frame: int) -> tuple[str, str, str, str, str]:
    """One zone at ``frame`` of the zone clock as cells under :data:`HEADS`."""
    volume = f"{view['volume']} muted" if view["mute"] else str(view["volume"])
    speakers = view["speakers"]
    return (
        str(view["name"]),
        str(view["status"]),
        now_text(view, frame),
        volume,
        f"{speakers['online']}/{speakers['total']}",
    )


def sounding(view: dict[str, Any], frame: int) -> dict[str, Any] | None:
    """The segment of ``view`` that a listener notices at ``frame``: a voice before the music."""
    heard = [one for one in view["segments"] if one["start"] <= frame < one["end"]]
    return max(heard, key=lambda one: (_ROLES.get(one["role"], 0), one["start"]), default=None)


def now_text(view: dict[str, Any], frame: int) -> str:
    """What sounds at ``frame``, or where silent music stands: ``Title by Artist 1:02/3:03``.

    What is no music is told apart: ``announcement:``, ``emergency:`` or ``drill:``.
    """
    segment = sounding(view, frame)
    if segment is None:
        music = view.get("music")
        return _place(music, music["offset"]) if music else "-"
    text = _place(segment, frame - segment["start"] + segment["offset"])
    role = segment["role"]
    if role == "music":
        return text
    alarm = "drill" if view.get("drill") else "emergency"
    return f"{'announcement' if role == 'event' else alarm}: {text}"


def _place(one: dict[str, Any], position: int) -> str:
    title = str(one["title"] or one["sha256"][:12])
    by = f" by {one['artist']}" if one["artist"] else ""
    return f"{title}{by} {clock(position)}/{clock(one['duration'])}"


def clock(frames: int) -> str:
    """A length in frames as ``m:ss``."""
    minutes, seconds = divmod(max(frames, 0) // FRAME_RATE, 60)
    return f"{minutes}:{seconds:02d}"
