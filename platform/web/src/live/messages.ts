/** What travels over /ws/playback/: the server's messages, read without trust. */

import type { PlayTree, Sent, ZoneView } from "../api/types";

export type ServerMessage =
  | { readonly type: "snapshot"; readonly frame: number; readonly zones: readonly ZoneView[] }
  | { readonly type: "zone"; readonly frame: number; readonly zone: ZoneView }
  | { readonly type: "uploads"; readonly uploads: readonly Sent[] }
  | { readonly type: "changed"; readonly noun: string; readonly ids: readonly string[] }
  | { readonly type: "play"; readonly over: boolean; readonly play: PlayTree }
  | {
      readonly type: "unwatched";
      readonly play_id: string;
      readonly code: string;
      readonly detail: string;
    }
  | { readonly type: "pong"; readonly t: number; readonly frame: number }
  | { readonly type: "error"; readonly code: string; readonly detail: string };

export type ClientMessage =
  | { readonly type: "auth" }
  | { readonly type: "ping"; readonly t: number }
  | { readonly type: "more"; readonly zone_id: string }
  | { readonly type: "watch" | "unwatch"; readonly play_id: string };

const KNOWN = new Set(["snapshot", "zone", "uploads", "changed", "play", "unwatched", "pong", "error"]);

/** A message of the server, or null for what this program does not know (a newer server's). */
export function readMessage(data: unknown): ServerMessage | null {
  if (typeof data !== "string") return null;
  try {
    const message: unknown = JSON.parse(data);
    const known =
      typeof message === "object" &&
      message !== null &&
      "type" in message &&
      KNOWN.has(String(message.type));
    return known ? (message as ServerMessage) : null;
  } catch {
    return null;
  }
}
