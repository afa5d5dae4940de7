/** What these pages ask of channels. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, body, tagOf } from "../api/client";
import { everyPage, useList } from "../api/lists";
import type { Channel, Line } from "../api/types";

const NONE: readonly Channel[] = [];

/** Channels whose names hold what is looked for, page by page. */
export function useChannels(search: string) {
  const more = search ? { search } : {};
  return useList(["channels", "list", more], async (query) =>
    body(await api.GET("/api/v1/channels/", { params: { query: { ...query, ...more } } })),
  );
}

/** Every channel, to choose from. */
export function useEveryChannel(enabled = true): readonly Channel[] {
  const found = useQuery({
    queryKey: ["channels", "all"],
    enabled,
    queryFn: () =>
      everyPage<Channel>(async (query) =>
        body(await api.GET("/api/v1/channels/", { params: { query } })),
      ),
  });
  return found.data ?? NONE;
}

/** A channel with its version. */
export function useChannel(id: string) {
  return useQuery({
    queryKey: ["channels", "one", id],
    queryFn: async () => {
      const answer = await api.GET("/api/v1/channels/{channel_id}/", {
        params: { path: { channel_id: id } },
      });
      return { channel: body(answer), tag: tagOf(answer) };
    },
  });
}

/** The key of a channel's lines. */
export function linesOf(id: string) {
  return ["channels", "lines", id] as const;
}

/** The lines of a channel with what each is called. */
export function useLines(id: string) {
  return useQuery({
    queryKey: linesOf(id),
    queryFn: async (): Promise<readonly Line[]> =>
      body(
        await api.GET("/api/v1/channels/{channel_id}/items/", {
          params: { path: { channel_id: id } },
        }),
      ).results,
  });
}

/** Looks anew at channels, and at what plays them. */
export function useRefresh(): () => void {
  const queries = useQueryClient();
  return () => {
    for (const noun of ["channels", "schedules", "forecast"]) {
      void queries.invalidateQueries({ queryKey: [noun] });
    }
  };
}
