/** Changing several tracks together: only what is filled in changes. */

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import type { Folder, Track } from "../api/types";
import { count } from "../format";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { tellDone } from "../ui/notify";
import css from "../ui/Page.module.css";
import { inPieces, useRefresh } from "./api";
import { BLANK, changeOf } from "./draft";
import style from "./Library.module.css";
import { TrackFields } from "./TrackFields";

interface Props {
  tracks: readonly Track[];
  folders: readonly Folder[];
  onClose: () => void;
  onDone: () => void;
}

/** What is left empty stays as it is. */
export function BulkDialog({ tracks, folders, onClose, onDone }: Props) {
  const [draft, setDraft] = useState(BLANK);
  const refresh = useRefresh();
  const changes = changeOf(draft, BLANK);
  const nothing = Object.keys(changes).length === 0;
  const save = useMutation({
    mutationFn: () =>
      inPieces(tracks, async (track_ids) => {
        await api.POST("/api/v1/music/files/bulk/", { body: { track_ids, changes } });
      }),
    onSettled: refresh,
    onSuccess: () => {
      tellDone("Changed", count(tracks.length, "track"));
      onDone();
    },
  });
  return (
    <Dialog title={`Change ${count(tracks.length, "track")}`} opened onClose={onClose}>
      <form
        className={style.wide}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!nothing) save.mutate();
        }}
      >
        <p className={css.lead}>What is left empty stays as it is in each track.</p>
        <Failure title="They were not changed" error={save.error} />
        <TrackFields draft={draft} onChange={setDraft} folders={folders} many />
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={nothing} loading={save.isPending}>
            Change them
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
