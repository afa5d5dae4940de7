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
  return places
    .filter(({ kind }) => kind !== "zone")
    .map(({ id, name }) => ({ id, name, zones: zones.filter((zone) => holders.get(zone)?.has(id)) }))
    .filter((group) => group.zones.length > 1);
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
