/** What these pages ask of voices and those who have them. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, body } from "../api/client";
import { everyPage } from "../api/lists";
import type { Provider, UsageLine } from "../api/types";

/** A client's own providers, or those that the installation offers to all. */
export type Owner = "/api/v1/ai-providers/" | "/api/v1/admin/ai-providers/";

const NO_LINES: readonly UsageLine[] = [];

/** All providers that one sees; there are few. */
export function useProviders(of: Owner) {
  return useQuery({
    queryKey: ["providers", of],
    queryFn: () => everyPage<Provider>(async (query) => body(await api.GET(of, { params: { query } }))),
  });
}

/** What was spoken in so many months, the last one first. */
export function useUsage(months: number, enabled = true) {
  const found = useQuery({
    queryKey: ["providers", "usage", months],
    enabled,
    staleTime: 0,
    queryFn: async () =>
      body(await api.GET("/api/v1/announcements/tts/usage/", { params: { query: { months } } })),
  });
  return { ...found, lines: found.data?.results ?? NO_LINES };
}

/** Looks anew at providers, what they cost, and their voices. */
export function useRefresh(): () => void {
  const queries = useQueryClient();
  return () => {
    for (const noun of ["providers", "voices", "speech"]) {
      void queries.invalidateQueries({ queryKey: [noun] });
    }
  };
}
