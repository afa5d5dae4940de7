/** Lists of the API, which come in pages. */

import { type QueryKey, useInfiniteQuery } from "@tanstack/react-query";

/** A page as the API answers it; `next` is the whole path of the next one. */
export interface Paged<T> {
  readonly results: T[];
  readonly next?: string | null;
}

/** The parameters that every list takes. */
export interface Window {
  page_size: number;
  cursor?: string;
}

type Ask<T> = (query: Window) => Promise<Paged<T>>;

/** The cursor within the path of the next page; empty on the last one. */
export function cursorOf(next: string | null | undefined): string {
  return next ? (new URL(next, "http://any").searchParams.get("cursor") ?? "") : "";
}

function window_(page_size: number, cursor: string): Window {
  return cursor ? { page_size, cursor } : { page_size };
}

/** A list that grows when its reader asks for more; `again` says after how long it is read anew. */
export function useList<T>(
  key: QueryKey,
  ask: Ask<T>,
  again: (found: readonly T[]) => number | false = () => false,
) {
  return useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => ask(window_(50, pageParam)),
    initialPageParam: "",
    getNextPageParam: (last: Paged<T>) => cursorOf(last.next) || undefined,
    refetchInterval: ({ state }) => again(state.data?.pages.flatMap((one) => one.results) ?? []),
  });
}

export type List<T> = ReturnType<typeof useList<T>>;

/** All pages of a list that is small by its nature. */
export async function everyPage<T>(ask: Ask<T>): Promise<T[]> {
  const found: T[] = [];
  let cursor = "";
  do {
    const page = await ask(window_(200, cursor));
    found.push(...page.results);
    cursor = cursorOf(page.next);
  } while (cursor);
  return found;
}
