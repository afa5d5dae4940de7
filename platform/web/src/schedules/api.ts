/** What these pages ask of schedules, and of what they share. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, body, tagOf } from "../api/client";
import { everyPage, useList } from "../api/lists";
import type { CalendarSummary, DayPart, PriorityLevel, Schedule } from "../api/types";
import { usePlaces } from "../places/places";
import type { Narrowed, Place } from "../places/tree";
import type { Known } from "./words";

/** What is looked for; empty where it does not matter. */
export interface Wanted {
  readonly search: string;
  readonly type: "" | Schedule["type"];
  readonly place: Narrowed;
  readonly active: "" | "true" | "false";
  readonly ordering: string;
}

/** Schedules, page by page. */
export function useSchedules({ search, type, place, active, ordering }: Wanted) {
  const more = {
    ordering,
    ...(search && { search }),
    ...(type && { type }),
    ...(place && { [`${place.kind}_id`]: place.id }),
    ...(active && { is_active: active === "true" }),
  };
  return useList(["schedules", "list", more], async (query) =>
    body(await api.GET("/api/v1/schedules/", { params: { query: { ...query, ...more } } })),
  );
}

/** A schedule with its version. */
export function useSchedule(id: string) {
  return useQuery({
    queryKey: ["schedules", "one", id],
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    queryFn: async () => {
      const params = { path: { schedule_id: id } };
      const answer = await api.GET("/api/v1/schedules/{schedule_id}/", { params });
      return { schedule: body(answer), tag: tagOf(answer) };
    },
  });
}

const NO_PARTS: readonly DayPart[] = [];
const NO_CALENDARS: readonly CalendarSummary[] = [];
const NO_LEVELS: readonly PriorityLevel[] = [];
const NO_PLACES: readonly Place[] = [];

/** Everything that schedules share. */
export interface Shared extends Known {
  readonly allParts: readonly DayPart[];
  readonly allCalendars: readonly CalendarSummary[];
  readonly allLevels: readonly PriorityLevel[];
  readonly allPlaces: readonly Place[];
  readonly places: ReadonlyMap<string, Place>;
}

/** Everything that schedules share, one list by one. */
export function useEachShared() {
  const parts = useQuery({
    queryKey: ["shared", "day-parts"],
    queryFn: () =>
      everyPage<DayPart>(async (query) => body(await api.GET("/api/v1/day-parts/", { params: { query } }))),
  });
  const calendars = useQuery({
    queryKey: ["shared", "calendars"],
    queryFn: () =>
      everyPage<CalendarSummary>(async (query) =>
        body(await api.GET("/api/v1/calendars/", { params: { query } })),
      ),
  });
  const levels = useQuery({
    queryKey: ["shared", "levels"],
    queryFn: () =>
      everyPage<PriorityLevel>(async (query) =>
        body(await api.GET("/api/v1/priority-levels/", { params: { query } })),
      ),
  });
  return { parts, calendars, levels };
}

/** The day-parts, calendars and levels of the client, and its places. */
export function useShared(): Shared {
  const { parts, calendars, levels } = useEachShared();
  const allPlaces = usePlaces().data ?? NO_PLACES;
  const allParts = parts.data ?? NO_PARTS;
  const allCalendars = calendars.data ?? NO_CALENDARS;
  const allLevels = levels.data ?? NO_LEVELS;
  return useMemo(
    () => ({
      allParts, allCalendars, allPlaces,
      allLevels: allLevels.toSorted((a, b) => b.priority - a.priority),
      dayParts: byId(allParts),
      calendars: byId(allCalendars),
      levels: byId(allLevels),
      places: byId(allPlaces),
    }),
    [allParts, allCalendars, allLevels, allPlaces],
  );
}

function byId<T extends { readonly id: string }>(all: readonly T[]): ReadonlyMap<string, T> {
  return new Map(all.map((one) => [one.id, one]));
}

/** Looks anew at schedules, and at what follows from them. */
export function useRefresh(): () => void {
  const queries = useQueryClient();
  return () => {
    for (const noun of ["schedules", "forecast", "shared"]) {
      void queries.invalidateQueries({ queryKey: [noun] });
    }
  };
}
