/** Tells screen readers what begins to play: politely, once per change, never per second. */

import { VisuallyHidden } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { ZoneView } from "../api/types";
import { useLive } from "../live/context";
import { type Sounding, soundingAt } from "../live/sounding";

const GATHER = 400;

/** A live region that the eye does not see. */
export function NowPlayingNews() {
  const live = useLive();
  const known = useRef(new Map<string, string>());
  const [news, setNews] = useState("");
  useEffect(() => {
    let pending: string[] = [];
    let timer: number | undefined;
    const look = () => {
      const { zones, frame } = live.getState();
      for (const zone of zones?.values() ?? []) {
        const line = describe(soundingAt(zone, frame), zone);
        const before = known.current.get(zone.zone_id);
        known.current.set(zone.zone_id, line);
        if (before !== undefined && before !== line) pending.push(`${zone.name}: ${line}`);
      }
      if (pending.length === 0) return;
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        setNews(pending.join(". "));
        pending = [];
      }, GATHER);
    };
    look();
    const leave = live.subscribe(look);
    return () => {
      leave();
      window.clearTimeout(timer);
    };
  }, [live]);
  return (
    <VisuallyHidden role="status" aria-live="polite" aria-label="What plays now">
      {news}
    </VisuallyHidden>
  );
}

function describe(sounding: Sounding | null, { status, drill }: ZoneView): string {
  if (!sounding) return status;
  const { role, title, artist, moving } = sounding;
  if (role === "emergency") return `${drill ? "drill" : "emergency"} ${title}`;
  if (role === "event") return `announcement ${title}`;
  if (!moving) return status;
  return artist ? `${title} by ${artist}` : title;
}
