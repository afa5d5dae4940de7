"""Writing down what zones were to sound: their states settled once more, and why each piece was."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlmodel import col, or_, select

from sync2gear_broker import timeline
from sync2gear_broker.messages import ZoneState, canonical_json
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.kit.clock import frames_of, moment_of
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.playback import queries
from sync2gear_platform.playback.engine import Programmes
from sync2gear_platform.playback.queries import Recent
from sync2gear_platform.playback.tables import ZoneStateRow
from sync2gear_platform.proof import rules, voices, works
from sync2gear_platform.proof.rules import Planned, Reign
from sync2gear_platform.proof.sums import Sums
from sync2gear_platform.proof.tables import ProofLine, ProofReason, ProofZone
from sync2gear_platform.proof.within import Within
from sync2gear_platform.schedules.forecast import causes_of
from sync2gear_platform.schedules.given import Why
from sync2gear_platform.schedules.ledger import unpacked
from sync2gear_platform.schedules.plan_tables import PlanLedger
from sync2gear_platform.sites.tables import Device, Location, Zone

BATCH: Final = 32
"""Zones of one transaction."""

STEP: Final = 15 * 60 * FRAME_RATE
"""So much must have passed in a zone before it is looked at again: each look settles a week."""

WINDOW: Final = rules.LONGEST
BACK: Final = 6 * 86_400 * FRAME_RATE
"""How far back a zone's plan is told when it is looked at for the first time."""

HOUR: Final = 3600 * FRAME_RATE
Span = tuple[UUID, int, int]
"""A zone and frames [a, b)."""

_whys: Final = TypeAdapter(Why)


@dataclass(frozen=True, slots=True)
class Account:
    """Why each item of a programme is there, and which announcement each of its sounds is."""

    why: Mapping[str, Why]
    sounds: Mapping[str, UUID]


_accounts: Recent[tuple[UUID, str], Account] = Recent(256)


async def write_down(ctx: Ctx, horizon: int, sums: Sums, within: Within) -> list[Span]:
    """Write what some zones were to sound until ``horizon``; which stretches that was."""
    zones = await _due(ctx, horizon, within)
    if not zones:
        return []
    known = await _known(ctx, [zone.id for zone, _ in zones])
    spans = await _spans(ctx, zones, known, horizon)
    states = await _states(ctx, spans)
    held = await queries.programmes(
        ctx, {r.sha256 for found in states.values() for _, s in found for r in s.programmes}
    )
    told = await asyncio.to_thread(_told, spans, states, held)
    accounts = await _read_accounts(ctx, states)
    tz = {zone.id: timezone for zone, timezone in zones}
    await _write(ctx, told, accounts, tz, sums)
    done = []
    for zone, timezone in zones:
        span = next((one for one in spans if one[0] == zone.id), None)
        if span is None:
            continue
        _, a, b = span
        row = known.get(zone.id) or ProofZone(
            client_id=ctx.client_id, zone_id=zone.id, name="", since_frame=a, until_frame=a,
            looked_frame=a,
        )  # fmt: skip
        row.name, row.timezone = zone.name, timezone
        row.until_frame, row.looked_frame = told[zone.id][1], b
        ctx.db.add(row)
        done.append((zone.id, a, row.until_frame))
    await ctx.db.flush()
    return done


async def _due(ctx: Ctx, horizon: int, within: Within) -> list[tuple[Zone, str]]:
    """Zones whose plan reaches less far than it should, those that wait longest first."""
    due = (
        select(Zone, Location.timezone)
        .join(
            Location,
            (col(Location.client_id) == col(Zone.client_id))
            & (col(Location.id) == col(Zone.location_id)),
        )
        .outerjoin(
            ProofZone,
            (col(ProofZone.client_id) == col(Zone.client_id))
            & (col(ProofZone.zone_id) == col(Zone.id)),
        )
        .where(
            col(Zone.client_id) == ctx.client_id,
            within.clause(col(Zone.id)),
            or_(
                col(ProofZone.looked_frame).is_(None),
                col(ProofZone.looked_frame) < horizon - STEP,
            ),
        )
        .order_by(col(ProofZone.looked_frame).nulls_first(), col(Zone.id))
        .limit(BATCH)
    )
    return list((await ctx.db.exec(due)).all())


async def _known(ctx: Ctx, zone_ids: Sequence[UUID]) -> dict[UUID, ProofZone]:
    found = select(ProofZone).where(
        col(ProofZone.client_id) == ctx.client_id, col(ProofZone.zone_id).in_(zone_ids)
    )
    return {row.zone_id: row for row in await ctx.db.exec(found)}


async def _spans(
    ctx: Ctx,
    zones: Sequence[tuple[Zone, str]],
    known: Mapping[UUID, ProofZone],
    horizon: int,
) -> list[Span]:
    """What each zone is to be looked at for: at most a day."""
    spans = []
    for zone, _ in zones:
        row = known.get(zone.id)
        a = row.until_frame if row else max(frames_of(zone.created_at), horizon - BACK)
        if a < horizon:
            spans.append((zone.id, a, min(horizon, a + WINDOW)))
    return spans


async def _states(ctx: Ctx, spans: Sequence[Span]) -> dict[UUID, list[tuple[int, ZoneState]]]:
    """The states that held in these stretches, with the frame from which each did."""
    zones = [zone for zone, _, _ in spans]
    if not zones:
        return {}
    first, last = min(a for _, a, _ in spans), max(b for _, _, b in spans)
    mine = (
        col(ZoneStateRow.client_id) == ctx.client_id,
        col(ZoneStateRow.zone_id).in_(zones),
    )
    before = (
        select(ZoneStateRow)
        .ext(distinct_on(col(ZoneStateRow.zone_id)))
        .where(*mine, col(ZoneStateRow.from_frame) < first)
        .order_by(
            col(ZoneStateRow.zone_id),
            col(ZoneStateRow.from_frame).desc(),
            col(ZoneStateRow.rev).desc(),
        )
    )
    since = (
        select(ZoneStateRow)
        .where(*mine, col(ZoneStateRow.from_frame).between(first, last))
        .order_by(col(ZoneStateRow.zone_id), col(ZoneStateRow.from_frame), col(ZoneStateRow.rev))
    )
    rows = [*(await ctx.db.exec(before)), *(await ctx.db.exec(since))]
    found: dict[UUID, list[tuple[int, ZoneState]]] = {zone: [] for zone in zones}
    for row in rows:
        found[row.zone_id].append((row.from_frame, ZoneState.model_validate(row.document)))
    return found


def _told(
    spans: Sequence[Span],
    states: Mapping[UUID, Sequence[tuple[int, ZoneState]]],
    held: Programmes,
) -> dict[UUID, tuple[list[Planned], int]]:
    """What each zone was to sound, and how far that is told."""
    return {
        zone: rules.planned(_reigns(states.get(zone, ()), held, a, b), a, b) for zone, a, b in spans
    }


def _reigns(
    states: Sequence[tuple[int, ZoneState]], held: Programmes, a: int, b: int
) -> list[Reign]:
    ends = [start for start, _ in states[1:]] + [b]
    return [
        Reign(start, end, timeline.settle(queries.named(held, state), state))
        for (start, state), end in zip(states, ends, strict=False)
        if start < end and end >= a and start < b
    ]


async def _read_accounts(
    ctx: Ctx, states: Mapping[UUID, Sequence[tuple[int, ZoneState]]]
) -> dict[UUID, list[Account]]:
    """The accounts of the programmes that zones had, each read once in a while."""
    named = {
        (zone, ref.sha256)
        for zone, found in states.items()
        for _, state in found
        for ref in state.programmes
    }
    wanted = {key for key in named if _accounts.recall(key) is None}
    if wanted:
        statement = select(PlanLedger).where(
            col(PlanLedger.client_id) == ctx.client_id,
            col(PlanLedger.zone_id).in_({zone for zone, _ in wanted}),
            col(PlanLedger.programme).in_({sha256 for _, sha256 in wanted}),
        )
        rows = list(await ctx.db.exec(statement))
        for row, account in zip(
            rows, await asyncio.to_thread(_unpacked, [row.body for row in rows]), strict=True
        ):
            _accounts.keep((row.zone_id, row.programme), account)
    found: dict[UUID, list[Account]] = {}
    for key in sorted(named):
        account_ = _accounts.recall(key)
        if account_ is not None:
            found.setdefault(key[0], []).append(account_)
    return found


def _unpacked(bodies: Sequence[bytes]) -> list[Account]:
    """Zones that share a plan share its account: it is read once."""
    shared: dict[bytes, Account] = {}
    for body in bodies:
        if body not in shared:
            one = unpacked(body)
            shared[body] = Account(
                {key: cause.why for key, cause in causes_of(one).items() if cause.why},
                {
                    piece.media.sha256: UUID(piece.id)
                    for piece in one.pieces
                    # pieces of what people chose have numbers: see schedules/handed.py
                    if piece.media.kind == "announcement" and not piece.id.isdecimal()
                },
            )
    return [shared[body] for body in bodies]


async def _write(
    ctx: Ctx,
    told: Mapping[UUID, tuple[Sequence[Planned], int]],
    accounts: Mapping[UUID, Sequence[Account]],
    tz: Mapping[UUID, str],
    sums: Sums,
) -> None:
    pieces = [(zone, piece) for zone, (found, _) in told.items() for piece in found]
    if not pieces:
        return
    called = await voices.called(ctx, [piece.item for _, piece in pieces])
    spoken = await voices.chosen(ctx, [piece for _, piece in pieces])
    there = await _speakers(ctx, {zone for zone, _ in pieces})
    reasons: dict[str, dict[str, Any]] = {}
    lines = []
    for zone, piece in pieces:
        found = accounts.get(zone, ())
        why = next((a.why[piece.item] for a in found if piece.item in a.why), None)
        sound = next(
            (a.sounds[piece.media.sha256] for a in found if piece.media.sha256 in a.sounds), None
        )
        message = called.get(piece.item) or (why.message if why else None) or sound
        message = message or spoken.get((piece.item, piece.media.sha256))
        lines.append(
            {
                **made(ctx, zone, tz[zone], piece, message),
                "why": _kept(why and why.between(piece.begins, piece.ends), reasons),
                "silenced": piece.silenced[:32],
                "speakers": [d for d, since in there.get(zone, ()) if since <= piece.ends],
            }
        )
    today = ctx.now.date()
    if reasons:
        fresh = insert(ProofReason)
        await ctx.db.execute(
            fresh.on_conflict_do_update(
                index_elements=["client_id", "digest"],
                set_={"seen_on": today},
                where=col(ProofReason.seen_on) < today,
            ),
            [
                {"client_id": ctx.client_id, "digest": key, "document": one, "seen_on": today}
                for key, one in sorted(reasons.items())
            ],
        )
    media = {line["subject"]: piece.media for line, (_, piece) in zip(lines, pieces, strict=True)}
    await works.remember(ctx, media)
    await begin(ctx, lines, sums)


async def begin(ctx: Ctx, lines: Sequence[Mapping[str, Any]], sums: Sums) -> None:
    """Write lines that are not there yet, and count them."""
    if not lines:
        return
    kept = insert(ProofLine).on_conflict_do_nothing().returning(col(ProofLine.id))
    fresh = set((await ctx.db.execute(kept, lines)).scalars())
    for line in lines:
        if line["id"] in fresh:
            fresh.discard(line["id"])
            sums.add(ProofLine(**line))


def made(
    ctx: Ctx, zone: UUID, tz: str, piece: Planned, announcement: UUID | None
) -> dict[str, Any]:
    """A line as it begins; nothing is known of it yet."""
    source, schedule = rules.source_of(piece.item)
    media = piece.media
    spoken = announcement if media.kind == "announcement" else None
    return {
        "client_id": ctx.client_id,
        "id": rules.id_of(zone, piece.name),
        "zone_id": zone,
        "day": local_day(piece.begins, tz),
        "begins": piece.begins,
        "ends": piece.ends,
        "frames": piece.frames,
        "kind": media.kind,
        "manner": "planned",
        "source": source,
        "item": piece.item,
        "sha256": media.sha256,
        "subject": spoken.hex if spoken else media.sha256,
        "schedule_id": schedule,
        "announcement_id": spoken,
        "why": "",
        "silenced": "",
        "outcome": "pending",
        "reason": "",
        "began": None,
        "heard": 0,
        "heard_by": 0,
        "speakers": [],
    }


def local_day(frame: int, tz: str) -> date:
    """The day of a frame by a venue's clock."""
    return moment_of(frame).astimezone(ZoneInfo(tz)).date()


async def _speakers(ctx: Ctx, zone_ids: Iterable[UUID]) -> dict[UUID, list[tuple[UUID, int]]]:
    """The speakers that stand in these zones, and since when there are such."""
    statement = select(Device.zone_id, Device.id, Device.created_at).where(
        col(Device.client_id) == ctx.client_id,
        col(Device.zone_id).in_(set(zone_ids)),
        col(Device.device_type) == "speaker",
        col(Device.revoked_at).is_(None),
    )
    found: dict[UUID, list[tuple[UUID, int]]] = {}
    for zone, device, since in (await ctx.db.exec(statement.order_by(col(Device.id)))).all():
        if zone is not None:
            found.setdefault(zone, []).append((device, frames_of(since)))
    return found


def _kept(why: Why | None, reasons: dict[str, dict[str, Any]]) -> str:
    """The name of a reason, which is kept once."""
    if why is None:
        return ""
    document = _whys.dump_python(why, mode="json")
    digest = hashlib.sha256(canonical_json(document)).hexdigest()
    reasons[digest] = document
    return digest


def why_of(document: Mapping[str, Any]) -> Why:
    """A reason that was kept."""
    return _whys.validate_python(document)
