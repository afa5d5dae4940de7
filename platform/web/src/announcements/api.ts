/** What this page asks of announcements. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, body } from "../api/client";
import { useList } from "../api/lists";
import type { Announcement, Voice } from "../api/types";
import { tellProblem } from "../ui/notify";

const NO_VOICES: readonly Voice[] = [];

/** What is looked for. */
export interface Wanted {
  readonly search: string;
  readonly ordering: string;
  /** Empty for all of them. */
  readonly folder: string;
}

/** The live connection tells sooner what became of a text; this is for whoever has none. */
const ASK_EVERY = 4_000;

/** Announcements, page by page; asked again while one is being spoken. */
export function useAnnouncements({ search, ordering, folder }: Wanted) {
  const more = { ...(search && { search }), ...(folder && { folder_id: folder }), ordering };
  return useList(
    ["announcements", more],
    async (query) =>
      body(await api.GET("/api/v1/announcements/", { params: { query: { ...query, ...more } } })),
    (found) => (found.some(({ state }) => state === "rendering") ? ASK_EVERY : false),
  );
}

/** Every voice there is. */
export function useVoices(): readonly Voice[] {
  const found = useQuery({
    queryKey: ["voices"],
    staleTime: 600_000,
    queryFn: async () => body(await api.GET("/api/v1/announcements/voices/")).results,
  });
  return found.data ?? NO_VOICES;
}

/** Has a text spoken again that failed. */
export function useRetry() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: async ({ id }: Announcement) => {
      const path = { announcement_id: id };
      await api.POST("/api/v1/announcements/{announcement_id}/retry/", { params: { path } });
    },
    onError: (error) => tellProblem("It was not tried again", error),
    onSettled: refresh,
  });
}

/** Looks anew at the list. */
export function useRefresh(): () => void {
  const queries = useQueryClient();
  return () => void queries.invalidateQueries({ queryKey: ["announcements"] });
}

/** Where an announcement is heard. */
export function audioOf(announcement: string): string {
  return `/api/v1/announcements/${announcement}/audio/`;
}
