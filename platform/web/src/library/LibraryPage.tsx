/** The library: folders, what is in them, and the way in for more. */

import { Button } from "@mantine/core";
import { useState } from "react";
import { api } from "../api/client";
import { advice, asProblem } from "../api/problem";
import type { Folder } from "../api/types";
import { count } from "../format";
import { navigate } from "../router";
import { useMay } from "../session/session";
import { tellDone } from "../ui/notify";
import { Page, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { Remove } from "../ui/Remove";
import { UploadList } from "../uploads/UploadList";
import { UploadPanel } from "../uploads/UploadPanel";
import { useFolders, useRefresh } from "./api";
import { FolderDialog } from "./FolderDialog";
import { addressOf, FolderNav } from "./FolderNav";
import { inOrder, pathOf } from "./folders";
import style from "./Library.module.css";
import { PlaylistDialog } from "./PlaylistDialog";
import { ReorderDialog } from "./ReorderDialog";
import { Tracks } from "./Tracks";

type Open = "make" | "change" | "remove" | "order" | "playlists" | null;

/** `/library` is the first folder, which is everything; `/library/ID` another one. */
export function LibraryPage({ path }: { path: string }) {
  const { folders, isPending, error, refetch } = useFolders("music");
  const wanted = path.split("/")[2] ?? "";
  const first = inOrder(folders)[0]?.folder;
  const folder = folders.find(({ id }) => id === wanted) ?? first ?? null;
  const mayWrite = useMay("music.write");
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const shelf = folder && !folder.rules ? folder : null;
  const problem = error && asProblem(error);
  return (
    <Page
      title="Library"
      wide
      action={mayWrite && <Button onClick={() => setOpen("make")}>New folder</Button>}
    >
      <div className={style.columns}>
        <Section title="Folders">
          {problem ? (
            <div className={css.failed} role="alert">
              <p>
                The folders cannot be listed. {problem.detail} {advice(problem)}
              </p>
              <Button variant="default" onClick={() => void refetch()}>
                Try again
              </Button>
            </div>
          ) : (
            <FolderNav
              folders={folders}
              pending={isPending}
              current={folder?.id ?? ""}
              mayWrite={mayWrite}
            />
          )}
        </Section>
        <div className={style.main}>
          {mayWrite && (
            <>
              <Section title="Add music">
                <UploadPanel
                  purpose="track"
                  folder={shelf?.id ?? ""}
                  where={shelf ? `“${shelf.name}”` : "the library, into no folder"}
                />
              </Section>
              <UploadList of="/api/v1/music/uploads/" />
            </>
          )}
          {!isPending && (
            <Section
              title={folder ? pathOf(folder.id, folders) : "All music"}
              lead={folder?.description}
              action={folder && <Actions folder={folder} mayWrite={mayWrite} onOpen={setOpen} />}
            >
              <Tracks key={folder?.id} folder={folder} folders={folders} mayWrite={mayWrite} />
            </Section>
          )}
        </div>
      </div>
      {(open === "make" || (open === "change" && folder)) && (
        <FolderDialog
          folder={open === "change" ? folder : null}
          folders={folders}
          inside={shelf?.id ?? ""}
          onClose={close}
          onSaved={({ id }) => {
            close();
            navigate(addressOf(id));
          }}
        />
      )}
      {open === "order" && folder && <ReorderDialog folder={folder} onClose={close} />}
      {open === "playlists" && folder && (
        <PlaylistDialog folder={folder} mayWrite={mayWrite} onClose={close} />
      )}
      {open === "remove" && folder && (
        <RemoveFolder folder={folder} folders={folders} onClose={close} />
      )}
    </Page>
  );
}

interface ActionsProps {
  folder: Folder;
  mayWrite: boolean;
  onOpen: (open: Open) => void;
}

function Actions({ folder, mayWrite, onOpen }: ActionsProps) {
  return (
    <div className={css.buttons}>
      <Button variant="default" onClick={() => onOpen("playlists")}>
        Playlists
      </Button>
      {mayWrite && !folder.rules && (
        <Button variant="default" onClick={() => onOpen("order")}>
          Order
        </Button>
      )}
      {mayWrite && (
        <Button variant="default" onClick={() => onOpen("change")}>
          Change the folder
        </Button>
      )}
      {mayWrite && !folder.is_system && (
        <Button variant="light" color="red" onClick={() => onOpen("remove")}>
          Remove the folder
        </Button>
      )}
    </div>
  );
}

interface RemoveProps {
  folder: Folder;
  folders: readonly Folder[];
  onClose: () => void;
}

function RemoveFolder({ folder: { id, name, rules, parent_id }, folders, onClose }: RemoveProps) {
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
        onClose();
        refresh();
        navigate(addressOf(parent_id ?? ""));
        tellDone("Removed", `The folder ${name} is gone; no track is.`);
      }}
    >
      The folder goes.{" "}
      {rules ? "What its rules chose stays where it is." : "Its tracks stay in the library, in no folder."}
      {inside > 0 && ` ${count(inside, "folder")} in it will be where it was.`}
    </Remove>
  );
}
