/** Where an emergency is raised, as the API takes it: pure. */

import { ancestry, type Place } from "../places/tree";

/** What the API takes: everywhere, or wide places first and single zones for the rest. */
export interface Where {
  everywhere?: boolean;
  location_ids?: string[];
  floor_ids?: string[];
  zone_ids?: string[];
}

/**
 * `chosen` of `zones`; null is everywhere, be it known or not. A location or floor of which all is
 * chosen is named as a whole: a zone that was added to it meanwhile is meant as well.
 */
export function toWhere(
  chosen: ReadonlySet<string> | null,
  zones: readonly string[],
  places: readonly Place[],
): Where {
  if (chosen === null) return { everywhere: true };
  const left = new Set(zones.filter((zone) => chosen.has(zone)));
  const holders = new Map(zones.map((zone) => [zone, ancestry(zone, places)]));
  const whole = (kind: Place["kind"]): string[] => {
    const found: string[] = [];
    for (const { id } of places.filter((place) => place.kind === kind)) {
      const inside = zones.filter((zone) => holders.get(zone)?.includes(id));
      if (inside.length < 2 || !inside.every((zone) => chosen.has(zone))) continue;
      if (!inside.some((zone) => left.has(zone))) continue;
      for (const zone of inside) left.delete(zone);
      found.push(id);
    }
    return found;
  };
  const location_ids = whole("location");
  const floor_ids = whole("floor");
  return {
    ...(location_ids.length > 0 && { location_ids }),
    ...(floor_ids.length > 0 && { floor_ids }),
    ...(left.size > 0 && { zone_ids: [...left] }),
  };
}

/** The instant at which it ended, or null while it has not. */
export function endOf(one: {
  readonly active: boolean;
  readonly ends_at?: string | null;
  readonly cleared_at?: string | null;
}): string | null {
  if (one.active) return null;
  return one.cleared_at ?? one.ends_at ?? null;
}

/** How long since, in words that need no second hand: `less than a minute`, `12 minutes`. */
export function span(from: string, to: number): string {
  const minutes = Math.floor((to - new Date(from).getTime()) / 60_000);
  if (!(minutes >= 1)) return "less than a minute";
  if (minutes < 60) return minutes === 1 ? "1 minute" : `${minutes} minutes`;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  const long = hours === 1 ? "1 hour" : `${hours} hours`;
  return rest === 0 ? long : `${long} ${rest} min`;
}
