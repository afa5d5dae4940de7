/** What an upload can be in, what all of them are together, and which files are worth sending. */

/**
 * `waiting` for its turn, `sending`, `paused` by hand, `stuck` after many tries on a bad line;
 * then the platform's: `processing`, `ready`, `failed`.
 */
export type Phase =
  | "waiting"
  | "sending"
  | "paused"
  | "stuck"
  | "processing"
  | "ready"
  | "failed";

/** What the files become. */
export type Purpose = "track" | "announcement" | "recording";

/** One file on its way. Sizes are bytes. */
export interface Item {
  readonly key: string;
  /** The platform's id, once it knows of it. */
  readonly id: string;
  readonly name: string;
  readonly purpose: Purpose;
  readonly folder: string;
  readonly size: number;
  readonly sent: number;
  readonly phase: Phase;
  /** Percent of what the platform does with it. */
  readonly progress: number;
  /** Why it is stuck or failed. */
  readonly reason: string;
  /** Whether trying again can help. */
  readonly again: boolean;
}

export interface Total {
  readonly files: number;
  readonly ready: number;
  readonly failed: number;
  /** Bytes of what is still to be sent or has been. */
  readonly size: number;
  readonly sent: number;
  /** Whether anything moves or could. */
  readonly busy: boolean;
}

/** All files together; what failed counts as sent, so that the whole can end. */
export function total(items: readonly Item[]): Total {
  let [ready, failed, size, sent, busy] = [0, 0, 0, 0, false];
  for (const item of items) {
    size += item.size;
    sent += isSent(item.phase) ? item.size : item.sent;
    if (item.phase === "ready") ready += 1;
    else if (item.phase === "failed") failed += 1;
    else busy = true;
  }
  return { files: items.length, ready, failed, size, sent, busy };
}

/** Whether nothing of it has to leave this machine any more. */
export function isSent(phase: Phase): boolean {
  return phase === "processing" || phase === "ready" || phase === "failed";
}

/** Whether it is lost when this window closes now (it can be taken up again by its file). */
export function isLeaving(phase: Phase): boolean {
  return phase === "waiting" || phase === "sending" || phase === "paused" || phase === "stuck";
}

/** Which of those that wait begin now, so that `most` are sent at once. */
export function nextToSend(items: readonly Item[], most: number): readonly Item[] {
  const room = most - items.filter(({ phase }) => phase === "sending").length;
  return items.filter(({ phase }) => phase === "waiting").slice(0, Math.max(0, room));
}

const AUDIO = /\.(mp3|m4a|m4b|mp4|aac|ogg|oga|opus|flac|wav|wave|webm|weba|aif|aiff|aifc)$/i;

/** Whether a file of a folder is worth sending: the platform looks into it, this only at its name. */
export function looksAudible(name: string, type: string): boolean {
  return AUDIO.test(name) || type.startsWith("audio/");
}

/** The same file, in the same place, for the same client: taken up again after a reload. */
export function fingerprint(client: string, purpose: Purpose, folder: string, file: Named): string {
  const path = file.webkitRelativePath === "" ? file.name : file.webkitRelativePath;
  return ["s2g", client, purpose, folder, path, file.size, file.lastModified].join("|");
}

type Named = Pick<File, "name" | "size" | "lastModified" | "webkitRelativePath">;

/** Bytes as `512 B`, `3.4 MB`. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, unit] = [n, 0];
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Percent, never 100 before all is there. */
export function percent(sent: number, size: number): number {
  if (size <= 0 || sent >= size) return 100;
  return Math.min(99, Math.floor((sent / size) * 100));
}
