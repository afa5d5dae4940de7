/** How something sounds beside its words, as fields of a form and as the API has it. */

interface Chime {
  readonly name?: string | null;
  readonly announcement_id?: string | null;
  readonly track_id?: string | null;
}

interface Told {
  readonly chime_before?: Chime | null;
  readonly chime_after?: Chime | null;
  readonly volume_offset?: number;
}

/** A chime: empty for the usual one, its name, or `own` for a sound of the library. */
export interface Manner {
  readonly before: string;
  readonly after: string;
  /** Hundredths of dB. */
  readonly offset: number;
}

export const USUAL: Manner = { before: "", after: "", offset: 0 };
/** What can be chosen. */
export const LOUDER: readonly number[] = [-600, -300, 0, 300, 600];

function chosen(chime: Chime | null | undefined): string {
  return chime ? (chime.name ?? "own") : "";
}

/** The fields of what is there. */
export function mannerOf(told: Told): Manner {
  return {
    before: chosen(told.chime_before),
    after: chosen(told.chime_after),
    offset: told.volume_offset ?? 0,
  };
}

/** The body of it; a chime of the library is left out, hence left as it is. */
export function toManner({ before, after, offset }: Manner) {
  return {
    ...(before !== "own" && { chime_before: before ? { name: before } : null }),
    ...(after !== "own" && { chime_after: after ? { name: after } : null }),
    volume_offset: offset,
  };
}
