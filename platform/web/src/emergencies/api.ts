/** What these pages ask of emergencies. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { api, body } from "../api/client";
import { everyPage, useList } from "../api/lists";
import type { Emergency, EmergencyMessage } from "../api/types";
import { useLiveState } from "../live/context";
import { alarming } from "../live/sounding";
import { useMay } from "../session/session";

const NONE: readonly Emergency[] = [];

/** What is active now; asked anew whenever a zone begins or ends to sound an emergency. */
export function useActive(): readonly Emergency[] {
  const found = useQuery({
    queryKey: ["emergencies", "active"],
    enabled: useMay("emergencies.read"),
    queryFn: () =>
      everyPage<Emergency>(async (query) =>
        body(await api.GET("/api/v1/emergencies/", { params: { query: { ...query, active: true } } })),
      ),
  });
  return found.data ?? NONE;
}

/** Looks anew at everything of emergencies. */
export function useRefresh(): () => void {
  const queries = useQueryClient();
  return () => void queries.invalidateQueries({ queryKey: ["emergencies"] });
}

/** Names of the zones that sound an emergency at this moment, and how it is called there. */
export function useAlarms(): ReturnType<typeof alarming> {
  const told = useLiveState(({ zones, frame }) => JSON.stringify(alarming(zones, frame)));
  const refresh = useRefresh();
  const before = useRef(told);
  useEffect(() => {
    if (before.current === told) return;
    before.current = told;
    refresh();
  }, [told, refresh]);
  return JSON.parse(told) as ReturnType<typeof alarming>;
}

/** Every message that can be raised. */
export function useMessages() {
  return useQuery({
    queryKey: ["emergencies", "messages"],
    queryFn: () =>
      everyPage<EmergencyMessage>(async (query) =>
        body(await api.GET("/api/v1/emergencies/messages/", { params: { query } })),
      ),
  });
}

/** What was raised, the latest first. */
export function useHistory() {
  return useList(["emergencies", "history"], async (query) =>
    body(await api.GET("/api/v1/emergencies/", { params: { query: { ...query, active: false } } })),
  );
}

/** The all-clear. */
export function useClear(onDone?: () => void) {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: async (emergency_id: string) =>
      body(
        await api.POST("/api/v1/emergencies/{emergency_id}/clear/", {
          params: { path: { emergency_id } },
        }),
      ),
    onSuccess: () => onDone?.(),
    onSettled: refresh,
  });
}
