/** Quiet hours in words, and what is wrong with them: pure. */

import type { Location } from "../api/types";
import { daysWords, spanWords } from "./words";

export type QuietHours = Location["quiet_hours"][number];

/** As many as a place may have. */
export const MOST_QUIET = 20;

/** What new ones begin with. */
export const NIGHT: QuietHours = { days_of_week: [], start_time: "22:00", end_time: "06:00", music: true };

/** `22:00 to 06:00, every day, without music`; `never`. */
export function quietWords(hours: readonly QuietHours[]): string {
  if (hours.length === 0) return "never";
  return hours
    .map(({ start_time, end_time, days_of_week, music }) =>
      [
        spanWords(start_time, end_time),
        daysWords(days_of_week ?? []),
        music === false ? "without music" : "with music",
      ].join(", "),
    )
    .join(" · ");
}

/** Whether a time is missing. */
export function wrongHours(hours: readonly QuietHours[]): boolean {
  return hours.some(({ start_time, end_time }) => !start_time || !end_time);
}
