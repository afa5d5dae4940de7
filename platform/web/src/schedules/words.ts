/** What a schedule says, in words: pure. */

import type { Schedule } from "../api/types";
import { counted } from "../channels/words";
import { names } from "../format";
import { dayWords, short } from "./clock";
import { recurrenceWords } from "./recurrence";

/** Monday first, as the platform counts. */
export const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
export const WHOLE_DAYS = [
  "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
] as const;

/** What many schedules share, by id, as far as it is known. */
export interface Known {
  readonly dayParts: ReadonlyMap<string, { name: string; start_time: string; end_time: string }>;
  readonly calendars: ReadonlyMap<string, { name: string }>;
  readonly levels: ReadonlyMap<string, { name: string; priority: number }>;
  readonly places: ReadonlyMap<string, { name: string }>;
}

/** `Mon to Fri`, `Mon, Wed`, `every day`. */
export function daysWords(days: readonly number[]): string {
  const sorted = [...new Set(days)].toSorted((a, b) => a - b);
  const [first] = sorted;
  const last = sorted.at(-1);
  if (first === undefined || last === undefined || sorted.length === 7) return "every day";
  if (sorted.length > 2 && last - first === sorted.length - 1) return `${DAYS[first]} to ${DAYS[last]}`;
  return sorted.map((day) => DAYS[day]).join(", ");
}

/** `08:00 to 20:00`; `all day` where both are the same. */
export function spanWords(start: string, end: string): string {
  const [from, to] = [short(start), short(end)];
  if (from === to) return from === "00:00" ? "all day" : `${from} to ${to} the next day`;
  return `${from} to ${to}`;
}

type When = Schedule["when"];

/** `every 20 minutes`, `at 19:45 and 19:55`; empty for music. */
export function startWords(when: When): string {
  if (!when) return "";
  if (when.kind === "at") return `at ${listed(when.times.map(short))}`;
  if (when.kind === "minutes") {
    return `${listed(when.minutes.map((one) => `:${String(one).padStart(2, "0")}`))} of each hour`;
  }
  if (when.kind === "every") return `every ${counted(when.minutes, "minute")}`;
  if (when.kind === "share") return `${counted(when.seconds_per_hour, "second")} of each hour`;
  return `after every ${counted(when.tracks, "track")}`;
}

function listed(all: readonly string[]): string {
  if (all.length > 4) return `${all.slice(0, 3).join(", ")} and ${all.length - 3} more`;
  return all.length < 2 ? all.join("") : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}

type Dated = Pick<
  Schedule,
  "when" | "days_of_week" | "day_part_id" | "start_time" | "end_time" | "first_date" | "last_date" | "recurrence" |
  "only_calendar_ids" | "never_calendar_ids" | "special_days"
>;

/** When it is heard, thing by thing. */
export function whenWords(schedule: Dated, known: Known): readonly string[] {
  const { when, day_part_id, first_date, last_date } = schedule;
  const part = day_part_id ? known.dayParts.get(day_part_id) : undefined;
  const span = part
    ? `${part.name} (${spanWords(part.start_time, part.end_time)})`
    : spanWords(schedule.start_time, schedule.end_time);
  const calendar = (id: string) => known.calendars.get(id)?.name ?? "a calendar";
  const recurring = recurrenceWords(schedule.recurrence);
  const parts = [startWords(when), daysWords(schedule.days_of_week), recurring];
  if (when?.kind !== "at" || span !== "all day") parts.push(span);
  if (first_date) parts.push(`from ${dayWords(first_date)}`);
  if (last_date) parts.push(`until ${dayWords(last_date)}`);
  if (schedule.only_calendar_ids.length > 0) {
    parts.push(`only on ${names(schedule.only_calendar_ids.map(calendar))}`);
  }
  if (schedule.never_calendar_ids.length > 0) {
    parts.push(`never on ${names(schedule.never_calendar_ids.map(calendar))}`);
  }
  if (schedule.special_days.length > 0) {
    parts.push(`otherwise on ${names(schedule.special_days.map((one) => calendar(one.calendar_id)))}`);
  }
  return parts.filter(Boolean);
}

type Placed = Pick<
  Schedule, "everywhere" | "location_ids" | "floor_ids" | "zone_ids" | "tags" | "exceptions"
>;

/** Where it is heard: `everywhere except Café`. */
export function whereWords(schedule: Placed, known: Known): string {
  const place = (id: string) => known.places.get(id)?.name ?? "a place";
  const told = (some: { location_ids?: string[]; floor_ids?: string[]; zone_ids?: string[]; tags?: string[] }) => [
    ...[...(some.location_ids ?? []), ...(some.floor_ids ?? []), ...(some.zone_ids ?? [])].map(place),
    ...(some.tags ?? []).map((tag) => `zones tagged ${tag}`),
  ];
  const some = told(schedule);
  const where = schedule.everywhere ? "everywhere" : some.length > 0 ? `in ${names(some)}` : "nowhere";
  const not = told(schedule.exceptions);
  return not.length > 0 ? `${where} except ${names(not)}` : where;
}

/** `Important`, or the number itself. */
export function priorityWords(
  { priority_level_id, effective_priority }: Pick<Schedule, "priority_level_id" | "effective_priority">,
  known: Known,
): string {
  const level = priority_level_id ? known.levels.get(priority_level_id) : undefined;
  return level ? `${level.name} (${effective_priority})` : `priority ${effective_priority}`;
}
