/** How long something that a person chose lasts: pure. */

/** As fields: nothing, so many minutes, or until a time of day. */
export interface Lasting {
  readonly choice: string;
  /** `HH:MM` where the reader is; with the choice `at`. */
  readonly time: string;
}

export const OPEN_END: Lasting = { choice: "", time: "" };

/** What can be chosen; the first one differs with what it is about. */
export function choices(open: string): { value: string; label: string }[] {
  return [
    { value: "", label: open },
    { value: "30", label: "For half an hour" },
    { value: "60", label: "For an hour" },
    { value: "180", label: "For three hours" },
    { value: "at", label: "Until a time" },
  ];
}

/** The instant as the API takes it, null for no end; undefined while the time is not written yet. */
export function untilOf({ choice, time }: Lasting, now: number): string | null | undefined {
  if (choice === "") return null;
  if (choice !== "at") return new Date(now + Number(choice) * 60_000).toISOString();
  const [, hours, minutes] = /^(\d\d):(\d\d)/.exec(time) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  const end = new Date(now);
  end.setHours(Number(hours), Number(minutes), 0, 0);
  // ten seconds at least, as the platform has it; a time that is over means tomorrow's
  if (end.getTime() <= now + 10_000) end.setDate(end.getDate() + 1);
  return end.toISOString();
}
