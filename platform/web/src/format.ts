/** Times and counts as people read them. */

import { RATE } from "./live/clock";

/** Frames as `m:ss` or `h:mm:ss`, rounded down. */
export function duration(frames: number): string {
  const seconds = Math.max(0, Math.floor(frames / RATE));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = String(seconds % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** Frames as words for a screen reader: `3 minutes 5 seconds`. */
export function spokenDuration(frames: number): string {
  const seconds = Math.max(0, Math.floor(frames / RATE));
  const minutes = Math.floor(seconds / 60);
  const parts = minutes > 0 ? [count(minutes, "minute")] : [];
  if (seconds % 60 > 0 || minutes === 0) parts.push(count(seconds % 60, "second"));
  return parts.join(" ");
}

/** `1 zone`, `2 zones`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** An instant as the time of day where the reader is: `10:42:07`. */
export function timeOfDay(instant: string, locale?: string): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return "";
  return date.toLocaleTimeString(locale, { hour12: false });
}

/** Two names, or the first and how many more: `Café and Office`, `Café and 3 more`. */
export function names(all: readonly string[]): string {
  const [first = "", second] = all;
  if (second === undefined) return first;
  return all.length === 2 ? `${first} and ${second}` : `${first} and ${all.length - 1} more`;
}

/** An instant as the day where the reader is: `3 Mar 2027`. */
export function day(instant: string, locale?: string): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return "";
  return date.toLocaleDateString(locale, { day: "numeric", month: "short", year: "numeric" });
}

/** An instant as day and time of day. */
export function dayAndTime(instant: string, locale?: string): string {
  const found = day(instant, locale);
  return found && `${found}, ${timeOfDay(instant, locale)}`;
}
