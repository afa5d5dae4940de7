/** The live connection as React state. */

import { createContext, type ReactNode, use, useEffect, useMemo, useSyncExternalStore } from "react";
import { endSession } from "../session/session";
import { Live, type LiveState } from "./connection";

const LiveContext = createContext<Live | null>(null);

/** Keeps one connection open for the signed-in person. */
export function LiveProvider({ token, children }: { token: string; children: ReactNode }) {
  const live = useMemo(
    () => new Live({ token, onRefused: (why) => endSession(why) }),
    [token],
  );
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, [live]);
  return <LiveContext value={live}>{children}</LiveContext>;
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
