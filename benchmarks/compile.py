"""Compiling a week for 1,000 zones with 100,000 schedules, beside document 001's scan each minute.

Zones of chains share their schedules (ten chains of a hundred shops) and are worked out once each
while they play alike; a zone with schedules of its own is measured on ``SAMPLE`` zones. The scan
looks at every schedule in each minute, without the database and without doing anything about those
that are due: its lower bound. Both in seconds of the processor, not of the wall. Then a schedule is
edited over HTTP, and it is measured when the zone's new state is on the broker, with one worker and
one shop of forty schedules: from the request on, with nothing left to do of what came before.
"""

import asyncio
import gc
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from bench import Metric, quantile, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.leader import Lab, open_lab
from support.music import add_folder, add_zone
from support.planning import add_words, marks
from support.services import start_postgres
from support.stack import eventually
from support.venue import venue
from sync2gear_broker import topics
from sync2gear_broker.messages import ZoneState
from sync2gear_platform.migrations.run import migrate
from sync2gear_platform.schedules.compiling import Playing
from sync2gear_platform.schedules.ledger import Digests
from sync2gear_platform.schedules.model import Every
from sync2gear_platform.schedules.occurrences import frame_of
from sync2gear_platform.schedules.publishing import Job, worked_out
from sync2gear_platform.schedules.resolver import Facts

ZONES: Final = 1_000
SCHEDULES: Final = 100
"""Of each zone."""

CHAINS: Final = 10
SAMPLE: Final = 5
EDITS: Final = 20
START: Final = frame_of(datetime(2027, 3, 1, tzinfo=UTC))
RENEWALS: Final = 60 * 24 * 2
"""Minutes after which a programme is made longer."""


@dataclass
class Row:
    """A schedule as document 001 has it."""

    is_active: bool
    days_of_week: list[int]
    mode: str
    start_time: clock_time
    end_time: clock_time
    minutes: int


def rows(facts: Facts) -> list[Row]:
    """The same schedules as rows of document 001."""
    return [
        Row(
            True,
            sorted(s.timing.days.weekdays) or list(range(7)),
            "interval" if isinstance(s.timing.when, Every) else "timeline",
            s.timing.span.start,
            s.timing.span.end,
            s.timing.when.minutes if isinstance(s.timing.when, Every) else 0,
        )
        for s in facts.schedules
    ]


def scan(found: list[Row], now: datetime) -> int:
    """Document 001's ``check_schedules`` for one minute; how many are due."""
    clock, weekday = now.time(), now.weekday()
    due = 0
    for row in found:
        if not row.is_active or weekday not in row.days_of_week:
            continue
        if row.mode == "timeline":
            due += row.start_time <= clock <= row.end_time
        else:
            due += (clock.hour * 60 + clock.minute) % row.minutes == 0
    return due


def job(number: int, facts: Facts, digests: Digests) -> Job:
    """A zone that was never played."""
    state = ZoneState(zone=str(UUID(int=number)), epoch=1, rev=1)
    return Job(state_id(state), facts, digests.facts(facts), Playing(state, {}), START, 0)


def state_id(state: ZoneState) -> UUID:
    """The zone of a state."""
    return UUID(state.zone)


def chain(number: int) -> Facts:
    """The facts of a chain, told from others by the name of one schedule."""
    facts = venue(SCHEDULES)
    first = replace(facts.schedules[0], name=f"base {number}")
    return replace(facts, schedules=(first, *facts.schedules[1:]))


def pure() -> dict[str, Metric]:
    """What a week costs, and a minute."""
    chains = [chain(n) for n in range(CHAINS)]
    everything = [row for n in range(ZONES) for row in rows(chains[n % CHAINS])]
    began = time.process_time()
    for minute in range(3):
        scan(everything, datetime(2027, 3, 1, 9, tzinfo=UTC) + timedelta(minutes=minute))
    naive_minute = (time.process_time() - began) / 3
    naive_week = naive_minute * 7 * 24 * 60
    digests = Digests()
    began = time.process_time()
    worked_out([job(n, chains[n % CHAINS], digests) for n in range(ZONES)])
    shared = time.process_time() - began
    alone = []
    for number in range(SAMPLE):
        began = time.process_time()
        worked_out([job(number, chain(100 + number), Digests())])
        alone.append(time.process_time() - began)
    each = quantile(alone, 0.5)
    return {
        "week_of_1000_zones_in_chains": Metric(shared, "s", naive_week),
        "week_of_one_zone_p50": Metric(each, "s", naive_week / ZONES),
        "week_of_1000_zones_all_different": Metric(each * ZONES, "s (from the sample)", naive_week),
        "minute_of_1000_zones_all_different": Metric(
            each * ZONES / RENEWALS * 1000, "ms", naive_minute * 1000
        ),
    }


async def shop(lab: Lab) -> tuple[Any, str, list[str]]:
    """A zone of forty schedules made over HTTP; the ids of its announcements' schedules."""
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    folder = await add_folder(lab.world, tenant, tuple(f"Song {n}" for n in range(60)))
    words = await add_words(lab.world, tenant)
    made = []
    for number in range(6):
        body = {
            "type": "music", "folder_id": str(folder), "zone_ids": [zone],
            "start_time": f"{4 * number:02}:00", "end_time": f"{(4 * number + 4) % 24:02}:00",
        }  # fmt: skip
        await tenant.make("/schedules/", name=f"Part {number}", **body)
    for number in range(34):
        when = {"kind": "minutes", "minutes": [number]}
        body = {"type": "announcement", "announcement_id": str(words), "zone_ids": [zone]}
        one = await tenant.make("/schedules/", name=f"Call {number}", when=when, **body)
        made.append(one["id"])
    return tenant, zone, made


async def quiet(lab: Lab) -> None:
    """Wait until every zone is compiled and every state published, and for a second after it."""

    async def compiled() -> bool:
        return await marks(lab.world) == 0

    await eventually(compiled, "every zone is compiled", 60)
    await lab.drained()
    await asyncio.sleep(1)


async def edited(lab: Lab) -> dict[str, Metric]:
    """From an edit to the zone's new state at whoever listens to the broker."""
    tenant, zone, schedules = await shop(lab)
    lab.worker()
    await lab.ready()
    topic = topics.build(topics.ZONE_DESIRED, client=str(tenant.id), zone=zone)
    took = []
    async with lab.platform_client() as client:
        await client.subscribe(topic, qos=1)
        heard: asyncio.Queue[int] = asyncio.Queue()

        async def listen() -> None:
            async for message in client.messages:
                if isinstance(message.payload, bytes) and message.payload:
                    heard.put_nowait(ZoneState.parse(message.payload).rev)

        listening = asyncio.create_task(listen())
        async with asyncio.timeout(120):
            await heard.get()
        for number in range(EDITS):
            await quiet(lab)
            while not heard.empty():
                heard.get_nowait()
            when = {"kind": "minutes", "minutes": [number, 40 + number % 20]}
            began = time.perf_counter()
            answer = await tenant.http.patch(
                f"/api/v1/schedules/{schedules[number]}/", json={"when": when}
            )
            assert answer.is_success, answer.text
            async with asyncio.timeout(60):
                await heard.get()
            took.append(time.perf_counter() - began)
        listening.cancel()
    return {
        "edit_to_published_p50": Metric(quantile(took, 0.5), "s", 60.0),
        "edit_to_published_p99": Metric(quantile(took, 0.99), "s", 60.0),
    }


async def main() -> None:
    """The pure figures, then the whole way on a private PostgreSQL and Mosquitto."""
    gc.set_threshold(20_000, 20, 20)  # as the worker does
    metrics = pure()
    server = start_postgres()
    try:
        migrate(server.admin_url, server.app_url)
        async with open_lab(server) as lab:
            metrics |= await edited(lab)
    finally:
        server.stop()
    report("compile", metrics, "the baseline is document 001's scan of every schedule each minute")


if __name__ == "__main__":
    asyncio.run(main())
