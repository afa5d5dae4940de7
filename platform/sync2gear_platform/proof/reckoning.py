"""Setting what speakers told beside what was planned: a few zones and events at a time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, text, tuple_
from sqlalchemy import select as columns
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_broker.messages import Media
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.kit.clock import frames_of
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.playback.tables import PlayEventRow, PlayGap, PlayLog
from sync2gear_platform.proof import planning, rules, voices, works
from sync2gear_platform.proof.planning import HOUR, Span
from sync2gear_platform.proof.rules import Place, Planned, Speaker, Told, Verdict
from sync2gear_platform.proof.sums import Sums
from sync2gear_platform.proof.tables import ProofAccount, ProofLine, ProofZone
from sync2gear_platform.proof.within import Within
from sync2gear_platform.sites.tables import Device, DevicePresence

SETTLED: Final = timedelta(minutes=5)
"""What is younger may still be changed by its own speakers' next word."""

QUIET: Final = timedelta(minutes=2)
"""A speaker that is connected and has said nothing for so long has nothing left to tell."""

COMMITTED: Final = timedelta(seconds=30)
"""Events are read once nobody can commit an earlier one any more."""

EVENTS: Final = 5_000
"""Events that are read in one transaction."""

PENDING: Final = 1_000
"""Pending lines that are looked at again in one transaction."""

NOBODY: Final = UUID(int=0)


async def reckon(ctx: Ctx, without: frozenset[UUID] = frozenset()) -> bool:
    """Some of what there is to do for a client; whether there may be more.

    ``without`` zones that are put off: what is told of them is read with :func:`reckon_zone`.
    """
    account = await _account(ctx)
    if account is None:
        return False
    within = Within(without=without)
    sums = Sums()
    planned = await planning.write_down(ctx, frames_of(ctx.now - SETTLED), sums, within)
    news, told = await _news(ctx, account)
    waiting = await _waiting(ctx, account, within)
    spans = [span for span in (*planned, *told, *waiting) if within.holds(span[0])]
    await _judge(ctx, _merged(spans), sums)
    await sums.write(ctx)
    return len(planned) == planning.BATCH or news == EVENTS


async def reckon_zone(ctx: Ctx, zone: UUID, since: datetime | None = None) -> bool:
    """The same for one zone, from what was told since a moment or is news; whether there is more.

    What is news to the client stays so.
    """
    account = await account_of(ctx, lock=True)
    sums = Sums()
    within = Within(only=zone)
    planned = await planning.write_down(ctx, frames_of(ctx.now - SETTLED), sums, within)
    told = await _told_since(ctx, zone, since or account.seen_at)
    waiting = await _waiting(ctx, account, within)
    await _judge(ctx, _merged([*planned, *told, *waiting]), sums)
    await sums.write(ctx)
    return bool(planned)


async def account_of(ctx: Ctx, *, lock: bool = False) -> ProofAccount:
    """The client's account, made where there is none yet."""
    fresh = ProofAccount(
        client_id=ctx.client_id,
        seen_at=ctx.now - timedelta(seconds=planning.BACK // FRAME_RATE),
        seen_id=NOBODY,
    )
    made = insert(ProofAccount).values(**fresh.model_dump())
    await ctx.db.execute(made.on_conflict_do_nothing())
    found = select(ProofAccount).where(col(ProofAccount.client_id) == ctx.client_id)
    return (await ctx.db.exec(found.with_for_update() if lock else found)).one()


async def _account(ctx: Ctx) -> ProofAccount | None:
    """The client's account, locked; None while another worker reckons for it."""
    await account_of(ctx)
    found = select(ProofAccount).where(col(ProofAccount.client_id) == ctx.client_id)
    found = found.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    return (await ctx.db.exec(found)).one_or_none()


async def _news(ctx: Ctx, account: ProofAccount) -> tuple[int, list[Span]]:
    """How many events came since the last time, and the hours of which they tell."""
    key = (col(PlayEventRow.received_at), col(PlayEventRow.id))
    fresh = (
        select(
            PlayEventRow.received_at, PlayEventRow.id, PlayEventRow.zone_id,
            PlayEventRow.planned_frame,
        )
        .where(
            col(PlayEventRow.client_id) == ctx.client_id,
            tuple_(*key) > tuple_(account.seen_at, account.seen_id),
            key[0] < ctx.now - COMMITTED,
        )
        .order_by(*key)
        .limit(EVENTS)
    )  # fmt: skip
    rows = (await ctx.db.execute(fresh)).all()
    if rows:
        account.seen_at, account.seen_id = rows[-1][0], rows[-1][1]
        ctx.db.add(account)
    return len(rows), [_hour(zone, planned) for _, _, zone, planned in rows]


async def _told_since(ctx: Ctx, zone: UUID, since: datetime) -> list[Span]:
    """The hours of which somebody told in a zone since then."""
    told = (
        select(PlayEventRow.planned_frame / HOUR)
        .where(
            col(PlayEventRow.client_id) == ctx.client_id,
            col(PlayEventRow.zone_id) == zone,
            col(PlayEventRow.received_at) >= since,
        )
        .distinct()
    )
    return [_hour(zone, int(hour) * HOUR) for hour in (await ctx.db.exec(told)).all()]


async def _waiting(ctx: Ctx, account: ProofAccount, within: Within) -> list[Span]:
    """The hours of some pending lines, in turn: their speakers may have told the rest meanwhile."""
    pending = (
        select(ProofLine.zone_id, ProofLine.begins)
        .where(
            col(ProofLine.client_id) == ctx.client_id,
            col(ProofLine.outcome) == "pending",
            col(ProofLine.begins) >= (account.swept if within.only is None else 0),
            within.clause(col(ProofLine.zone_id)),
        )
        .order_by(col(ProofLine.begins), col(ProofLine.id))
        .limit(PENDING)
    )
    rows = (await ctx.db.exec(pending)).all()
    if within.only is None:
        account.swept = rows[-1][1] if len(rows) == PENDING and rows[-1][1] > account.swept else 0
        ctx.db.add(account)
    return [_hour(zone, begins) for zone, begins in rows]


def _hour(zone: UUID, frame: int) -> Span:
    """The lines in question where one is told of at a frame: of its hour, and some before."""
    hour = frame - frame % HOUR
    return zone, hour - 2 * HOUR, hour + HOUR


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The same stretches, each frame of a zone once."""
    found: list[Span] = []
    for zone, a, b in sorted(set(spans)):
        if found and found[-1][0] == zone and a <= found[-1][2]:
            found[-1] = zone, found[-1][1], max(b, found[-1][2])
        else:
            found.append((zone, a, b))
    return found


async def _judge(ctx: Ctx, spans: Sequence[Span], sums: Sums) -> None:
    """Say of every line of these stretches what became of it, and write what was not planned."""
    zones = await _zones(ctx, {zone for zone, _, _ in spans})
    spans = [
        (zone, max(a, zones[zone].since_frame), min(b, zones[zone].until_frame))
        for zone, a, b in spans
        if zone in zones
    ]
    spans = [span for span in spans if span[1] < span[2]]
    if not spans:
        return
    lines = await _lines(ctx, spans)
    told = await _told(ctx, _merged([*spans, *((z, a.begins - HOUR, a.ends) for z, a in lines)]))
    devices = {d for _, line in lines for d in line.speakers} | {e.device for _, e in told}
    speakers = await _speakers(ctx, devices, min(a for _, a, _ in spans))
    found: dict[UUID, list[Told]] = {}
    rest: list[tuple[UUID, Told]] = []
    places: dict[UUID, list[Place]] = {zone: [] for zone in zones}
    events: dict[UUID, list[Told]] = {zone: [] for zone in zones}
    for zone, line in lines:
        places[zone].append(_place(line))
    for zone, event in told:
        events[zone].append(event)
    for zone in sorted(zones):
        mine, unknown = rules.sorted_out(places[zone], events[zone])
        found |= mine
        rest += [(zone, event) for event in unknown]
    fresh = await _unplanned(ctx, spans, rest, zones, sums)
    lines += [(line.zone_id, line) for line in fresh if line.id not in {one.id for _, one in lines}]
    for zone, event in rest:
        found.setdefault(rules.id_of(zone, _named(event)), []).append(event)
    changed = []
    for _, line in lines:
        came = rules.verdict(
            line.begins, line.ends, line.silenced,
            there=line.speakers, told=found.get(line.id, ()), speakers=speakers, now=ctx.frame,
        )  # fmt: skip
        if came != _known(line):
            changed.append((line, came))
    await _write(ctx, changed, sums)


def _known(line: ProofLine) -> Verdict:
    outcome: Any = line.outcome
    return Verdict(outcome, line.reason, line.began, line.heard, line.heard_by)


def _place(line: ProofLine) -> Place:
    exact = line.id != rules.id_of(line.zone_id, line.item)
    return Place(line.id, line.item, line.sha256, line.begins, line.ends, exact)


async def _zones(ctx: Ctx, zone_ids: Iterable[UUID]) -> dict[UUID, ProofZone]:
    found = select(ProofZone).where(
        col(ProofZone.client_id) == ctx.client_id, col(ProofZone.zone_id).in_(set(zone_ids))
    )
    return {row.zone_id: row for row in await ctx.db.exec(found)}


SPANS: Final = (
    " FROM unnest(CAST(:zones AS uuid[]), CAST(:starts AS bigint[]), CAST(:ends AS bigint[]))"
    " AS span(zone_id, a, b)"
)
"""Stretches of zones, to be joined by their indexes: one statement for all of them."""


def _bound(ctx: Ctx, spans: Sequence[Span]) -> dict[str, Any]:
    return {
        "client": ctx.client_id,
        "zones": [zone for zone, _, _ in spans],
        "starts": [a for _, a, _ in spans],
        "ends": [b for _, _, b in spans],
    }


async def _lines(ctx: Ctx, spans: Sequence[Span]) -> list[tuple[UUID, ProofLine]]:
    statement = text(
        "SELECT line.*" + SPANS + " JOIN proof_lines AS line ON line.client_id = :client"
        " AND line.zone_id = span.zone_id AND line.begins >= span.a AND line.begins < span.b"
    )
    rows = await ctx.db.execute(statement, _bound(ctx, spans))
    return [(row.zone_id, ProofLine(**row._mapping)) for row in rows]  # noqa: SLF001 - its public name


async def _told(ctx: Ctx, spans: Sequence[Span]) -> list[tuple[UUID, Told]]:
    statement = text(
        "SELECT event.*" + SPANS + " JOIN play_events AS event ON event.client_id = :client"
        " AND event.zone_id = span.zone_id"
        " AND event.planned_frame >= span.a AND event.planned_frame <= span.b"
    )
    rows = await ctx.db.execute(statement, _bound(ctx, spans))
    found = {
        row.id: (
            row.zone_id,
            Told(
                row.device_id, row.kind, row.media_kind, row.item, row.sha256, row.at_frame,
                row.planned_frame, row.frames, row.audible, row.reason,
            ),
        )
        for row in rows
    }  # fmt: skip
    return list(found.values())


async def _speakers(ctx: Ctx, devices: set[UUID], since: int) -> dict[UUID, Speaker]:
    """How far each of these has told everything; one without an account is gone."""
    last, spoke = func.max(PlayLog.last_frame), func.max(PlayLog.updated_at)
    statement = (
        columns(col(Device.id), col(Device.revoked_at), col(DevicePresence.online), last, spoke)
        .outerjoin(DevicePresence, col(DevicePresence.device_id) == col(Device.id))
        .outerjoin(PlayLog, col(PlayLog.device_id) == col(Device.id))
        .where(col(Device.client_id) == ctx.client_id, col(Device.id).in_(devices))
        .group_by(col(Device.id), col(Device.revoked_at), col(DevicePresence.online))
    )
    rows = (await ctx.db.execute(statement)).all()
    lost: dict[UUID, list[tuple[int, int]]] = {}
    holes = select(PlayGap).where(
        col(PlayGap.client_id) == ctx.client_id,
        col(PlayGap.device_id).in_(devices),
        col(PlayGap.to_frame) >= since,
    )
    for gap in await ctx.db.exec(holes):
        lost.setdefault(gap.device_id, []).append((gap.from_frame, gap.to_frame))
    return {
        device: Speaker(
            covered(ctx.now, online=bool(online), last=last or 0, spoke=spoke),
            tuple(lost.get(device, ())),
            revoked is not None,
        )
        for device, revoked, online, last, spoke in rows
    }


def covered(now: datetime, *, online: bool, last: int, spoke: datetime | None) -> int:
    """The frame up to which a speaker has told everything.

    What it tells comes in order. One that is connected and quiet has nothing left to tell.
    """
    if online and (spoke is None or spoke < now - QUIET):
        return max(last, frames_of(now - QUIET))
    return last


def _named(event: Told) -> str:
    return f"{event.item} told {event.planned} {event.sha256}"


async def _unplanned(
    ctx: Ctx,
    spans: Sequence[Span],
    rest: Sequence[tuple[UUID, Told]],
    zones: Mapping[UUID, ProofZone],
    sums: Sums,
) -> list[ProofLine]:
    """Lines of what was heard and not planned: by a speaker that was behind, or in its stead."""
    heard: dict[UUID, tuple[UUID, list[Told]]] = {}
    mine: dict[UUID, list[tuple[int, int]]] = {}
    for zone, a, b in spans:
        mine.setdefault(zone, []).append((a, b))
    for zone, event in rest:
        inside = any(a <= event.planned < b for a, b in mine.get(zone, ()))
        if event.kind != "missed" and inside:
            key = rules.id_of(zone, _named(event))
            heard.setdefault(key, (zone, []))[1].append(event)
    if not heard:
        return []
    called = await voices.called(ctx, {e[0].item for _, e in heard.values()})
    media = {}
    lines = []
    for zone, events in heard.values():
        first = events[0]
        ends = max(max(event.at for event in events), first.planned)
        one = Media(
            sha256=first.sha256, bytes=1, kind=first.media_kind,
            frames=max(1, *(event.frames for event in events)),
        )  # fmt: skip
        piece = Planned(_named(first), first.item, one, first.planned, ends, 0)
        line = planning.made(ctx, zone, zones[zone].timezone, piece, called.get(first.item))
        stand_in = any(event.reason == "evergreen" for event in events)
        line["manner"] = "stand_in" if stand_in else "unplanned"
        lines.append(line)
        media[line["subject"]] = one
    await works.remember(ctx, media, known_stay=True)
    await planning.begin(ctx, lines, sums)
    return [ProofLine(**line) for line in lines]


_UPDATE: Final = text(
    "UPDATE proof_lines AS line SET outcome = came.outcome, reason = came.reason,"
    " began = came.began, heard = came.heard, heard_by = came.heard_by"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:outcomes AS text[]), CAST(:reasons AS text[]),"
    " CAST(:began AS bigint[]), CAST(:heard AS bigint[]), CAST(:heard_by AS int[]))"
    " AS came(id, outcome, reason, began, heard, heard_by)"
    " WHERE line.client_id = :client AND line.id = came.id"
)


async def _write(ctx: Ctx, changed: Sequence[tuple[ProofLine, Verdict]], sums: Sums) -> None:
    if not changed:
        return
    await ctx.db.execute(
        _UPDATE,
        {
            "client": ctx.client_id,
            "ids": [line.id for line, _ in changed],
            "outcomes": [came.outcome for _, came in changed],
            "reasons": [came.reason[:64] for _, came in changed],
            "began": [came.began for _, came in changed],
            "heard": [came.heard for _, came in changed],
            "heard_by": [came.heard_by for _, came in changed],
        },
    )
    for line, came in changed:
        sums.add(line, -1)
        after = {
            "outcome": came.outcome, "reason": came.reason, "began": came.began,
            "heard": came.heard, "heard_by": came.heard_by,
        }  # fmt: skip
        sums.add(ProofLine(**{**line.model_dump(), **after}))
