/** What a recording is written as. */

/** The first that the browser can write: Opus in WebM, Safari's AAC, anything else. */
export const FORMATS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"] as const;

const ENDINGS: readonly (readonly [string, string])[] = [
  ["audio/mp4", "m4a"],
  ["audio/ogg", "ogg"],
];

/** A file name; the platform looks into the file, this is for people. */
export function nameOf(type: string): string {
  const [, ending] = ENDINGS.find(([begin]) => type.startsWith(begin)) ?? ["", "webm"];
  return `recording.${ending}`;
}
