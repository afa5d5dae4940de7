/** What a change of schedules does, in words: pure. */

import type { DryRun } from "../api/types";
import { clockAt, dayAt, dayWords } from "./clock";

type ZoneDifference = DryRun["results"][number];
export type Difference = ZoneDifference["differences"][number];
type Heard = Difference["heard"];

export const EFFECT: Record<Difference["effect"], string> = {
  added: "Added",
  moved: "Moved",
  dropped: "Dropped",
};

/** Why something loses, after its name or `which`. */
export const LOSES: Record<"priority" | "breadth" | "weekly" | "younger", string> = {
  priority: "has a lower priority",
  breadth: "is meant for a wider place",
  weekly: "is for any week, not for days of a calendar",
  younger: "is the younger one",
};

/** What asked for it. */
export function nameOf({ source, name, kind }: Pick<Heard, "source" | "name" | "kind">): string {
  if (source === "hand") return "Music that people chose";
  if (source === "base") return "The zone’s own music";
  return name || (kind === "music" ? "Music" : "An announcement");
}

/** `18:00:00 to 23:00:00`; an announcement by its begin alone. */
export function timesOf({ kind, starts_at, ends_at }: Heard, zone: string): string {
  const from = clockAt(starts_at, zone);
  if (kind === "announcement") return from;
  const day = dayAt(new Date(ends_at), zone);
  const other = day !== dayAt(new Date(starts_at), zone);
  return `${from} to ${clockAt(ends_at, zone)}${other ? ` on ${dayWords(day)}` : ""}`;
}

/** `2 added, 1 dropped`; what nothing is said of is left out. */
export function sum(differences: readonly Difference[]): string {
  const parts = (["added", "moved", "dropped"] as const).map((effect) => {
    const n = differences.filter((one) => one.effect === effect).length;
    return n > 0 ? `${n} ${effect}` : "";
  });
  return parts.filter(Boolean).join(", ") || "nothing changes";
}
