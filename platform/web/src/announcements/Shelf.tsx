/** The announcements of a folder or of all of them: looked for, sorted, and what can be done. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import type { Announcement } from "../api/types";
import { FolderDialog } from "../library/FolderDialog";
import { useFolders } from "../library/api";
import { pathOf } from "../library/folders";
import { RemoveFolder } from "../library/RemoveFolder";
import { useMay } from "../session/session";
import { Listed, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { AnnouncementRow } from "./AnnouncementRow";
import { useAnnouncements, useRetry } from "./api";
import { FolderSelect } from "./ShelfFields";

const ORDERS = [
  { value: "-created_at", label: "Newest first" },
  { value: "created_at", label: "Oldest first" },
  { value: "title", label: "Title" },
];

export type Deed = "play" | "change" | "variants" | "remove";

interface Props {
  folder: string;
  onFolder: (folder: string) => void;
  mayWrite: boolean;
  mayPlay: boolean;
  onDeed: (what: Deed, announcement: Announcement) => void;
}

/** Folders can be changed here by whoever may change the library. */
export function Shelf({ folder, onFolder, mayWrite, mayPlay, onDeed }: Props) {
  const [search, setSearch] = useState("");
  const [settled] = useDebouncedValue(search.trim(), 250);
  const [ordering, setOrdering] = useState("-created_at");
  const [open, setOpen] = useState<"make" | "change" | "remove" | null>(null);
  const mayShelve = useMay("music.write");
  const { folders } = useFolders("announcement");
  const here = folders.find(({ id }) => id === folder) ?? null;
  const list = useAnnouncements({ search: settled, ordering, folder });
  const retry = useRetry();
  const close = () => setOpen(null);
  return (
    <Section
      title={here ? pathOf(here.id, folders) : "All announcements"}
      lead={here?.description}
      action={
        mayShelve && (
          <div className={css.buttons}>
            {here && (
              <>
                <Button variant="default" onClick={() => setOpen("change")}>
                  Change the folder
                </Button>
                <Button variant="light" color="red" onClick={() => setOpen("remove")}>
                  Remove the folder
                </Button>
              </>
            )}
            <Button variant="default" onClick={() => setOpen("make")}>
              New folder
            </Button>
          </div>
        )
      }
    >
      <div className={css.pair} role="search">
        <TextInput
          label="Search"
          type="search"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <FolderSelect label="Folder" none="All folders" folder={folder} onFolder={onFolder} />
        <NativeSelect
          label="Sorted by"
          data={ORDERS}
          value={ordering}
          onChange={(event) => setOrdering(event.currentTarget.value)}
        />
      </div>
      <Listed
        list={list}
        name="Announcements"
        empty={
          settled
            ? "Nothing here is called like that."
            : here
              ? "There is no announcement in this folder yet."
              : "There are no announcements yet."
        }
        keyOf={({ id }) => id}
        row={(announcement) => (
          <AnnouncementRow
            announcement={announcement}
            mayWrite={mayWrite}
            mayPlay={mayPlay}
            onRetry={() => retry.mutate(announcement)}
            onDeed={(what) => onDeed(what, announcement)}
          />
        )}
      />
      {(open === "make" || (open === "change" && here)) && (
        <FolderDialog
          type="announcement"
          folder={open === "change" ? here : null}
          folders={folders}
          inside={folder}
          onClose={close}
          onSaved={({ id }) => {
            close();
            onFolder(id);
          }}
        />
      )}
      {open === "remove" && here && (
        <RemoveFolder
          folder={here}
          folders={folders}
          onClose={close}
          onDone={() => {
            close();
            onFolder("");
          }}
        />
      )}
    </Section>
  );
}
