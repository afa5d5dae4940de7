/** The announcements of a zone that sound, wait for each other, or are to come. */

import { ActionIcon, Button } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, body } from "../api/client";
import type { QueueEntry, ZoneView } from "../api/types";
import { useLiveState } from "../live/context";
import { segmentAt } from "../live/sounding";
import { StopIcon } from "../ui/icons";
import { useCommand } from "./commands";
import css from "./Queue.module.css";
import { inWords, isExpected, standing } from "./queue";

const NONE: readonly QueueEntry[] = [];

interface Props {
  zone: ZoneView;
  mayControl: boolean;
}

/** Shown where there is more than what sounds. Asked anew when the zone changes or the next begins. */
export function Queue({ zone, mayControl }: Props) {
  const frame = useLiveState((state) => state.frame);
  const expected = isExpected(zone, frame);
  const now = segmentAt(zone.segments, frame);
  const found = useQuery({
    queryKey: ["queue", zone.zone_id, zone.epoch, zone.rev, now?.role === "music" ? "" : now?.item],
    enabled: expected,
    staleTime: 0,
    placeholderData: keepPreviousData,
    queryFn: async () => {
      const query = { zone_id: zone.zone_id };
      const { results } = body(await api.GET("/api/v1/playback/queue/", { params: { query } }));
      return results[0]?.entries ?? NONE;
    },
  });
  const entries = expected ? standing(found.data ?? NONE, frame) : NONE;
  if (!entries.some(({ state }) => state !== "sounding")) return null;
  return (
    <section className={css.queue} aria-label={`Announcements in ${zone.name}`}>
      <ol className={css.list}>
        {entries.map((entry) => (
          <Entry key={entry.id} zone={zone} entry={entry} frame={frame} mayControl={mayControl} />
        ))}
      </ol>
      {mayControl && entries.length > 1 && <StopAll zone={zone} />}
    </section>
  );
}

interface EntryProps extends Props {
  entry: QueueEntry;
  frame: number;
}

function Entry({ zone, entry, frame, mayControl }: EntryProps) {
  const command = useCommand(zone);
  return (
    <li className={css.entry} data-state={entry.state}>
      <span className={css.words}>
        <span className={css.title}>{entry.title || "Untitled"}</span>
        <span className={css.detail}>
          {inWords(entry, frame)}
          {entry.priority >= 90 && ", before others"}
        </span>
      </span>
      {mayControl && (
        <ActionIcon
          variant="subtle"
          color="gray"
          size={44}
          radius="xl"
          loading={command.isPending}
          aria-label={`${entry.state === "sounding" ? "Stop" : "Take back"} ${entry.title} in ${zone.name}`}
          onClick={() => command.mutate({ verb: "cancel", event: entry.id })}
        >
          <StopIcon size={20} />
        </ActionIcon>
      )}
    </li>
  );
}

function StopAll({ zone }: { zone: ZoneView }) {
  const command = useCommand(zone);
  return (
    <Button
      variant="default"
      loading={command.isPending}
      aria-label={`Stop all announcements in ${zone.name}`}
      onClick={() => command.mutate({ verb: "clear" })}
    >
      Stop all
    </Button>
  );
}
