/** Which folder or channel a zone is to play. */

import { Button, NativeSelect, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { advice, asProblem } from "../api/problem";
import { everyPage } from "../api/lists";
import type { Channel, Folder, ZoneView } from "../api/types";
import { millisOf } from "../live/clock";
import { useLive } from "../live/context";
import { count } from "../format";
import { useMay } from "../session/session";
import { PlayIcon } from "../ui/icons";
import { Check } from "../ui/Check";
import { type Command, useCommand } from "./commands";
import { LastingFields } from "./LastingFields";
import css from "./MusicChoice.module.css";
import { OPEN_END, untilOf } from "./until";

const NO_CHANNELS: readonly Channel[] = [];

/** A folder as a line to choose. */
function option({ id, name, tracks }: Folder) {
  return { value: id, label: tracks == null ? name : `${name} (${count(tracks, "track")})` };
}

function groups(folders: readonly Folder[], channels: readonly Channel[]) {
  return [
    { group: "Folders", items: folders.map(option) },
    { group: "Channels", items: channels.map(({ id, name }) => ({ value: id, label: name })) },
  ];
}

/** The folders that hold music; one query for all zones. */
function useFolders() {
  return useQuery({
    queryKey: ["folders"],
    queryFn: async () => {
      const query = { page_size: 200, ordering: "name" };
      const { results } = body(await api.GET("/api/v1/music/folders/", { params: { query } }));
      // What a smart folder's rules choose is not counted in lists.
      return results.filter(({ type, tracks }) => type === "music" && tracks !== 0);
    },
  });
}

/** The channels of the client, for whoever may see them. */
function useChannels() {
  const enabled = useMay("channels.read");
  return useQuery({
    queryKey: ["channels", "by hand"],
    enabled,
    queryFn: () =>
      everyPage<Channel>(async (query) =>
        body(await api.GET("/api/v1/channels/", { params: { query: { ...query, ordering: "name" } } })),
      ),
  });
}

interface Props {
  zone: ZoneView;
  /** Only what to play: how long and in which order are asked once it plays. */
  plain?: boolean;
  onPlayed?: () => void;
}

/** A folder or a channel, and a play button; on demand until when, and shuffled or not. */
export function MusicChoice({ zone, plain = false, onPlayed }: Props) {
  const folders = useFolders();
  const channels = useChannels().data ?? NO_CHANNELS;
  const command = useCommand(zone);
  const live = useLive();
  const [chosen, setChosen] = useState<string | null>(null);
  const [lasting, setLasting] = useState(OPEN_END);
  const [shuffle, setShuffle] = useState(zone.shuffle);
  if (folders.isPending) return <Skeleton height={56} radius="md" aria-label="Loading the music" />;
  if (folders.isError) {
    const problem = asProblem(folders.error);
    return (
      <div className={css.failed} role="alert">
        <p>
          The music cannot be listed. {problem.detail} {advice(problem)}
        </p>
        <Button variant="default" onClick={() => void folders.refetch()}>
          Try again
        </Button>
      </div>
    );
  }
  const wanted = chosen ?? zone.folder_id;
  const folder = folders.data.find(({ id }) => id === wanted) ??
    folders.data.find(({ is_system }) => !is_system) ??
    folders.data[0];
  const channel = channels.find(({ id }) => id === chosen);
  const music = channel ?? folder;
  if (!music) {
    return <p className={css.none}>There is no music yet: a manager imports a folder first.</p>;
  }
  const play = () => {
    const until = untilOf(lasting, millisOf(live.getState().frame));
    if (until === undefined) return;
    const order: Command = channel
      ? { verb: "channel", channel: channel.id, until }
      : { verb: "play", folder: music.id, shuffle, until };
    command.mutate(order, { onSuccess: () => onPlayed?.() });
  };
  return (
    <div className={css.all}>
      <div className={css.row}>
        <NativeSelect
          className={css.select}
          size="lg"
          aria-label={`Music for ${zone.name}`}
          data={channels.length > 0 ? groups(folders.data, channels) : folders.data.map(option)}
          value={music.id}
          onChange={(event) => setChosen(event.currentTarget.value)}
        />
        <Button
          size="lg"
          leftSection={<PlayIcon size={22} />}
          loading={command.isPending}
          disabled={lasting.choice === "at" && !lasting.time}
          aria-label={`Play in ${zone.name}`}
          onClick={play}
        >
          Play
        </Button>
      </div>
      {!plain && (
        <>
          <LastingFields
            open="Until the schedule goes on"
            label={`How long in ${zone.name}`}
            value={lasting}
            onChange={setLasting}
          />
          {!channel && <Check label="Shuffled" checked={shuffle} onChange={setShuffle} />}
        </>
      )}
    </div>
  );
}
