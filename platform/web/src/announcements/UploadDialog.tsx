/** Announcements that are files already: chosen here, followed on the page. */

import { useState } from "react";
import { useFolders } from "../library/api";
import { pathOf } from "../library/folders";
import { Dialog } from "../ui/Dialog";
import css from "../ui/Page.module.css";
import { UploadPanel } from "../uploads/UploadPanel";
import { FolderSelect } from "./ShelfFields";

interface Props {
  /** The folder that is looked at. */
  inside: string;
  onClose: () => void;
}

/** Closes as soon as files were chosen: the page shows how far they are. */
export function UploadDialog({ inside, onClose }: Props) {
  const [folder, setFolder] = useState(inside);
  const { folders } = useFolders("announcement");
  return (
    <Dialog title="Add announcements that are files" opened onClose={onClose}>
      <div className={css.list}>
        <div className={css.form}>
          <FolderSelect label="Into" none="No folder" folder={folder} onFolder={setFolder} />
          <UploadPanel
            purpose="announcement"
            folder={folder}
            where={folder ? `“${pathOf(folder, folders)}”` : "the announcements, into no folder"}
            onTaken={onClose}
          />
        </div>
      </div>
    </Dialog>
  );
}
