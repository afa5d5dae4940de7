/** What the page asks of the proof of play: its filters as the API takes them. */

import type { ProofLine, ProofSum } from "../api/types";
import { count } from "../format";
import type { Narrowed } from "../places/tree";

export const OUTCOMES: readonly ProofLine["outcome"][] = [
  "played", "late", "missed", "pending", "unknown",
];

export type By = "track" | "announcement" | "zone" | "day";
export const BY: readonly { value: By; label: string }[] = [
  { value: "zone", label: "Zone" },
  { value: "track", label: "Track" },
  { value: "announcement", label: "Announcement" },
  { value: "day", label: "Day" },
];

/** Outcomes as a field offers them. */
export const CHOICES = OUTCOMES.map((value) => ({
  value,
  label: value.charAt(0).toUpperCase() + value.slice(1),
}));

export interface Filters {
  place: Narrowed;
  outcome: ProofLine["outcome"] | "";
  from: string;
  to: string;
  search: string;
}

/** The seven days that end today, by this machine's clock. */
export function lastWeek(now: Date): Filters {
  const first = new Date(now);
  first.setDate(first.getDate() - 6);
  return { place: null, outcome: "", from: dayOf(first), to: dayOf(now), search: "" };
}

/** A day as a field of a form has it. */
export function dayOf(at: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

interface Placed {
  zone?: string;
  floor?: string;
  location?: string;
}

function placed(place: Narrowed): Placed {
  return place ? { [place.kind]: place.id } : {};
}

interface Lines extends Placed {
  outcome?: ProofLine["outcome"];
  from?: string;
  to?: string;
}

/** What lists and exports take. `to` is a day that is still included. */
export function toQuery({ place, outcome, from, to }: Filters): Lines {
  const found: Lines = placed(place);
  if (outcome) found.outcome = outcome;
  if (from) found.from = new Date(`${from}T00:00:00`).toISOString();
  if (to) {
    const end = new Date(`${to}T00:00:00`);
    end.setDate(end.getDate() + 1);
    found.to = end.toISOString();
  }
  return found;
}

interface Days extends Placed {
  first_day?: string;
  last_day?: string;
}

/** What sums and reports take: days by the venues' clocks. */
export function toDays({ place, from, to }: Filters): Days {
  const found: Days = placed(place);
  if (from) found.first_day = from;
  if (to) found.last_day = to;
  return found;
}

/** A sum in words: `12 planned, 10 played, 1 late, 1 missed`; what is not there is left out. */
export function inWords(sum: ProofSum): string {
  const parts = OUTCOMES.filter((one) => sum[one] > 0).map((one) => `${sum[one]} ${one}`);
  return [`${sum.planned} planned`, ...parts, count(sum.zones, "zone")].join(" · ");
}
