/** Which folder an idle zone is to play. */

import { Button, NativeSelect, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { advice, asProblem } from "../api/problem";
import type { ZoneView } from "../api/types";
import { PlayIcon } from "../ui/icons";
import { useCommand } from "./commands";
import css from "./MusicChoice.module.css";

/** The folders that can be played. */
function useFolders() {
  return useQuery({
    queryKey: ["folders"],
    queryFn: async () =>
      body(
        await api.GET("/api/v1/music/folders/", { params: { query: { page_size: 200 } } }),
      ).results,
  });
}

/** A folder and a play button. */
export function MusicChoice({ zone }: { zone: ZoneView }) {
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
  const folder = chosen ?? folders.data[0]?.id ?? null;
  if (folder === null) {
    return <p className={css.none}>There is no music yet: a manager imports a folder first.</p>;
  }
  return (
    <div className={css.row}>
      <NativeSelect
        className={css.select}
        size="lg"
        aria-label={`Music for ${zone.name}`}
        data={folders.data.map(({ id, name }) => ({ value: id, label: name }))}
        value={folder}
        onChange={(event) => setChosen(event.currentTarget.value)}
      />
      <Button
        size="lg"
        leftSection={<PlayIcon size={22} />}
        loading={command.isPending}
        aria-label={`Play in ${zone.name}`}
        onClick={() => command.mutate({ verb: "play", folder, shuffle: false })}
      >
        Play
      </Button>
    </div>
  );
}
