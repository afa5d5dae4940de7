/** A folder as a playlist for other programs, and other programs' playlists into it. */

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useRef } from "react";
import { send } from "../api/client";
import type { Folder, Playlist } from "../api/types";
import { count } from "../format";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import css from "../ui/Page.module.css";
import { useRefresh } from "./api";

interface Props {
  folder: Folder;
  mayWrite: boolean;
  onClose: () => void;
}

const OUTCOMES = { matched: "found", ambiguous: "may be several tracks", missing: "not here" };

/** What a playlist names is looked for here: no file is sent with it, and none is opened. */
export function PlaylistDialog({ folder, mayWrite, onClose }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const refresh = useRefresh();
  const path = `/api/v1/music/folders/${folder.id}`;
  const read = useMutation({
    mutationFn: async (file: File) => {
      const answer = await send(`${path}/import/`, "POST", file, "application/octet-stream");
      return (await answer.json()) as Playlist;
    },
    onSuccess: refresh,
  });
  const left = read.data?.results.filter(({ outcome }) => outcome !== "matched") ?? [];
  return (
    <Dialog title={`Playlists of ${folder.name}`} opened onClose={onClose}>
      <div className={css.form}>
        <p className={css.lead}>Take the folder along as a playlist: names of files, no music.</p>
        <div className={css.buttons}>
          <Button component="a" variant="default" href={`${path}/export/?format=m3u8`} download>
            Save as M3U8
          </Button>
          <Button component="a" variant="default" href={`${path}/export/?format=xspf`} download>
            Save as XSPF
          </Button>
        </div>
        {mayWrite && !folder.rules && (
          <>
            <p className={css.lead}>
              Or read one: the tracks that it names, and that are in the library, come to the end of the
              folder.
            </p>
            <Failure title="The playlist was not read" error={read.error} />
            <div className={css.buttons}>
              <Button loading={read.isPending} onClick={() => input.current?.click()}>
                Read a playlist
              </Button>
            </div>
            <input
              ref={input}
              type="file"
              accept=".m3u8,.m3u,.xspf"
              aria-label="Playlist"
              hidden
              onChange={(event) => {
                const file = event.currentTarget.files?.[0];
                event.currentTarget.value = "";
                if (file) read.mutate(file);
              }}
            />
            <div role="status" aria-label="What was read">
              {read.data && (
                <p>
                  {read.data.matched} of {count(read.data.results.length, "line")} found.
                </p>
              )}
            </div>
            {left.length > 0 && (
              <ul className={css.list} aria-label="Not found">
                {left.slice(0, 200).map(({ line, name, outcome }) => (
                  <li key={line} className={css.detail}>
                    Line {line}: {name}: {OUTCOMES[outcome]}
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </div>
    </Dialog>
  );
}
