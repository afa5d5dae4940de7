/** The library: folders, what is in them, and the way in for more. */

import { Button } from "@mantine/core";
import { useState } from "react";
import { advice, asProblem } from "../api/problem";
import type { Folder } from "../api/types";
import { navigate } from "../router";
import { useMay } from "../session/session";
import { Page, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { UploadList } from "../uploads/UploadList";
import { UploadPanel } from "../uploads/UploadPanel";
import { useFolders } from "./api";
import { FolderDialog } from "./FolderDialog";
import { addressOf, FolderNav } from "./FolderNav";
import { inOrder, pathOf } from "./folders";
import style from "./Library.module.css";
import { PlaylistDialog } from "./PlaylistDialog";
import { RemoveFolder } from "./RemoveFolder";
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
        <RemoveFolder
          folder={folder}
          folders={folders}
          onClose={close}
          onDone={() => {
            close();
            navigate(addressOf(folder.parent_id ?? ""));
          }}
        />
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
