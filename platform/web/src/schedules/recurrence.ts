/** How a schedule recurs: by a rule of RFC 5545, which most people choose by its words. */

const WEEK = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const weeks = (every: number) => `FREQ=WEEKLY;INTERVAL=${every};BYDAY=${WEEK.join(",")}`;
const inMonth = (nth: number) => `FREQ=MONTHLY;BYDAY=${WEEK.map((day) => `${nth}${day}`).join(",")}`;

/** Rules that leave the days of the week to be chosen beside them. */
export const USUAL = [
  { value: "", label: "Every week" },
  { value: weeks(2), label: "Every second week" },
  { value: weeks(3), label: "Every third week" },
  { value: weeks(4), label: "Every fourth week" },
  { value: inMonth(1), label: "The first of the month" },
  { value: inMonth(2), label: "The second of the month" },
  { value: inMonth(3), label: "The third of the month" },
  { value: inMonth(4), label: "The fourth of the month" },
  { value: inMonth(-1), label: "The last of the month" },
] as const;

/** What an own rule begins as. */
export const OWN = "FREQ=MONTHLY;BYMONTHDAY=15";

/** Whether it is a rule that people wrote. */
export const isOwn = (rule: string): boolean => USUAL.every(({ value }) => value !== rule);

/** `every second week`; empty for every week. */
export function recurrenceWords(rule: string): string {
  if (!rule) return "";
  const usual = USUAL.find(({ value }) => value === rule);
  return usual ? usual.label.toLowerCase() : `recurring by ${rule}`;
}
