/** Why this browser cannot record, in the words of whoever stands before it. */

export interface Trouble {
  readonly title: string;
  /** What to do about it. */
  readonly advice: string;
}

export const INSECURE: Trouble = {
  title: "The microphone needs HTTPS",
  advice:
    "Browsers let a page record only over HTTPS. Open this page by its https:// address, or ask whoever runs the server for one.",
};
export const UNABLE: Trouble = {
  title: "This browser cannot record",
  advice: "Use another browser, or record elsewhere and add the file.",
};
export const EMPTY: Trouble = {
  title: "Nothing was recorded",
  advice: "It was stopped before any sound arrived. Record again, and speak after “Recording”.",
};

const KNOWN: Readonly<Record<string, Trouble>> = {
  NotAllowedError: {
    title: "The microphone was not allowed",
    advice:
      "Allow the microphone for this page in the browser, by the sign beside its address, then record again. The device’s own settings may forbid it as well.",
  },
  NotFoundError: {
    title: "There is no microphone",
    advice: "Connect a microphone or a headset, then record again.",
  },
  NotReadableError: {
    title: "The microphone does not answer",
    advice: "Another program may be using it: close that one, then record again.",
  },
};
/** Other names of the same, as older browsers and other causes have them. */
const SAME: Readonly<Record<string, string>> = {
  SecurityError: "NotAllowedError",
  PermissionDeniedError: "NotAllowedError",
  DevicesNotFoundError: "NotFoundError",
  OverconstrainedError: "NotFoundError",
  TrackStartError: "NotReadableError",
  AbortError: "NotReadableError",
};

/** What a browser threw when it was asked for the microphone. */
export function troubleOf(error: unknown): Trouble {
  const name = error instanceof Error ? error.name : "";
  return (
    KNOWN[SAME[name] ?? name] ?? {
      title: "The microphone cannot be used",
      advice: `The browser says: ${error instanceof Error ? error.message || name : "nothing"}. Try again.`,
    }
  );
}

/** What a page must have before it asks: null when nothing stands in the way. */
export function obstacle(secure: boolean, asks: boolean, records: boolean): Trouble | null {
  if (!secure) return INSECURE;
  return asks && records ? null : UNABLE;
}
