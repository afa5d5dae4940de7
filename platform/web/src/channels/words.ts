/** Channels and their lines as people say them: pure. */

import type { Channel, Line } from "../api/types";
import { count } from "../format";

export type Subject = "track" | "folder" | "announcement" | "channel";

export const SUBJECT: Record<Subject, string> = {
  track: "Track",
  folder: "Folder",
  announcement: "Announcement",
  channel: "Channel",
};

/** The column that names such a subject. */
export const COLUMN = {
  track: "track_id",
  folder: "folder_id",
  announcement: "announcement_id",
  channel: "inner_channel_id",
} as const;

type Named = Pick<Line, "track_id" | "folder_id" | "announcement_id" | "inner_channel_id">;

/** What a line is. */
export function subjectOf(line: Named): Subject {
  if (line.track_id) return "track";
  if (line.folder_id) return "folder";
  return line.announcement_id ? "announcement" : "channel";
}

/** Whether a line is heard between the tracks instead of in turn. */
export function isBetween({ after_tracks, after_minutes }: Pick<Line, "after_tracks" | "after_minutes">): boolean {
  return after_tracks > 0 || after_minutes > 0;
}

type Told = Pick<Line, "weight" | "order" | "after_tracks" | "after_minutes"> & Named;

/** How a line is heard: `shuffled · weight 3`, `after every 4 tracks`. */
export function lineWords(line: Told, mode: Channel["mode"]): string {
  const parts: string[] = [];
  if (line.after_tracks > 0) parts.push(`after every ${counted(line.after_tracks, "track")}`);
  if (line.after_minutes > 0) {
    parts.push(`after every ${counted(line.after_minutes, "minute")} of music`);
  }
  const several = !["track", "announcement"].includes(subjectOf(line));
  if (several) parts.push(line.order === "shuffled" ? "shuffled" : "in its order");
  if (mode === "rotated" && !isBetween(line)) {
    parts.push(line.weight === 0 ? "weight 0: not played" : `weight ${line.weight}`);
  }
  return parts.join(" · ");
}

/** `track`, `4 tracks`: after the word `every`. */
export function counted(n: number, noun: string): string {
  return n === 1 ? noun : `${n} ${noun}s`;
}

type Manner = Pick<
  Channel,
  "mode" | "pattern" | "hourly" | "loop" | "crossfade_millis" | "artist_apart" | "title_apart" | "again_hours"
>;

/** How a channel plays, thing by thing. */
export function mannerWords(channel: Manner): readonly string[] {
  const { mode, pattern, hourly, loop, crossfade_millis, artist_apart, title_apart, again_hours } = channel;
  const turns =
    pattern.length > 0
      ? `in ${count(pattern.length, "turn")} of a pattern${hourly ? ", anew each hour" : ""}`
      : "by weight";
  const parts = [
    mode === "ordered" ? `one line after another${loop ? ", for ever" : ", once"}` : turns,
    crossfade_millis > 0 ? `crossfade ${crossfade_millis / 1000} s` : "gapless",
  ];
  if (artist_apart > 0) parts.push(`an artist again after ${count(artist_apart, "piece")}`);
  if (title_apart > 0) parts.push(`a title again after ${count(title_apart, "piece")}`);
  if (again_hours > 0) parts.push(`a track again after ${count(again_hours, "hour")}`);
  return parts;
}

/** How often a line comes among those in turn: `about 60 %`; empty where that says nothing. */
export function share(line: Line, lines: readonly Line[], channel: Manner): string {
  if (channel.mode !== "rotated" || isBetween(line)) return "";
  const turns = lines.filter((one) => !isBetween(one));
  if (turns.length < 2) return "";
  const { pattern } = channel;
  const mine = pattern.length > 0 ? pattern.filter((id) => id === line.id).length : line.weight;
  const all = pattern.length > 0 ? pattern.length : turns.reduce((sum, { weight }) => sum + weight, 0);
  return all > 0 ? `about ${Math.round((100 * mine) / all)} %` : "";
}
