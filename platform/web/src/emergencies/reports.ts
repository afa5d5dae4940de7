/** What speakers reported of an emergency, in words: pure. */

import type { EmergencySpeaker } from "../api/types";
import { count } from "../format";
import { why as whyMissed } from "../plays/stages";

export const STATE: Record<EmergencySpeaker["state"], string> = {
  sounding: "sounds it",
  heard: "sounded it",
  missed: "missed it",
  unverified: "does not believe it",
  silent: "has said nothing",
};

/** What somebody on site should know of a speaker that was not heard. */
export function why({ state, reason, online }: EmergencySpeaker): string {
  if (state === "unverified") {
    return "It knows no key for what it was told, and plays on: it learns the keys when it connects anew.";
  }
  if (state === "missed") return whyMissed(reason === "not_held" ? "no_media" : reason);
  if (state === "silent") return online ? "It is connected." : "It is not connected.";
  return state === "sounding" && !online ? "It is not connected any more; it goes on by itself." : "";
}

/** All speakers in one sentence. */
export function summary(speakers: readonly EmergencySpeaker[]): string {
  const all = speakers.length;
  if (all === 0) return "There is no speaker in these zones.";
  const heard = speakers.filter(({ rounds }) => rounds > 0).length;
  const rest = all - heard;
  const sum = `Heard on ${heard} of ${count(all, "speaker")}`;
  return rest === 0 ? `${sum}.` : `${sum}; look at ${rest === 1 ? "the other one" : `the other ${rest}`}.`;
}

const RANK: Record<EmergencySpeaker["state"], number> = {
  unverified: 0,
  missed: 1,
  silent: 2,
  sounding: 3,
  heard: 4,
};

/** Those that somebody must look at first, then by zone and name. */
export function sorted(speakers: readonly EmergencySpeaker[]): readonly EmergencySpeaker[] {
  return speakers.toSorted(
    (a, b) =>
      RANK[a.state] - RANK[b.state] || a.zone.localeCompare(b.zone) || a.name.localeCompare(b.name),
  );
}
