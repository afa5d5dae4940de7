/** How a channel plays, as fields of a form and as the API has it: pure. */

import type { Channel } from "../api/types";
import { whole } from "../ui/whole";

export interface Manner {
  readonly name: string;
  readonly description: string;
  readonly mode: Channel["mode"];
  readonly hourly: boolean;
  readonly loop: boolean;
  /** Seconds, with a point or a comma. */
  readonly crossfade: string;
  readonly artist: string;
  readonly title: string;
  readonly again: string;
}

export const USUAL: Manner = {
  name: "", description: "", mode: "rotated", hourly: false, loop: true,
  crossfade: "0", artist: "1", title: "5", again: "0",
};

/** The fields of a channel. */
export function mannerOf(channel: Channel): Manner {
  return {
    name: channel.name,
    description: channel.description,
    mode: channel.mode,
    hourly: channel.hourly,
    loop: channel.loop,
    crossfade: String(channel.crossfade_millis / 1000),
    artist: String(channel.artist_apart),
    title: String(channel.title_apart),
    again: String(channel.again_hours),
  };
}

/** Milliseconds of written seconds; null for no number. */
export function millisOf(written: string): number | null {
  if (!/^\d{1,5}([.,]\d{1,3})?$/.test(written.trim())) return null;
  return Math.round(Number(written.trim().replace(",", ".")) * 1000);
}

/** What is wrong, field by field; nothing for a body that can be sent. */
export function wrongs(manner: Manner): Partial<Record<keyof Manner, string>> {
  const crossfade = millisOf(manner.crossfade);
  return {
    ...(!manner.name.trim() && { name: "Give it a name." }),
    ...((crossfade === null || crossfade > 15_000) && { crossfade: "Seconds, from 0 to 15." }),
    ...(whole(manner.artist, 0, 200) === null && { artist: "A number from 0 to 200." }),
    ...(whole(manner.title, 0, 200) === null && { title: "A number from 0 to 200." }),
    ...(whole(manner.again, 0, 168) === null && { again: "Hours, from 0 to 168." }),
  };
}

/** The body of it; only where nothing is wrong. */
export function toBody(manner: Manner) {
  return {
    name: manner.name.trim(),
    description: manner.description,
    mode: manner.mode,
    hourly: manner.mode === "rotated" && manner.hourly,
    loop: manner.loop,
    crossfade_millis: millisOf(manner.crossfade) ?? 0,
    artist_apart: whole(manner.artist, 0, 200) ?? 0,
    title_apart: whole(manner.title, 0, 200) ?? 0,
    again_hours: whole(manner.again, 0, 168) ?? 0,
  };
}
