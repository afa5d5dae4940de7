/** The folders of the library as a tree to go through, and to put in another order by dragging. */

import { NativeSelect, Skeleton } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type DragEvent, useState } from "react";
import { api } from "../api/client";
import type { Folder } from "../api/types";
import { navigate } from "../router";
import { FolderIcon, MusicIcon, SmartIcon } from "../ui/icons";
import { Link } from "../ui/Link";
import { tellProblem } from "../ui/notify";
import { useRefresh } from "./api";
import { inOrder, options, parents } from "./folders";
import css from "./Library.module.css";

interface Props {
  folders: readonly Folder[];
  pending: boolean;
  current: string;
  mayWrite: boolean;
}

/** The address of a folder. */
export function addressOf(folder: string): string {
  return folder ? `/library/${folder}` : "/library";
}

/** A tree where there is room, a field to choose from on a phone. */
export function FolderNav({ folders, pending, current, mayWrite }: Props) {
  const [dragged, setDragged] = useState<Folder | null>(null);
  const refresh = useRefresh();
  const move = useMutation({
    mutationFn: async ({ id, into }: { id: string; into: string | null }) => {
      const params = { path: { folder_id: id } };
      await api.PATCH("/api/v1/music/folders/{folder_id}/", { params, body: { parent_id: into } });
    },
    onSettled: refresh,
    onError: (error) => tellProblem("The folder was not moved", error),
  });
  if (pending) return <Skeleton height={132} radius="md" aria-label="Loading the folders" />;
  const open = new Set(dragged ? parents(dragged.id, folders).map(({ id }) => id) : []);
  const onto = (into: string | null) => ({
    onDragOver: (event: DragEvent) => event.preventDefault(),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      if (dragged && (dragged.parent_id ?? null) !== into) move.mutate({ id: dragged.id, into });
      setDragged(null);
    },
  });
  return (
    <nav aria-label="Folders">
      <ul className={css.tree}>
        {inOrder(folders).map(({ folder, depth }) => (
          <li
            key={folder.id}
            style={{ paddingInlineStart: depth * 18 }}
            draggable={mayWrite && !folder.is_system}
            data-open={open.has(folder.id) || undefined}
            onDragStart={() => setDragged(folder)}
            onDragEnd={() => setDragged(null)}
            {...(open.has(folder.id) && onto(folder.id))}
          >
            <Link
              href={addressOf(folder.id)}
              className={css.folder}
              draggable={false}
              aria-current={current === folder.id ? "page" : undefined}
            >
              <Sign folder={folder} />
              <span>{folder.name}</span>
              {folder.tracks != null && <span>{folder.tracks}</span>}
            </Link>
          </li>
        ))}
        {dragged?.parent_id && (
          <li className={css.outermost} data-open {...onto(null)}>
            Out of every folder
          </li>
        )}
      </ul>
      <NativeSelect
        className={css.pick}
        label="Folder"
        data={options(folders)}
        value={current}
        onChange={(event) => navigate(addressOf(event.currentTarget.value))}
      />
    </nav>
  );
}

function Sign({ folder }: { folder: Folder }) {
  if (folder.is_system) return <MusicIcon size={20} />;
  return folder.rules ? <SmartIcon size={20} /> : <FolderIcon size={20} />;
}
