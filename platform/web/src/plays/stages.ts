/** What became of a play, in words: pure. */

import type { PlayTree, SpeakerReceipt } from "../api/types";
import { count } from "../format";

type Stage = SpeakerReceipt["state"];

export const STAGE: Record<Stage, string> = {
  pending: "not reached yet",
  received: "knows of it",
  cached: "has the sound",
  started: "sounds now",
  finished: "heard",
  missed: "missed",
};

const WHY: Readonly<Record<string, string>> = {
  offline: "It was not connected.",
  no_report: "It is connected, but did not say what became of it.",
  no_media: "The sound did not get there in time.",
  decode_error: "It could not decode the sound.",
  late: "It learnt of it too late.",
  muted: "It was muted.",
  cancelled: "It was called off.",
  cut: "It was cut off before its end.",
  stopped: "The zone stood still.",
  emergency: "An emergency sounded instead.",
  priority: "Something more urgent sounded instead.",
  skipped: "Somebody skipped it.",
  no_clock: "Its clock was not set yet.",
  not_played: "It did not come to its turn.",
};

/** Why it was missed or not heard to its end; a word that this program does not know is shown as it is. */
export function why(reason: string): string {
  return WHY[reason] ?? (reason ? `The speaker says: ${reason}.` : "");
}

/** One of the steps on the way to being heard; `at` is empty while it is not taken. */
export interface Step {
  readonly name: string;
  readonly at: string;
}

/** The steps of a speaker in their order. */
export function steps(speaker: SpeakerReceipt): readonly Step[] {
  const { received_at, cached_at, started_at, finished_at } = speaker;
  return [
    { name: "Received", at: received_at ?? "" },
    { name: "Cached", at: cached_at ?? "" },
    { name: "Started", at: started_at ?? "" },
    { name: "Finished", at: finished_at ?? "" },
  ];
}

/** All speakers in one sentence. */
export function summary({ counts, zones }: Pick<PlayTree, "counts" | "zones">): string {
  const n = (stage: Stage) => counts[stage] ?? 0;
  const all = zones.reduce((sum, { speakers }) => sum + speakers.length, 0);
  if (all === 0) return "There is no speaker in these zones.";
  const parts = [`Heard on ${n("finished")} of ${count(all, "speaker")}`];
  if (n("started") > 0) parts.push(`sounds on ${n("started")}`);
  const waiting = n("pending") + n("received") + n("cached");
  if (waiting > 0) parts.push(`${waiting} on the way`);
  if (n("missed") > 0) parts.push(`missed on ${n("missed")}`);
  return `${parts.join(", ")}.`;
}

/** How much later than the others it began, where anybody could hear that. */
export function lateness(millis: number | null): string {
  if (millis === null || millis < 50) return "";
  return millis < 1000 ? `${millis} ms late` : `${(millis / 1000).toFixed(1)} s late`;
}
