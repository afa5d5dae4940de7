/** A track's picture: its own, or one made from its hash. */

import { useState } from "react";
import type { Track } from "../api/types";
import css from "./Library.module.css";

/** Decoration: the words beside it say what it is. */
export function TrackCover({ track }: { track: Track }) {
  const [failed, setFailed] = useState(false);
  const seed = Number.parseInt(track.sha256.slice(-6), 16) || 0;
  const source = `/api/v1/music/files/${track.id}/cover/?size=96&v=${track.cover_id ?? ""}`;
  return (
    <div className={css.cover} aria-hidden="true">
      {track.cover_id && !failed ? (
        <img src={source} alt="" loading="lazy" onError={() => setFailed(true)} />
      ) : (
        <div
          className={css.made}
          style={{ "--hue": seed % 360, "--turn": `${(seed >> 4) % 360}deg` }}
        />
      )}
    </div>
  );
}
