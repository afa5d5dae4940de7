/** What sounds in a zone at a frame, read from the settled segments that the platform sent. */

import type { Segment, ZoneView } from "../api/types";

/** What a card shows. `position` is in frames of the media; `moving` says whether it runs. */
export interface Sounding {
  readonly segment: Segment;
  readonly position: number;
  readonly moving: boolean;
}

const RANK: Record<Segment["role"], number> = { music: 0, event: 1, emergency: 2 };

/** The segment that people hear first at `frame`: emergency, announcement, then newest music. */
export function segmentAt(segments: readonly Segment[], frame: number): Segment | null {
  let best: Segment | null = null;
  for (const segment of segments) {
    if (segment.start > frame || segment.end <= frame) continue;
    if (best === null || precedes(segment, best)) best = segment;
  }
  return best;
}

function precedes(a: Segment, b: Segment): boolean {
  const rank = RANK[a.role] - RANK[b.role];
  return rank > 0 || (rank === 0 && a.start > b.start);
}

/** What sounds in `zone` at `frame`; null if nothing does. */
export function soundingAt(zone: ZoneView, frame: number): Sounding | null {
  const segment = segmentAt(zone.segments, frame);
  if (segment === null) return null;
  return { segment, position: segment.offset + (frame - segment.start), moving: true };
}

/** The next segment to begin after the one that sounds, with how it relates to it. */
export function nextAfter(zone: ZoneView, frame: number): Segment | null {
  const current = segmentAt(zone.segments, frame);
  const following = zone.segments
    .filter((s) => s.start > frame && !(current && continues(current, s)))
    .sort((a, b) => a.start - b.start);
  return following[0] ?? null;
}

/** Whether `b` is the same play of the same item as `a`, further on. */
function continues(a: Segment, b: Segment): boolean {
  return a.role === b.role && a.item === b.item && a.sha256 === b.sha256 && b.offset > a.offset;
}

/** The first frame after `frame` at which a segment begins or ends; Infinity if none does. */
export function nextChange(zone: ZoneView, frame: number): number {
  let next = Infinity;
  for (const { start, end } of zone.segments) {
    if (start > frame) next = Math.min(next, start);
    if (end > frame) next = Math.min(next, end);
  }
  return next;
}

/** Whether `candidate` may replace `current`: never an older revision, never an older reading. */
export function isNewer(candidate: ZoneView, current: ZoneView): boolean {
  if (candidate.epoch !== current.epoch) return candidate.epoch > current.epoch;
  if (candidate.rev !== current.rev) return candidate.rev > current.rev;
  return candidate.frame >= current.frame;
}
