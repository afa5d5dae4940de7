/** The places that the signed-in person may see. */

import { useQuery } from "@tanstack/react-query";
import { api, body } from "../api/client";
import { everyPage } from "../api/lists";
import { currentSession } from "../session/session";
import type { Place } from "./tree";

/** Every place, the wide ones first; what may not be seen is left out. */
export function usePlaces(enabled = true) {
  return useQuery({ queryKey: ["places"], enabled, queryFn: readPlaces });
}

async function readPlaces(): Promise<readonly Place[]> {
  const may = (noun: string) => currentSession()?.permissions.includes(`${noun}.read`) ?? false;
  const [locations, facilities, floors, zones] = await Promise.all([
    may("locations") ? everyPage(async (query) => body(await api.GET("/api/v1/locations/", { params: { query } }))) : [],
    may("facilities") ? everyPage(async (query) => body(await api.GET("/api/v1/facilities/", { params: { query } }))) : [],
    may("floors") ? everyPage(async (query) => body(await api.GET("/api/v1/floors/", { params: { query } }))) : [],
    may("zones") ? everyPage(async (query) => body(await api.GET("/api/v1/zones/", { params: { query } }))) : [],
  ]);
  return [
    ...locations.map(
      ({ id, name, timezone }): Place => ({ kind: "location", id, name, within: [], timezone }),
    ),
    ...facilities.map(
      ({ id, name, location_id }): Place => ({ kind: "facility", id, name, within: [location_id] }),
    ),
    ...floors.map(
      ({ id, name, location_id, facility_id }): Place => ({
        kind: "floor",
        id,
        name,
        within: known(location_id, facility_id),
      }),
    ),
    ...zones.map(
      ({ id, name, location_id, floor_id }): Place => ({
        kind: "zone",
        id,
        name,
        within: known(location_id, floor_id),
      }),
    ),
  ];
}

function known(...ids: (string | null | undefined)[]): string[] {
  return ids.filter((id): id is string => Boolean(id));
}
