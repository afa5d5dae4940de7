/** What the zones are called, as far as the reader sees them. */

import { names } from "../format";
import { millisOf } from "../live/clock";
import { useLiveState } from "../live/context";

/** A few zones in words: `Café and Office`; `every zone` where it is all of several. */
export function useZoneNames(): (ids: readonly string[]) => string {
  const zones = useLiveState((state) => state.zones);
  return (ids) => {
    if (zones && ids.length > 2 && ids.length === zones.size) return `all ${ids.length} zones`;
    const found = ids.map((id) => zones?.get(id)?.name ?? "a zone");
    return names(found.toSorted((a, b) => a.localeCompare(b))) || "no zone of yours";
  };
}

/** The platform's time in whole minutes, as milliseconds: renders once a minute. */
export function useMinute(): number {
  return useLiveState(({ frame }) => Math.floor(millisOf(frame) / 60_000)) * 60_000;
}
