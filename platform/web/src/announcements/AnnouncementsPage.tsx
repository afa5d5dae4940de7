/** Announcements: found, listened to, made, and let sound at once. */

import { Button } from "@mantine/core";
import { useState } from "react";
import { api } from "../api/client";
import type { Announcement } from "../api/types";
import { useIsLive } from "../live/context";
import { useMay } from "../session/session";
import { MicrophoneIcon } from "../ui/icons";
import { tellDone } from "../ui/notify";
import { Page } from "../ui/Page";
import css from "../ui/Page.module.css";
import { Remove } from "../ui/Remove";
import { UploadList } from "../uploads/UploadList";
import { AnnouncementPages } from "./AnnouncementPages";
import { useRefresh } from "./api";
import { PlayDialog } from "./PlayDialog";
import { RecordDialog } from "./RecordDialog";
import { type Deed, Shelf } from "./Shelf";
import { Templates } from "./Templates";
import { TextDialog } from "./TextDialog";
import { UploadDialog } from "./UploadDialog";
import { VariantsDialog } from "./VariantsDialog";

type Open =
  | { readonly what: "make" | "record" | "add" }
  | { readonly what: Deed; readonly announcement: Announcement }
  | null;

/** Whoever may only announce sees the list and its play buttons. */
export function AnnouncementsPage() {
  const live = useIsLive();
  const mayWrite = useMay("announcements.write");
  const mayPlay = useMay("announce.now") && live;
  const [open, setOpen] = useState<Open>(null);
  const [folder, setFolder] = useState("");
  const close = () => setOpen(null);
  return (
    <Page
      title="Announcements"
      action={
        mayWrite && (
          <div className={css.buttons}>
            <Button
              variant="default"
              leftSection={<MicrophoneIcon size={18} />}
              onClick={() => setOpen({ what: "record" })}
            >
              Record
            </Button>
            <Button variant="default" onClick={() => setOpen({ what: "add" })}>
              Add files
            </Button>
            <Button onClick={() => setOpen({ what: "make" })}>From a text</Button>
          </div>
        )
      }
    >
      <AnnouncementPages />
      {mayWrite && <UploadList of="/api/v1/announcements/uploads/" />}
      <Shelf
        folder={folder}
        onFolder={setFolder}
        mayWrite={mayWrite}
        mayPlay={mayPlay}
        onDeed={(what, announcement) => setOpen({ what, announcement })}
      />
      <Templates mayWrite={mayWrite} mayPlay={mayPlay} />
      {open?.what === "make" && <TextDialog announcement={null} inside={folder} onClose={close} />}
      {open?.what === "record" && <RecordDialog inside={folder} onClose={close} />}
      {open?.what === "add" && <UploadDialog inside={folder} onClose={close} />}
      {open?.what === "change" && (
        <TextDialog announcement={open.announcement} inside="" onClose={close} />
      )}
      {open?.what === "play" && <PlayDialog announcement={open.announcement} onClose={close} />}
      {open?.what === "variants" && (
        <VariantsDialog message={open.announcement} onClose={close} />
      )}
      {open?.what === "remove" && (
        <RemoveAnnouncement announcement={open.announcement} onClose={close} />
      )}
    </Page>
  );
}

interface RemoveProps {
  announcement: Announcement;
  onClose: () => void;
}

function RemoveAnnouncement({ announcement, onClose }: RemoveProps) {
  const refresh = useRefresh();
  return (
    <Remove
      title={`Remove ${announcement.title}?`}
      remove={async (force) => {
        const params = { path: { announcement_id: announcement.id }, query: { force } };
        await api.DELETE("/api/v1/announcements/{announcement_id}/", { params });
      }}
      onClose={onClose}
      onDone={() => {
        refresh();
        tellDone("Removed", announcement.title);
        onClose();
      }}
    >
      What sounds at this moment ends as it is. The announcement cannot be played any more.
    </Remove>
  );
}
