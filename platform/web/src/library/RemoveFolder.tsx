/** Removing a folder: what was in it stays. */

import { api } from "../api/client";
import type { Folder } from "../api/types";
import { count } from "../format";
import { tellDone } from "../ui/notify";
import { Remove } from "../ui/Remove";
import { useRefresh } from "./api";

interface Props {
  folder: Folder;
  folders: readonly Folder[];
  onClose: () => void;
  onDone: () => void;
}

const INSIDE: Record<Folder["type"], string> = {
  music: "Its tracks stay in the library, in no folder.",
  announcement: "Its announcements stay, in no folder.",
};

/** Says what becomes of its content first. */
export function RemoveFolder({ folder, folders, onClose, onDone }: Props) {
  const { id, name, rules, type } = folder;
  const refresh = useRefresh();
  const inside = folders.filter((one) => one.parent_id === id).length;
  return (
    <Remove
      title={`Remove ${name}?`}
      remove={async (force) => {
        const params = { path: { folder_id: id }, query: { force } };
        await api.DELETE("/api/v1/music/folders/{folder_id}/", { params });
      }}
      onClose={onClose}
      onDone={() => {
        refresh();
        tellDone("Removed", `The folder ${name} is gone; nothing that was in it is.`);
        onDone();
      }}
    >
      The folder goes. {rules ? "What its rules chose stays where it is." : INSIDE[type]}
      {inside > 0 && ` ${count(inside, "folder")} in it will be where it was.`}
    </Remove>
  );
}
