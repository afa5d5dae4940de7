/** A zone's queue of announcements as it is at a frame: pure. */

import type { QueueEntry, ZoneView } from "../api/types";
import { RATE } from "../live/clock";
import { segmentAt } from "../live/sounding";

/** As far ahead as something can be sent that is taken back in time. */
const SOON = 60 * RATE;

/** Whether something may sound, wait or come: only then is there a queue to ask for. */
export function isExpected(zone: ZoneView, frame: number): boolean {
  const now = segmentAt(zone.segments, frame);
  if (now !== null && now.role !== "music") return true;
  return zone.segments.some(({ role, start }) => role === "event" && start > frame && start <= frame + SOON);
}

/** What is not over yet; what has begun meanwhile sounds. */
export function standing(entries: readonly QueueEntry[], frame: number): readonly QueueEntry[] {
  return entries
    .filter(({ ends }) => ends === null || ends > frame)
    .map((entry) =>
      entry.begins !== null && entry.begins <= frame ? { ...entry, state: "sounding" as const } : entry,
    );
}

/** What an entry waits for, in a few words. */
export function inWords({ state, begins }: QueueEntry, frame: number): string {
  if (state === "sounding") return "sounds now";
  if (begins === null) return "waits for what is more urgent";
  const seconds = Math.max(1, Math.ceil((begins - frame) / RATE));
  const minutes = Math.floor(seconds / 60);
  const wait = minutes > 0 ? `${minutes}:${String(seconds % 60).padStart(2, "0")} min` : `${seconds} s`;
  return state === "waiting" ? `waits, begins in ${wait}` : `begins in ${wait}`;
}
