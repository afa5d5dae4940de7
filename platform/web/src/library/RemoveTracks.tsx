/** Removing tracks, after it was said what uses them. */

import { api } from "../api/client";
import type { Track } from "../api/types";
import { count, names } from "../format";
import { silence } from "../sound/preview";
import { tellDone } from "../ui/notify";
import { Remove } from "../ui/Remove";
import { inPieces, useRefresh } from "./api";

interface Props {
  tracks: readonly Track[];
  onClose: () => void;
  onDone: () => void;
}

/** A thousand at a time, each time all or none. */
export function RemoveTracks({ tracks, onClose, onDone }: Props) {
  const refresh = useRefresh();
  const one = tracks.length === 1;
  return (
    <Remove
      title={`Remove ${one ? names(tracks.map(({ title }) => title)) : count(tracks.length, "track")}?`}
      remove={async (force) => {
        silence();
        await inPieces(tracks, async (track_ids) => {
          await api.POST("/api/v1/music/files/bulk-delete/", { body: { track_ids, force } });
        }).finally(refresh);
      }}
      onClose={onClose}
      onDone={() => {
        tellDone("Removed", `${count(tracks.length, "track")} left the library.`);
        onDone();
      }}
    >
      Whoever plays {one ? "it" : "them"} goes on with the next track. A file that was removed has to be
      sent again to come back.
    </Remove>
  );
}
