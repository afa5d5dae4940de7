/** What sounds in a zone at a frame, read from the settled segments that the platform sent. */

import type { Segment, ZoneView } from "../api/types";

/** What a card shows. `position` and `duration` are frames of the media; `moving`: it runs. */
export interface Sounding {
  readonly role: Segment["role"];
  readonly item: string;
  readonly title: string;
  readonly artist: string;
  readonly sha256: string;
  readonly position: number;
  readonly duration: number;
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

/** What sounds in `zone` at `frame`, or the music that stands still there; null for neither. */
export function soundingAt(zone: ZoneView, frame: number): Sounding | null {
  const segment = segmentAt(zone.segments, frame);
  return segment ? played(segment, frame, true) : resting(zone, frame);
}

function played(segment: Segment, frame: number, moving: boolean): Sounding {
  const { role, item, title, artist, sha256, duration } = segment;
  const position = segment.offset + (frame - segment.start);
  return { role, item, title, artist, sha256, duration, position, moving };
}

/** Music that is held: where its last segment ended, or where the view says that it stands. */
function resting(zone: ZoneView, frame: number): Sounding | null {
  const past = zone.segments.filter((s) => s.role === "music" && s.end <= frame);
  const last = past.reduce<Segment | null>((a, b) => (a && a.end > b.end ? a : b), null);
  if (last) return zone.status === "playing" ? null : played(last, last.end, false);
  if (!zone.music || zone.status === "idle") return null;
  const { item, title, artist, sha256, duration, offset } = zone.music;
  return { role: "music", item, title, artist, sha256, duration, position: offset, moving: false };
}

/** What the music that sounds is called where people chose it by hand; null where a schedule did. */
export function chosenFor(zone: ZoneView, sounding: Sounding | null): string | null {
  const chosen = zone.chosen.find(({ item }) => item === sounding?.item);
  if (!chosen) return null;
  return chosen.name || (chosen.kind === "tracks" ? "some tracks" : "music that is gone");
}

/** The zones that sound an emergency at `frame`, by name, and what it is called there. */
export function alarming(
  zones: ReadonlyMap<string, ZoneView> | null,
  frame: number,
): readonly { readonly zone: string; readonly title: string; readonly drill: boolean }[] {
  const found = [];
  for (const zone of zones?.values() ?? []) {
    const segment = segmentAt(zone.segments, frame);
    if (segment?.role !== "emergency") continue;
    found.push({ zone: zone.name, title: segment.title, drill: zone.drill });
  }
  return found.sort((a, b) => a.zone.localeCompare(b.zone));
}

/** What begins next, after everything that sounds; `resumes` if it goes on where it was. */
export function nextAfter(
  zone: ZoneView,
  frame: number,
): { readonly segment: Segment; readonly resumes: boolean } | null {
  const current = segmentAt(zone.segments, frame);
  let next: Segment | null = null;
  for (const segment of zone.segments) {
    if (segment.start <= frame || (current && continues(current, segment))) continue;
    if (next === null || segment.start < next.start) next = segment;
  }
  return next && { segment: next, resumes: next.role === "music" && next.offset > 0 };
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
