/** A zone at one instant, in words: pure. */

import type { ZoneView } from "../api/types";
import { duration } from "../format";
import { segmentAt } from "../live/sounding";

const STATUS: Record<ZoneView["status"], string> = {
  playing: "Playing",
  paused: "The music was paused",
  stopped: "Silenced by people",
  idle: "Silence: no music had been chosen",
};

function titled({ title, artist }: { title: string; artist: string }): string {
  return [title || "Without a name", artist].filter(Boolean).join(", ");
}

/** What is heard, how far it is, what rests beneath it, and how loud it is. */
export function momentWords(view: ZoneView): readonly string[] {
  const { status, music, volume, mute, frame } = view;
  const heard = segmentAt(view.segments, frame);
  const lines = [];
  if (heard) {
    const far = `${duration(heard.offset + frame - heard.start)} of ${duration(heard.duration)}`;
    const kind = { music: "Music", event: "Announcement", emergency: "Emergency" }[heard.role];
    lines.push(`${kind}: ${titled(heard)}, ${far}`);
  } else {
    lines.push(status === "playing" ? "Nothing sounded" : STATUS[status]);
  }
  if (music && heard?.role !== "music" && status !== "idle") {
    const how = music.running ? "beneath it" : "stood still";
    lines.push(`Music ${how}: ${titled(music)}, ${duration(music.offset)} of ${duration(music.duration)}`);
  }
  lines.push(mute ? "Muted" : `Volume ${volume} of 100`);
  return lines;
}
