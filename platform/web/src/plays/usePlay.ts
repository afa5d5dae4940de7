/** What becomes of a play, as the live connection tells it. */

import { useEffect } from "react";
import type { Told } from "../live/connection";
import { useLive, useLiveState } from "../live/context";

/** Null until it was told; followed for as long as somebody looks. */
export function usePlay(play: string): Told | null {
  const live = useLive();
  useEffect(() => live.follow(play), [live, play]);
  return useLiveState((state) => state.plays.get(play) ?? null);
}
