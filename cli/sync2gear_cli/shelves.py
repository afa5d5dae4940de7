"""`music`: what is on the shelves: lists, searches, changes, and playlists out and in."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sync2gear_cli import commands, output
from sync2gear_cli.client import open_api
from sync2gear_cli.failures import Failure
from sync2gear_cli.foldering import app, folder_of, group
from sync2gear_cli.output import AsJson

__all__ = ["app"]

_HEADS: Final = ("title", "artist", "album", "length", "plays", "id")
_AT_ONCE: Final = 1000
Folder = Annotated[str | None, typer.Option(help="A folder, by name or id.")]


@group.command(
    "list",
    epilog=commands.examples(
        "sync2gear music list --folder jazz --genre Swing --sort -play_count",
        "sync2gear music list --valid-on 2026-12-24 --clean --longer 120",
    ),
)
def list_(
    ctx: typer.Context,
    folder: Folder = None,
    artist: Annotated[str, typer.Option(help="Only by this artist.")] = "",
    album: Annotated[str, typer.Option(help="Only of this album.")] = "",
    genre: Annotated[str, typer.Option(help="Only of this genre.")] = "",
    tag: Annotated[str, typer.Option(help="Only what has this tag.")] = "",
    licence: Annotated[str, typer.Option(help="Only under this licence.")] = "",
    year_from: Annotated[int | None, typer.Option(help="Only of this year or later.")] = None,
    year_to: Annotated[int | None, typer.Option(help="Only of this year or before.")] = None,
    longer: Annotated[int | None, typer.Option(help="Only of so many seconds or more.")] = None,
    shorter: Annotated[int | None, typer.Option(help="Only of so many seconds or fewer.")] = None,
    valid_on: Annotated[
        str, typer.Option(help="Only what may be played on this day, YYYY-MM-DD.")
    ] = "",
    explicit: Annotated[bool | None, typer.Option("--explicit/--clean")] = None,
    duplicates: Annotated[
        bool, typer.Option("--duplicates", help="Only what is here twice.")
    ] = False,
    sort: Annotated[
        str, typer.Option(help="By title, artist, album, duration_millis, …; with - backwards.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List tracks; of a folder with all folders in it."""
    given: dict[str, str | int | None] = {
        "artist": artist, "album": album, "genre": genre, "tag": tag, "licence": licence,
        "year_from": year_from, "year_to": year_to, "longer_than": longer, "shorter_than": shorter,
        "valid_on": valid_on, "duplicates": "true" if duplicates else "", "ordering": sort,
        "explicit": "" if explicit is None else str(explicit).lower(),
    }  # fmt: skip
    asked = {name: value for name, value in given.items() if value is not None and value != ""}
    with open_api(ctx.obj) as api:
        if folder is not None:
            asked |= {"folder_id": folder_of(api, folder), "subfolders": "true"}
        _show(list(api.pages("/music/files/", **asked)), as_json=as_json)


@group.command(epilog=commands.examples("sync2gear music search bjork joga"))
def search(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(help="Words, or how they begin.")],
    as_json: AsJson = False,
) -> None:
    """Find tracks by title, artist, album, genre and file name."""
    with open_api(ctx.obj) as api:
        found = api.get("/music/files/", search=" ".join(words), page_size=200)["results"]
    _show(found, as_json=as_json)


@group.command(
    epilog=commands.examples(
        "sync2gear music edit ID --title 'So What' --year 1959",
        "sync2gear music edit ID ID --genre Jazz --tag evening --folder 'Evening jazz'",
    )
)
def edit(
    ctx: typer.Context,
    tracks: Annotated[list[str], typer.Argument(help="Ids of tracks.")],
    title: Annotated[str | None, typer.Option()] = None,
    artist: Annotated[str | None, typer.Option()] = None,
    album: Annotated[str | None, typer.Option()] = None,
    genre: Annotated[str | None, typer.Option()] = None,
    year: Annotated[int | None, typer.Option()] = None,
    composer: Annotated[str | None, typer.Option()] = None,
    tag: Annotated[list[str] | None, typer.Option(help="All its tags; may be repeated.")] = None,
    explicit: Annotated[bool | None, typer.Option("--explicit/--clean")] = None,
    licence: Annotated[str | None, typer.Option()] = None,
    valid_from: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD.")] = None,
    valid_until: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Change the same of some tracks, of all of them or of none."""
    given: dict[str, Any] = {
        "title": title, "artist": artist, "album": album, "genre": genre, "year": year,
        "composer": composer,
        "tags": tag or None, "explicit": explicit, "licence": licence,
        "valid_from": valid_from, "valid_until": valid_until,
    }  # fmt: skip
    changes = {name: value for name, value in given.items() if value is not None}
    _few(tracks)
    with open_api(ctx.obj) as api:
        if folder is not None:
            changes["folder_id"] = folder_of(api, folder)
        if not changes:
            raise Failure("say what to change, e.g. --genre Jazz", "nothing_to_change")
        done = api.post("/music/files/bulk/", {"track_ids": tracks, "changes": changes})
    if as_json:
        output.emit(done)
    else:
        output.line(f"{done['tracks']} changed")


@group.command(epilog=commands.examples("sync2gear music remove ID ID --force"))
def remove(
    ctx: typer.Context,
    tracks: Annotated[list[str], typer.Argument(help="Ids of tracks.")],
    force: Annotated[bool, typer.Option("--force", help="Although they are used.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove some tracks, all of them or none; what plays plays on."""
    _few(tracks)
    with open_api(ctx.obj) as api:
        done = api.post("/music/files/bulk-delete/", {"track_ids": tracks, "force": force})
    if as_json:
        output.emit(done)
    else:
        output.line(f"{done['tracks']} removed")


def _few(tracks: list[str]) -> None:
    if len(tracks) > _AT_ONCE:
        raise Failure(f"at most {_AT_ONCE} tracks at once", "too_many")


@group.command(epilog=commands.examples("sync2gear music export jazz --format xspf --to jazz.xspf"))
def export(
    ctx: typer.Context,
    folder: Annotated[str, typer.Argument(help="A folder, by name or id.")],
    kind: Annotated[str, typer.Option("--format", help="m3u8 or xspf.")] = "m3u8",
    to: Annotated[Path | None, typer.Option(help="A file; by default stdout.")] = None,
) -> None:
    """Write a folder as a playlist for other programs."""
    with open_api(ctx.obj) as api:
        path = f"/music/folders/{folder_of(api, folder)}/export/"
        text = b"".join(api.stream(path, format=kind))
    if to is None:
        sys.stdout.buffer.write(text)
        return
    output.save(text, to)


@group.command("read", epilog=commands.examples("sync2gear music read jazz.m3u8 --folder jazz"))
def read_playlist(
    ctx: typer.Context,
    playlist: Annotated[Path, typer.Argument(help="An M3U8 or XSPF file.")],
    folder: Annotated[str, typer.Option(help="Where the tracks go, by name or id.")],
    as_json: AsJson = False,
) -> None:
    """Put the tracks that a playlist names, and are here, at the end of a folder."""
    try:
        content = playlist.read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {playlist}: {error.strerror}", "not_read") from error
    with open_api(ctx.obj) as api:
        done = api.put_in(f"/music/folders/{folder_of(api, folder)}/import/", content)
    if as_json:
        output.emit(done)
        return
    output.line(f"{done['matched']} of {len(done['results'])} found")
    for one in done["results"]:
        if one["outcome"] != "matched":
            output.note(f"line {one['line']}: {one['name']}: {one['outcome']}")


def _show(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        output.emit({"results": found})
        return
    rows = [
        (one["title"], one["artist"], one["album"], _length(one), one["play_count"], one["id"])
        for one in found
    ]
    output.show(_HEADS, rows, "There are no such tracks.")


def _length(track: dict[str, Any]) -> str:
    minutes, seconds = divmod(track["duration_millis"] // 1000, 60)
    return f"{minutes}:{seconds:02d}"
