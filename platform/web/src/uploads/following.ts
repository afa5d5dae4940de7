/** What the platform makes of what was sent: asked while there is something to ask about. */

import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, body } from "../api/client";
import { asProblem } from "../api/problem";
import type { Sent } from "../api/types";
import { tellProblem } from "../ui/notify";
import { amend, currentItems, resume, useItems } from "./queue";
import type { Item } from "./rules";
import { ENDPOINT, type Endpoint, goesTo } from "./sending";

/** The live connection tells sooner; this is for whoever has none, or lost a word. */
const ASK_EVERY = 4_000;
/** How many are asked for one by one, once they are older than a page of the list. */
const SINGLY = 10;

/** Keeps every file's state as the platform tells it, on every page; shows nothing. */
export function Following() {
  const items = useItems();
  const queries = useQueryClient();
  const open = items.filter(({ phase }) => phase === "processing");
  const found = useQuery({
    queryKey: ["uploads", "followed"],
    enabled: open.length > 0,
    refetchInterval: ASK_EVERY,
    gcTime: 0,
    staleTime: 0,
    queryFn: readOpen,
  });
  const { data } = found;
  useEffect(() => {
    if (data) hear(data, queries);
  }, [data, queries]);
  return null;
}

/** Takes what the platform told of files, be it asked or over the live connection. */
export function hear(told: readonly Sent[], queries: QueryClient): void {
  if (!told.map(take).some(Boolean)) return;
  for (const queryKey of [["tracks"], ["folders"], ["announcements"]]) {
    void queries.invalidateQueries({ queryKey });
  }
}

async function readOpen(): Promise<Sent[]> {
  const open = currentItems().filter(({ phase }) => phase === "processing");
  const where = new Set(open.map(({ purpose }) => ENDPOINT[purpose]));
  return (await Promise.all([...where].map((one) => readFrom(one, open)))).flat();
}

async function readFrom(of: Endpoint, open: readonly Item[]): Promise<Sent[]> {
  const ids = new Set(open.filter(({ purpose }) => goesTo(purpose, of)).map(({ id }) => id));
  const { results } = body(await api.GET(of, { params: { query: { page_size: 200 } } }));
  const found = results.filter(({ id }) => ids.has(id));
  for (const { id } of found) ids.delete(id);
  for (const id of [...ids].slice(0, SINGLY)) {
    const path = { upload_id: id };
    try {
      found.push(body(await api.GET(`${of}{upload_id}/`, { params: { path } })));
    } catch (error) {
      if (asProblem(error).status !== 404) throw error;
      const gone = currentItems().find((item) => item.id === id);
      if (gone) amend(gone.key, { phase: "failed", reason: "It was removed meanwhile." });
    }
  }
  return found;
}

/** Takes what the platform told of one; answers whether it has just become ready. */
function take(told: Sent): boolean {
  const item = currentItems().find(({ id, phase }) => id === told.id && phase === "processing");
  if (!item) return false;
  if (told.state === "failed") {
    amend(item.key, { phase: "failed", reason: told.detail, again: told.retryable });
    return false;
  }
  if (told.state !== "ready") {
    if (told.progress !== item.progress) amend(item.key, { progress: told.progress });
    return false;
  }
  const reason = told.duplicate_of ? "It was there already: nothing was stored twice." : "";
  amend(item.key, { phase: "ready", progress: 100, reason });
  return true;
}

/** Lets the platform try again with what it has, or sends the file again. */
export async function retry(item: Item): Promise<void> {
  if (!item.id || item.sent < item.size) {
    resume(item.key);
    return;
  }
  try {
    const path = { upload_id: item.id };
    await api.POST(`${ENDPOINT[item.purpose]}{upload_id}/retry/`, { params: { path } });
    amend(item.key, { phase: "processing", progress: 0, reason: "", again: false });
  } catch (error) {
    tellProblem(`${item.name} was not tried again`, error);
  }
}
