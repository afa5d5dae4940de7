/** A folder's order: by dragging, or by buttons and keys. */

import { Button, Skeleton } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body, tagOf } from "../api/client";
import { everyPage } from "../api/lists";
import type { Folder, Track } from "../api/types";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import css from "../ui/Page.module.css";
import { Sorted } from "../ui/Sorted";
import { useRefresh } from "./api";
import { moved } from "./folders";
import style from "./Library.module.css";

interface Props {
  folder: Folder;
  onClose: () => void;
}

/** Saved as a whole; refused if somebody else changed the folder meanwhile. */
export function ReorderDialog({ folder, onClose }: Props) {
  const found = useQuery({
    queryKey: ["tracks", "order", folder.id],
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    queryFn: async () => {
      const params = { path: { folder_id: folder.id } };
      const tag = tagOf(await api.GET("/api/v1/music/folders/{folder_id}/", { params }));
      const more = { folder_id: folder.id, ordering: "position" };
      const tracks = await everyPage<Track>(async (query) =>
        body(await api.GET("/api/v1/music/files/", { params: { query: { ...query, ...more } } })),
      );
      return { tag, tracks };
    },
  });
  return (
    <Dialog title={`Order of ${folder.name}`} opened onClose={onClose}>
      {found.data ? (
        <Ordered folder={folder} {...found.data} onClose={onClose} />
      ) : found.error ? (
        <Failure title="The tracks cannot be shown" error={found.error} />
      ) : (
        <Skeleton height={160} aria-label="Loading the tracks" />
      )}
    </Dialog>
  );
}

interface OrderedProps extends Props {
  tag: string;
  tracks: readonly Track[];
}

function Ordered({ folder, tag, tracks, onClose }: OrderedProps) {
  const [order, setOrder] = useState(tracks);
  const refresh = useRefresh();
  const save = useMutation({
    mutationFn: async () => {
      await api.POST("/api/v1/music/folders/{folder_id}/reorder/", {
        params: { path: { folder_id: folder.id }, header: { "If-Match": tag } },
        body: { track_ids: order.map(({ id }) => id) },
      });
    },
    onSuccess: () => {
      refresh();
      onClose();
    },
  });
  if (tracks.length === 0) return <p className={css.lead}>There is nothing in it yet.</p>;
  return (
    <div className={style.wide}>
      <p className={css.lead}>Drag a track, or press its arrows (Alt with an arrow key does the same).</p>
      <Failure title="The order was not saved" error={save.error} />
      <Sorted
        name="Order"
        items={order}
        keyOf={({ id }) => id}
        nameOf={({ title }) => title}
        onMove={(from, to) => setOrder(moved(order, from, to))}
      />
      <div className={css.actions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button loading={save.isPending} onClick={() => save.mutate()}>
          Save the order
        </Button>
      </div>
    </div>
  );
}
