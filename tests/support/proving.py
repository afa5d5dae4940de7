"""A shop's past, as the proof of play knows it: what was planned, and what speakers told."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from support.music import add_folder, add_zone
from support.planning import add_schedule, add_words, compiled
from support.world import Tenant, World
from sync2gear_broker import timeline
from sync2gear_broker.messages import PlayEvent
from sync2gear_broker.timeline import Segment
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.kit.clock import Clock, frames_of
from sync2gear_platform.playback import queries
from sync2gear_platform.playback.ingest import GIVE_UP_GAP, Batch, Ingest
from sync2gear_platform.proof import reckoning

MINUTE = 60 * FRAME_RATE


async def shop(world: World) -> tuple[Tenant, str, UUID]:
    """A zone with music all day and a call each quarter of an hour; the announcement."""
    tenant = await world.tenant()
    zone = await add_zone(tenant, "Bar")
    plan = await add_folder(world, tenant, tuple(f"Plan {n}" for n in range(8)))
    words = await add_words(world, tenant)
    await add_schedule(world, tenant, zone, folder_id=plan, name="All day")
    await add_schedule(
        world, tenant, zone, type="announcement", announcement_id=words, name="Call",
        when={"kind": "minutes", "minutes": [0, 15, 30, 45]},
    )  # fmt: skip
    await compiled(world)
    return tenant, zone, words


async def lines(tenant: Tenant, **asked: Any) -> list[dict[str, Any]]:
    """The lines of the proof of play, in their order."""
    found = await tenant.read("/proof/", ordering="planned_at", **asked)
    results: list[dict[str, Any]] = found["results"]
    return results


async def speaker(tenant: Tenant, zone: str, name: str) -> str:
    body = {"name": name, "hardware_id": f"hw {name}", "zone_id": zone}
    return str((await tenant.make("/devices/register/", **body))["device"]["id"])


LATER = timedelta(hours=2)
"""When speakers tell: what is planned for the next hour is past by then."""


async def reckoned(world: World, tenant: Tenant, **later: float) -> None:
    """Reckon for a client as if it were so much after they told, until nothing is left to do."""
    for _ in range(40):
        async with world.ctx(tenant.id) as ctx:
            now = ctx.now + LATER + (timedelta(**later) if later else timedelta(minutes=5))
            if not await reckoning.reckon(replace(ctx, now=now)):
                return


async def segments(world: World, tenant: Tenant, zone: str, **later: float) -> list[Segment]:
    """What a zone is to sound from now on for so long."""
    async with world.ctx(tenant.id) as ctx:
        (score,) = await queries.scores(ctx, [UUID(zone)])
        end = frames_of(ctx.now + timedelta(**later))
        settled = timeline.settle(score.programmes, score.state)
        found = timeline.segments(settled, ctx.frame, end)
    return [one for one in found if one.end < end]


def undisturbed(due: Sequence[Segment]) -> list[Segment]:
    """The pieces of music that are heard in one go: in none does an announcement make a pause."""
    return [one for one in due if one.role == "music" and one.end - one.start == one.media.frames]


@dataclass
class Teller:
    """A speaker that tells what it played."""

    world: World
    tenant: Tenant
    device: str
    zone: str
    log: UUID = field(default_factory=uuid4)
    seq: int = 0

    def event(self, kind: str, one: Segment, at: int, **more: Any) -> PlayEvent:
        self.seq += 1
        return PlayEvent.model_validate(
            {
                "id": str(uuid4()), "seq": self.seq, "kind": kind, "zone": self.zone,
                "item": one.item, "media": one.media.sha256, "media_kind": one.media.kind,
                "at": at, "planned": one.start, **more,
            }
        )  # fmt: skip

    def played(self, one: Segment, *, late: int = 0, **more: Any) -> list[PlayEvent]:
        """That it sounded a piece, from so many frames after its beginning on."""
        frames = one.end - one.start - late
        return [
            self.event("started", one, one.start + late, **more),
            self.event("finished", one, one.end, frames=frames, **more),
        ]

    async def tell(self, told: Sequence[PlayEvent | None]) -> None:
        """Send these on the way that play events take; None is a number that can not be read."""
        ahead = LATER // timedelta(microseconds=1) * 1000
        ingest = Ingest(self.world.db, Clock(wall_ns=lambda: time.time_ns() + ahead))
        first = self.seq - len(told) + 1
        events: dict[int, PlayEvent | None] = {
            first + n if one is None else one.seq: one for n, one in enumerate(told)
        }
        batch = Batch(self.tenant.id, UUID(self.device), self.log, events)
        for _ in range(GIVE_UP_GAP):
            await ingest.write([batch])
