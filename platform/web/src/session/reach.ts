/** Where a permission holds: the rules of the platform's matrix, without asking it. */

import type { Me } from "../api/types";
import { ancestry, type Place } from "../places/tree";

type Held = Pick<Me, "permissions" | "confined">;

/** Where a permission holds: null means everywhere, an empty list nowhere. */
export function reach({ permissions, confined }: Held, permission: string): readonly string[] | null {
  if (!permissions.includes(permission)) return [];
  return confined?.[permission] ?? null;
}

/** Whether whoever sees a zone at all may also do this there: no look at the places is needed. */
export function wherever(held: Held, permission: string): boolean {
  const there = reach(held, permission);
  if (there === null) return true;
  const seen = reach(held, "playback.read");
  return there.length > 0 && (seen?.every((place) => there.includes(place)) ?? false);
}

/** Whether a permission that is confined holds in this zone, which lies within other places. */
export function holdsIn(
  held: Held,
  permission: string,
  zone: string,
  places: readonly Place[],
): boolean {
  const there = reach(held, permission);
  return there === null || ancestry(zone, places).some((place) => there.includes(place));
}
