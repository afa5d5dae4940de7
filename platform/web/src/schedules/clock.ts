/** The clock on a venue's wall: pure. */

/** `08:05` of `08:05:00`; seconds only where there are some. */
export function short(time: string): string {
  const [hours = "", minutes = "", seconds = "00"] = time.split(":");
  return seconds.startsWith("00") ? `${hours}:${minutes}` : `${hours}:${minutes}:${seconds.slice(0, 2)}`;
}

function parts(instant: Date, zone: string): Record<string, string> {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, hourCycle: "h23",
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  return Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
}

/** The time of day of an instant where `zone` is the time: `10:42:07`; empty for no instant. */
export function clockAt(instant: string, zone: string): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return "";
  const { hour, minute, second } = parts(date, zone);
  return `${hour}:${minute}:${second}`;
}

/** The day of an instant where `zone` is the time: `2027-03-01`. */
export function dayAt(instant: Date, zone: string): string {
  const { year, month, day } = parts(instant, zone);
  return `${year}-${month}-${day}`;
}

function offset(instant: number, zone: string): number {
  const { year, month, day, hour, minute, second } = parts(new Date(instant), zone);
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)) - instant;
}

/**
 * The instant at which the clock of `zone` shows a day and a time (`09:30`): the first one where it
 * shows that twice, and as much later as it was put forward where it never does.
 */
export function instantOf(day: string, time: string, zone: string): Date {
  const shown = Date.parse(`${day}T${short(time)}${short(time).length === 5 ? ":00" : ""}Z`);
  const hours = 24 * 3_600_000;
  const [before, after] = [offset(shown - hours, zone), offset(shown + hours, zone)];
  const early = shown - before;
  return new Date(offset(early, zone) === before || offset(shown - after, zone) !== after ? early : shown - after);
}

/** What the clock shows in a time that came with its own offset: `[2027-03-01, 09:30:00]`. */
export function wallOf(local: string): readonly [string, string] {
  return [local.slice(0, 10), local.slice(11, 19)];
}

/** `Mon 1 Mar 2027` of `2027-03-01`. */
export function dayWords(day: string, locale = "en-GB"): string {
  const date = new Date(`${day}T12:00:00Z`);
  if (Number.isNaN(date.getTime())) return day;
  return date.toLocaleDateString(locale, {
    timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric",
  });
}

/** `day` so many days later. */
export function daysAfter(day: string, days: number): string {
  const date = new Date(`${day}T12:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}
