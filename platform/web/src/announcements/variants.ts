/** When a variant of a message is heard, as fields of a form and in words: pure. */

import type { Variant } from "../api/types";

type Told = Pick<
  Variant,
  "weight" | "starts_on" | "ends_on" | "days" | "from_minute" | "to_minute" | "evergreen"
>;

/** Monday first, as the platform counts. */
export const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

export interface When {
  readonly weight: string;
  readonly starts: string;
  readonly ends: string;
  readonly days: readonly number[];
  readonly from: string;
  readonly to: string;
  readonly evergreen: boolean;
}

export const ALWAYS: When = {
  weight: "1", starts: "", ends: "", days: [], from: "", to: "", evergreen: false,
};

function clock(minute: number | null): string {
  if (minute === null) return "";
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

function minute(written: string): number | null {
  const [hours, minutes] = written.split(":").map(Number);
  return written && hours !== undefined && minutes !== undefined ? hours * 60 + minutes : null;
}

/** The fields of what is there. */
export function whenOf(told: Told): When {
  return {
    weight: String(told.weight),
    starts: told.starts_on ?? "",
    ends: told.ends_on ?? "",
    days: told.days,
    from: clock(told.from_minute),
    to: clock(told.to_minute),
    evergreen: told.evergreen,
  };
}

/** The body of it. */
export function toTold(when: When): Told {
  return {
    weight: Number(when.weight),
    starts_on: when.starts || null,
    ends_on: when.ends || null,
    days: when.days.toSorted(),
    from_minute: minute(when.from),
    to_minute: minute(when.to),
    evergreen: when.evergreen,
  };
}

/** What stands in the way of it; empty for nothing. */
export function whyNot({ weight, from, to, starts, ends }: When): string {
  if (!/^\d{1,4}$/.test(weight) || Number(weight) > 1000) return "Write how often: 0 to 1,000.";
  if ((from === "") !== (to === "")) return "Give both a begin and an end of the day-part.";
  return starts && ends && ends < starts ? "It ends before it begins." : "";
}

/** `Mon, Tue · 08:00 to 12:00 · until 2027-03-01`; how often beside others only where it matters. */
export function inWords(told: Told): string {
  const { weight, starts, ends, days, from, to, evergreen } = whenOf(told);
  const parts = [
    evergreen ? "evergreen: heard when no other is valid" : "",
    days.length > 0 && days.length < 7 ? days.map((day) => DAYS[day] ?? "").join(", ") : "",
    from && `${from} to ${to}`,
    starts && `from ${starts}`,
    ends && `until ${ends}`,
    weight !== "1" && !evergreen ? `weight ${weight}` : "",
  ].filter(Boolean);
  return parts.join(" · ") || "always";
}
