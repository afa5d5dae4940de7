"""What is played, by what lines of one work share: its names as they were last."""

from collections.abc import Mapping

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_broker.messages import Media
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.tables import Track
from sync2gear_platform.proof.tables import ProofWork


async def remember(ctx: Ctx, media: Mapping[str, Media], *, known_stay: bool = False) -> None:
    """Keep what these subjects are called today; a track's own words before its file's.

    ``known_stay``: those that have a name keep it, as ``media`` has none.
    """
    music = [one.sha256 for one in media.values() if one.kind == "music"]
    tracks: dict[str, Track] = {}
    if music:
        found = select(Track).where(
            col(Track.client_id) == ctx.client_id, col(Track.sha256).in_(music)
        )
        tracks = {one.sha256: one for one in await ctx.db.exec(found.order_by(col(Track.id)))}
    rows = []
    for subject, one in sorted(media.items()):
        track = tracks.get(one.sha256) if one.kind == "music" else None
        rows.append(
            {
                "client_id": ctx.client_id,
                "subject": subject,
                "kind": one.kind,
                "title": track.title if track else one.title,
                "artist": track.artist if track else one.artist,
                "album": track.album if track else "",
                "isrc": track.isrc if track else "",
                "composer": track.composer if track else "",
                "frames": one.frames,
                "seen_on": ctx.now.date(),
            }
        )
    if not rows:
        return
    fresh = insert(ProofWork)
    if known_stay:
        await ctx.db.execute(fresh.on_conflict_do_nothing(), rows)
        return
    names = ("title", "artist", "album", "isrc", "composer", "frames", "seen_on")
    await ctx.db.execute(
        fresh.on_conflict_do_update(
            index_elements=["client_id", "subject"],
            set_={name: fresh.excluded[name] for name in names},
            where=col(ProofWork.seen_on) < fresh.excluded.seen_on,
        ),
        rows,
    )
