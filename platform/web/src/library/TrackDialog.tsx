/** A track in detail: how it sounds and looks, and what people call it. */

import { Button, Skeleton, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, body, tagOf } from "../api/client";
import type { Folder, Track } from "../api/types";
import { count, day } from "../format";
import { silence } from "../sound/preview";
import { PreviewButton } from "../sound/PreviewButton";
import { Waveform } from "../sound/Waveform";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import css from "../ui/Page.module.css";
import { audioOf, useRefresh } from "./api";
import { CoverField } from "./CoverField";
import { changeOf, draftOf } from "./draft";
import style from "./Library.module.css";
import { TrackFields } from "./TrackFields";

interface Props {
  id: string;
  folders: readonly Folder[];
  mayWrite: boolean;
  onClose: () => void;
  onRemove: () => void;
}

/** Read anew when it opens: what is changed is what is there now. */
export function TrackDialog({ id, folders, mayWrite, onClose, onRemove }: Props) {
  const queries = useQueryClient();
  const key = ["tracks", "one", id];
  const found = useQuery({
    queryKey: key,
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    queryFn: async () => {
      const answer = await api.GET("/api/v1/music/files/{track_id}/", {
        params: { path: { track_id: id } },
      });
      return { track: body(answer), tag: tagOf(answer) };
    },
  });
  const track = found.data?.track;
  useEffect(() => () => silence(audioOf(id)), [id]);
  return (
    <Dialog title={track?.title ?? "Track"} opened onClose={onClose}>
      {!found.data && !found.error && <Skeleton height={240} aria-label="Loading the track" />}
      <Failure title="The track cannot be shown" error={found.error} />
      {found.data && track && (
        <div className={style.wide}>
          <Sound track={track} />
          {mayWrite && (
            <>
              <CoverField
                of="files"
                id={id}
                name={track.title}
                cover={track.cover_id}
                onChanged={() => void queries.invalidateQueries({ queryKey: key })}
              />
              <Words
                key={found.data.tag}
                track={track}
                tag={found.data.tag}
                folders={folders}
                onClose={onClose}
                onRemove={onRemove}
              />
            </>
          )}
          <p className={css.lead}>
            {track.filename} · played {count(track.play_count, "time")}
            {track.last_played_at && `, last on ${day(track.last_played_at)}`}
          </p>
        </div>
      )}
    </Dialog>
  );
}

function Sound({ track }: { track: Track }) {
  const peaks = useQuery({
    queryKey: ["peaks", track.sha256],
    staleTime: Infinity,
    queryFn: async () => {
      const params = { path: { track_id: track.id } };
      return body(await api.GET("/api/v1/music/files/{track_id}/peaks/", { params })).peaks;
    },
  });
  const source = audioOf(track.id);
  return (
    <div className={style.listen}>
      <PreviewButton source={source} name={track.title} />
      <Waveform
        source={source}
        name={track.title}
        peaks={peaks.data ?? []}
        length={track.duration_millis / 1000}
      />
    </div>
  );
}

interface WordsProps {
  track: Track;
  tag: string;
  folders: readonly Folder[];
  onClose: () => void;
  onRemove: () => void;
}

function Words({ track, tag, folders, onClose, onRemove }: WordsProps) {
  const before = draftOf(track);
  const [draft, setDraft] = useState(before);
  const [missing, setMissing] = useState(false);
  const refresh = useRefresh();
  const save = useMutation({
    mutationFn: async () => {
      await api.PATCH("/api/v1/music/files/{track_id}/", {
        params: { path: { track_id: track.id }, header: { "If-Match": tag } },
        body: changeOf(draft, before),
      });
    },
    onSuccess: () => {
      refresh();
      onClose();
    },
  });
  return (
    <form
      className={style.wide}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setMissing(!draft.title.trim());
        if (draft.title.trim()) save.mutate();
      }}
    >
      <Failure title="Nothing was changed" error={save.error} />
      <TextInput
        label="Title"
        maxLength={255}
        value={draft.title}
        error={missing && "Give it a title."}
        onChange={(event) => setDraft({ ...draft, title: event.currentTarget.value })}
      />
      <TrackFields draft={draft} onChange={setDraft} folders={folders} />
      <div className={css.actions}>
        <Button variant="light" color="red" onClick={onRemove}>
          Remove the track
        </Button>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending}>
          Save
        </Button>
      </div>
    </form>
  );
}
