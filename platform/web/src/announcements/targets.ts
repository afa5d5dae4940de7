/** Where an announcement is to sound: zones, one by one or by the places that hold them. */

import { ancestry, type Place } from "../places/tree";

export interface Group {
  readonly id: string;
  readonly name: string;
  readonly zones: readonly string[];
}

/** Locations, facilities and floors that hold more than one of `zones`, each with those. */
export function groups(places: readonly Place[], zones: readonly string[]): readonly Group[] {
  const holders = new Map(zones.map((zone) => [zone, new Set(ancestry(zone, places))]));
  const wide = places.filter(({ kind }) => kind !== "zone");
  return wide
    .map((place) => ({
      id: place.id,
      name: called(place, wide),
      zones: zones.filter((zone) => holders.get(zone)?.has(place.id)),
    }))
    .filter((group) => group.zones.length > 1);
}

/** Its name; where another has the same, with the place that holds it. */
function called({ id, name, within }: Place, wide: readonly Place[]): string {
  if (!wide.some((other) => other.id !== id && other.name === name)) return name;
  const holder = wide.find((other) => within.includes(other.id));
  return holder ? `${name}, ${holder.name}` : name;
}

/** Whether all of a group is chosen, some of it or nothing. */
export function share(group: Group, chosen: ReadonlySet<string>): "all" | "some" | "none" {
  const n = group.zones.filter((zone) => chosen.has(zone)).length;
  if (n === 0) return "none";
  return n === group.zones.length ? "all" : "some";
}

/** All of a group, or nothing of it if all of it was chosen. */
export function toggled(group: Group, chosen: ReadonlySet<string>): ReadonlySet<string> {
  const next = new Set(chosen);
  const off = share(group, chosen) === "all";
  for (const zone of group.zones) {
    if (off) next.delete(zone);
    else next.add(zone);
  }
  return next;
}
