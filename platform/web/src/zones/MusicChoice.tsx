/** Which folder a zone is to play. */

import { Button, NativeSelect, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { advice, asProblem } from "../api/problem";
import type { ZoneView } from "../api/types";
import { count } from "../format";
import { PlayIcon } from "../ui/icons";
import { useCommand } from "./commands";
import css from "./MusicChoice.module.css";

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

interface Props {
  zone: ZoneView;
  onPlayed?: () => void;
}

/** A folder and a play button. */
export function MusicChoice({ zone, onPlayed }: Props) {
  const folders = useFolders();
  const command = useCommand(zone);
  const [chosen, setChosen] = useState<string | null>(null);
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
  if (!folder) {
    return <p className={css.none}>There is no music yet: a manager imports a folder first.</p>;
  }
  return (
    <div className={css.row}>
      <NativeSelect
        className={css.select}
        size="lg"
        aria-label={`Music for ${zone.name}`}
        data={folders.data.map(({ id, name, tracks }) => ({
          value: id,
          label: tracks == null ? name : `${name} (${count(tracks, "track")})`,
        }))}
        value={folder.id}
        onChange={(event) => setChosen(event.currentTarget.value)}
      />
      <Button
        size="lg"
        leftSection={<PlayIcon size={22} />}
        loading={command.isPending}
        aria-label={`Play in ${zone.name}`}
        onClick={() =>
          command.mutate(
            { verb: "play", folder: folder.id },
            { onSuccess: () => onPlayed?.() },
          )
        }
      >
        Play
      </Button>
    </div>
  );
}
