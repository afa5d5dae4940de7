/** What a zone will sound, in words: pure. */

import type { Piece, Why } from "../api/types";
import { LOSES } from "../schedules/changes";
import { wallOf } from "../schedules/clock";

/** What put something there, in one word or name. */
export function causeOf(why: Why | null): string {
  if (!why) return "";
  if (why.source === "hand") return "Chosen by people";
  if (why.source === "base") return "The zone’s own music";
  return why.name ?? "";
}

/** `instead of Evening, which has a lower priority`; empty where nobody else wanted it. */
export function rivalsOf(why: Why | null): string {
  const rivals = why?.rivals ?? [];
  return rivals.map(({ name, lost_by }) => `instead of ${name}, which ${LOSES[lost_by]}`).join("; ");
}

/** A stretch of music with one cause, and the announcements within it. */
export interface Stretch {
  readonly key: string;
  readonly why: Why | null;
  readonly starts: string;
  readonly ends: string;
  readonly pieces: readonly Piece[];
}

function causeKey({ why }: Piece): string {
  return why ? `${why.source} ${why.schedule_id ?? ""}` : "";
}

/** Pieces below what put their music there; an announcement belongs to the music around it. */
export function stretches(pieces: readonly Piece[]): readonly Stretch[] {
  const found: Stretch[] = [];
  let kind = "";
  for (const piece of pieces) {
    const last = found.at(-1);
    const cause = piece.role === "music" ? causeKey(piece) : kind;
    if (last && (cause === kind || piece.role !== "music")) {
      found[found.length - 1] = { ...last, ends: piece.ends_at, pieces: [...last.pieces, piece] };
    } else {
      const why = piece.role === "music" ? (piece.why ?? null) : null;
      found.push({ key: piece.starts_at, why, starts: piece.starts_at, ends: piece.ends_at, pieces: [piece] });
    }
    kind = cause;
  }
  return found;
}

/** `09:00:00`, of a time that came with the venue's offset. */
export function timeOf(local: string): string {
  return wallOf(local)[1];
}

const REASONS: Readonly<Record<string, string>> = {
  max_per_hour: "it was heard often enough in that hour",
  min_gap: "it is too close to the one before",
  group_gap: "it is too close to another one of its group",
  quiet_hours: "it is quiet then",
  share: "announcements have had their share of that hour",
  late: "it would be too late",
  stopped: "the zone is stopped",
  emergency: "an emergency takes its place",
  priority: "something more important takes its place",
  cancelled: "it was called off",
  skipped: "it was skipped",
};

/** Why something planned is not heard. */
export function reasonOf(reason: string): string {
  return REASONS[reason] ?? reason.replaceAll("_", " ");
}
