/** Announcements: found, listened to, made, and let sound at once. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { api } from "../api/client";
import type { Announcement } from "../api/types";
import { useIsLive } from "../live/context";
import { useMay } from "../session/session";
import { tellDone } from "../ui/notify";
import { Listed, Page, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { Remove } from "../ui/Remove";
import { AnnouncementRow } from "./AnnouncementRow";
import { useAnnouncements, useRefresh, useRetry } from "./api";
import { PlayDialog } from "./PlayDialog";
import { Templates } from "./Templates";
import { TextDialog } from "./TextDialog";

const ORDERS = [
  { value: "-created_at", label: "Newest first" },
  { value: "created_at", label: "Oldest first" },
  { value: "title", label: "Title" },
];

type Open =
  | { readonly what: "make" }
  | { readonly what: "change" | "play" | "remove"; readonly announcement: Announcement }
  | null;

/** Whoever may only announce sees the list and its play buttons. */
export function AnnouncementsPage() {
  const live = useIsLive();
  const mayWrite = useMay("announcements.write");
  const mayPlay = useMay("announce.now") && live;
  const [open, setOpen] = useState<Open>(null);
  const [search, setSearch] = useState("");
  const [settled] = useDebouncedValue(search.trim(), 250);
  const [ordering, setOrdering] = useState("-created_at");
  const list = useAnnouncements({ search: settled, ordering });
  const retry = useRetry();
  const close = () => setOpen(null);
  return (
    <Page
      title="Announcements"
      action={
        mayWrite && (
          <Button onClick={() => setOpen({ what: "make" })}>From a text</Button>
        )
      }
    >
      <Section title="All announcements">
        <div className={css.pair} role="search">
          <TextInput
            label="Search"
            type="search"
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
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
          empty={settled ? "Nothing is called like that." : "There are no announcements yet."}
          keyOf={({ id }) => id}
          row={(announcement) => (
            <AnnouncementRow
              announcement={announcement}
              mayWrite={mayWrite}
              mayPlay={mayPlay}
              onPlay={() => setOpen({ what: "play", announcement })}
              onRetry={() => retry.mutate(announcement)}
              onChange={() => setOpen({ what: "change", announcement })}
              onRemove={() => setOpen({ what: "remove", announcement })}
            />
          )}
        />
      </Section>
      <Templates mayWrite={mayWrite} mayPlay={mayPlay} />
      {open?.what === "make" && <TextDialog announcement={null} onClose={close} />}
      {open?.what === "change" && <TextDialog announcement={open.announcement} onClose={close} />}
      {open?.what === "play" && <PlayDialog announcement={open.announcement} onClose={close} />}
      {open?.what === "remove" && <RemoveAnnouncement announcement={open.announcement} onClose={close} />}
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
