/** A track, or many alike, as somebody fills in a form about it: only what was changed is sent. */

import type { Track, TrackChange } from "../api/types";

const TEXTS = ["title", "artist", "album", "genre", "composer", "isrc", "licence"] as const;

/** All as text, as fields hold it; in a form about many, empty is "as it is". */
export interface Draft {
  readonly title: string;
  readonly artist: string;
  readonly album: string;
  readonly genre: string;
  readonly year: string;
  readonly composer: string;
  readonly isrc: string;
  readonly folder_id: string;
  /** Separated by commas, as `regions`. */
  readonly tags: string;
  readonly licence: string;
  readonly regions: string;
  readonly valid_from: string;
  readonly valid_until: string;
  readonly explicit: string;
  readonly offline_allowed: string;
}

export const BLANK: Draft = {
  title: "",
  artist: "",
  album: "",
  genre: "",
  year: "",
  composer: "",
  isrc: "",
  folder_id: "",
  tags: "",
  licence: "",
  regions: "",
  valid_from: "",
  valid_until: "",
  explicit: "",
  offline_allowed: "",
};

/** A track as its form shows it. */
export function draftOf(track: Track): Draft {
  return {
    title: track.title,
    artist: track.artist,
    album: track.album,
    genre: track.genre,
    year: track.year == null ? "" : String(track.year),
    composer: track.composer,
    isrc: track.isrc,
    folder_id: track.folder_id ?? "",
    tags: track.tags.join(", "),
    licence: track.licence,
    regions: track.regions.join(", "),
    valid_from: track.valid_from ?? "",
    valid_until: track.valid_until ?? "",
    explicit: String(track.explicit),
    offline_allowed: String(track.offline_allowed),
  };
}

/** What differs from `before`, as the platform takes it. */
export function changeOf(draft: Draft, before: Draft): TrackChange {
  const changed = (name: keyof Draft) => draft[name].trim() !== before[name];
  const change: TrackChange = {};
  for (const name of TEXTS) if (changed(name)) change[name] = draft[name].trim();
  for (const name of ["folder_id", "valid_from", "valid_until"] as const) {
    if (changed(name)) change[name] = draft[name] || null;
  }
  if (changed("year")) change.year = draft.year ? Number.parseInt(draft.year, 10) : null;
  if (changed("tags")) change.tags = listed(draft.tags);
  if (changed("regions")) change.regions = listed(draft.regions.toUpperCase());
  for (const name of ["explicit", "offline_allowed"] as const) {
    if (changed(name)) change[name] = draft[name] === "true";
  }
  return change;
}

function listed(text: string): string[] {
  return text.split(",").map((part) => part.trim()).filter(Boolean);
}
