"""`music upload` and `music uploads`: files of this machine into the library."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import Progress

from sync2gear_cli import commands, direct, names, output, progress, tus
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.failures import UNREACHABLE, Failure
from sync2gear_cli.music import app, group
from sync2gear_cli.output import AsJson

SOUNDS: Final = frozenset(
    ".mp3 .m4a .mp4 .aac .ogg .oga .opus .flac .wav .webm .mka .aif .aiff .aifc".split()  # noqa: SIM905 - read as people write it
)
"""Endings of the files that are taken of a folder; a file that is named itself is always taken."""

_POLL_SECONDS: Final = 0.5
_HEADS: Final = ("file", "outcome", "size", "what")
_ENDED: Final = frozenset({"ready", "failed"})

Row = dict[str, Any]
Way = Callable[[Api, tus.Memory, tus.Source, tus.Progress], str]


@dataclass(frozen=True, slots=True)
class Goal:
    """The uploads of the API that take the files, and what is said of each beside its name."""

    place: str
    told: Mapping[str, str]


__all__ = ["app", "group", "upload", "uploads"]


@group.command(
    epilog=commands.examples(
        "sync2gear music upload ~/Music/Jazz --folder 'Evening jazz'",
        "sync2gear music upload jingle.wav --json",
    )
)
def upload(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders with all below them.")],
    folder: Annotated[
        str | None, typer.Option(help="The music folder; made where there is none of this name.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until the platform is through with it.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Send music; called again after whatever broke it off, it goes on where it stopped."""
    files = list(found(paths))
    if not files:
        raise Failure("there is no music in that", "nothing_found")
    with open_api(ctx.obj) as api:
        folder_id = _folder(api, folder) if folder else ""
        goal = Goal(tus.MUSIC, {"folder_id": folder_id})
        results = send_all(api, files, goal)
        if wait:
            follow(api, results, goal)
    report(results, as_json=as_json)


def report(results: list[Row], *, as_json: bool) -> None:
    """Write what became of each file; Failure where one did not come in."""
    if as_json:
        output.emit({"results": results})
    else:
        output.show(_HEADS, [_shown(one) for one in results], "")
    failed = [one for one in results if one["outcome"] == "failed"]
    if failed:
        unreachable = all(one["code"] == "unreachable" for one in failed)
        raise Failure(
            f"{len(failed)} of {len(results)} files did not come in",
            "upload_failed",
            UNREACHABLE if unreachable else 1,
        )


@group.command()
def uploads(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List what was sent lately, and what became of it."""
    with open_api(ctx.obj) as api:
        listed = list(api.pages("/music/uploads/"))
    if as_json:
        output.emit({"results": listed})
    else:
        rows = [_shown({"file": one["filename"], **_outcome(one)}) for one in listed]
        output.show(_HEADS, rows, "Nothing was sent lately.")


def found(paths: Sequence[Path]) -> Iterator[Path]:
    """Every file meant, once, folders in their order; hidden ones are left out."""
    seen = set()
    for path in paths:
        if not path.exists():
            raise Failure(f"there is no {path}", "no_such_file")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for one in inside:
            hidden = any(part.startswith(".") for part in one.relative_to(path).parts)
            known = one == path or one.suffix.lower() in SOUNDS
            real = one.resolve()
            if known and not hidden and one.is_file() and real not in seen:
                seen.add(real)
                yield one


def _folder(api: Api, wanted: str) -> str:
    """The id of the music folder of this name, which is made where there is none."""
    listed = list(api.pages("/music/folders/", type="music"))
    try:
        return str(names.find("folder", listed, wanted)["id"])
    except Failure as failure:
        if failure.code != "folder_unknown":
            raise
    return str(api.post("/music/folders/", {"name": wanted})["id"])


def send_all(api: Api, files: Sequence[Path], goal: Goal) -> list[Row]:
    """Send one after the other; what is refused does not hold up the rest."""
    memory = tus.Memory()
    way = direct.send if direct.offered(api, goal.place) else tus.send
    results: list[Row] = []
    with progress.bytes_bar() as bar:
        total = bar.add_task("sending", total=sum(_size(file) for file in files))
        before = 0
        for number, path in enumerate(files, 1):
            bar.update(total, description=f"{number}/{len(files)} {output.clean(path.name)[:40]}")
            moved = partial(_moved, bar, total, before)
            results.append(_send_one(way, api, memory, path, goal, moved))
            before += _size(path)
            bar.update(total, completed=before)
    return results


def _send_one(
    way: Way,
    api: Api,
    memory: tus.Memory,
    path: Path,
    goal: Goal,
    moved: tus.Progress,
) -> Row:
    row: Row = {"file": str(path), "outcome": "sent", "size": _size(path), "upload": None}
    try:
        row["id"] = way(api, memory, tus.Source.of(path, goal.told, goal.place), moved)
    except Failure as failure:
        if failure.status == 3:
            raise
        return {**row, "outcome": "failed", "code": failure.code, "detail": failure.detail}
    except OSError as error:
        detail = error.strerror or str(error)
        return {**row, "outcome": "failed", "code": "unreadable", "detail": detail}
    return row


def follow(api: Api, results: list[Row], goal: Goal) -> None:
    """Wait until nothing of what was sent is being worked on, with a bar where somebody looks."""
    waiting = [one for one in results if one["outcome"] == "sent"]
    with progress.bar("listening") as bar:
        task = bar.add_task("", total=len(waiting))
        for one in waiting:
            while True:
                current = api.get(f"{goal.place}{one['id']}/")
                if current["state"] in _ENDED:
                    break
                time.sleep(_POLL_SECONDS)
            one |= _outcome(current)
            one["upload"] = current
            bar.advance(task)


def _outcome(upload: Row) -> Row:
    """What became of an upload, in a word, and why."""
    outcome = "duplicate" if upload["state"] == "ready" and upload["duplicate_of"] else None
    return {
        "outcome": outcome or upload["state"],
        "size": upload["size"],
        "code": upload["code"],
        "detail": upload["detail"],
        "upload": upload,
    }


def _shown(one: Row) -> tuple[object, ...]:
    upload = one.get("upload") or {}
    made = upload.get("track_id") or upload.get("announcement_id") or ""
    why = f"{one['detail']} ({one['code']})" if one.get("code") else made
    return Path(one["file"]).name, one["outcome"], f"{one['size'] / 1e6:.1f} MB", why


def _moved(bar: Progress, task: Any, before: int, done: int) -> None:
    bar.update(task, completed=before + done)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
