/** What this page asks of the library. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, body } from "../api/client";
import { everyPage, useList } from "../api/lists";
import type { Folder, Track } from "../api/types";
import { type Filters, query as narrowed } from "./filters";

const NO_FOLDERS: readonly Folder[] = [];

/** Every folder of one kind. */
export function useFolders(type: Folder["type"], enabled = true) {
  const found = useQuery({
    queryKey: ["folders", type],
    enabled,
    queryFn: () =>
      everyPage<Folder>(async (query) =>
        body(await api.GET("/api/v1/music/folders/", { params: { query: { ...query, type } } })),
      ),
  });
  return { ...found, folders: found.data ?? NO_FOLDERS };
}

/** What is looked for. */
export interface Wanted {
  readonly folder: string;
  readonly search: string;
  readonly ordering: string;
  readonly filters: Filters;
}

/** Tracks, page by page. */
export function useTracks({ folder, search, ordering, filters }: Wanted) {
  const more = {
    ...narrowed(filters),
    ...(folder && { folder_id: folder }),
    ...(search && { search }),
    ...(ordering && { ordering }),
  };
  return useList(["tracks", more], async (query) =>
    body(await api.GET("/api/v1/music/files/", { params: { query: { ...query, ...more } } })),
  );
}

/** Looks anew at everything that a change to tracks or folders may have changed. */
export function useRefresh(): () => void {
  const queries = useQueryClient();
  return () => {
    for (const noun of ["tracks", "folders", "announcements"]) {
      void queries.invalidateQueries({ queryKey: [noun] });
    }
  };
}

const AT_ONCE = 1000;

/** Does something with the ids of many tracks, as many at once as the platform takes. */
export async function inPieces(
  tracks: readonly Track[],
  act: (track_ids: string[]) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < tracks.length; at += AT_ONCE) {
    await act(tracks.slice(at, at + AT_ONCE).map(({ id }) => id));
  }
}

/** Where a track is heard. */
export function audioOf(track: string): string {
  return `/api/v1/music/files/${track}/audio/`;
}
