/** When an announcement begins, and for how long it waits for others: as fields and as the API has it. */

export interface Patience {
  /** Seconds in which it can be taken back unheard. */
  readonly delay: number;
  /** Seconds after which it gives up waiting; 0 waits as long as it takes. */
  readonly timeout: number;
}

export const AT_ONCE: Patience = { delay: 0, timeout: 0 };

/** What can be chosen, in seconds. */
export const DELAYS = [
  { value: "0", label: "At once" },
  { value: "10", label: "In 10 seconds" },
  { value: "30", label: "In 30 seconds" },
  { value: "60", label: "In a minute" },
];
export const TIMEOUTS = [
  { value: "0", label: "As long as it takes" },
  { value: "30", label: "30 seconds at most" },
  { value: "120", label: "2 minutes at most" },
  { value: "600", label: "10 minutes at most" },
];

/** The body of it; what is usual is left out. */
export function toPatience({ delay, timeout }: Patience) {
  return {
    ...(delay > 0 && { delay_millis: delay * 1000 }),
    ...(timeout > 0 && { timeout_millis: timeout * 1000 }),
  };
}
