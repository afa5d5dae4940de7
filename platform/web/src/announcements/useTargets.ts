/** Where the signed-in person may let something sound. */

import type { ZoneView } from "../api/types";
import { useLiveState } from "../live/context";
import { usePlaces } from "../places/places";
import type { Place } from "../places/tree";
import { useMayThere } from "../session/may";

const NOWHERE: readonly Place[] = [];

/** The zones by name, and the places that hold them; both at once, so that nothing moves under a finger. */
export function useTargets(permission = "announce.now"): { zones: readonly ZoneView[]; places: readonly Place[] } {
  const views = useLiveState((state) => state.zones);
  const mayThere = useMayThere(permission);
  const { data: places = NOWHERE, isPending } = usePlaces();
  if (isPending) return { zones: [], places };
  const zones = [...(views?.values() ?? [])]
    .filter(({ zone_id }) => mayThere(zone_id))
    .toSorted((a, b) => a.name.localeCompare(b.name));
  return { zones, places };
}
