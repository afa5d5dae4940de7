/** The live connection as React state. */

import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect, useMemo, useSyncExternalStore } from "react";
import { hear } from "../uploads/following";
import { restore } from "../session/session";
import { Live, type LiveState } from "./connection";

const LiveContext = createContext<Live | null>(null);

/** Keeps one connection open for the signed-in person. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const live = useMemo(
    () =>
      new Live({
        onRefused: () => void restore(),
        onUploads: (uploads) => hear(uploads, queries),
        onChanged: (noun) => void queries.invalidateQueries({ queryKey: [`${noun}s`] }),
      }),
    [queries],
  );
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, [live]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

/** Whether this page is live at all. */
export function useIsLive(): boolean {
  return use(LiveContext) !== null;
}

/** The connection itself, to hand it what an answer over HTTP brought. */
export function useLive(): Live {
  const live = use(LiveContext);
  if (!live) throw new Error("outside of LiveProvider");
  return live;
}

/** One part of the live state; renders again only when that part changes. */
export function useLiveState<T>(select: (state: LiveState) => T): T {
  const live = useLive();
  return useSyncExternalStore(live.subscribe, () => select(live.getState()));
}
