/** Preparing a message: its name, what is said, and how loud. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { everyPage } from "../api/lists";
import type { Announcement, EmergencyMessage } from "../api/types";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { Link } from "../ui/Link";
import { tellDone } from "../ui/notify";
import css from "../ui/Page.module.css";
import { useRefresh } from "./api";

interface Props {
  /** Null prepares one. */
  message: EmergencyMessage | null;
  onClose: () => void;
}

/** Speakers fetch it as soon as it is saved. */
export function MessageDialog({ message, onClose }: Props) {
  const [name, setName] = useState(message?.name ?? "");
  const [announcement, setAnnouncement] = useState(message?.announcement_id ?? "");
  const [volume, setVolume] = useState(String(message?.volume ?? 100));
  const [tried, setTried] = useState(false);
  const refresh = useRefresh();
  const found = useQuery({
    queryKey: ["announcements", "ready"],
    queryFn: () =>
      everyPage<Announcement>(async (query) =>
        body(
          await api.GET("/api/v1/announcements/", {
            params: { query: { ...query, state: "ready", ordering: "title" } },
          }),
        ),
      ),
  });
  const sounds = found.data ?? [];
  const chosen = announcement || (sounds[0]?.id ?? "");
  const loud = Number(volume);
  const wrongVolume = !Number.isInteger(loud) || loud < 1 || loud > 100;
  const save = useMutation({
    mutationFn: async () => {
      const given = { name: name.trim(), announcement_id: chosen, volume: loud };
      if (!message) return body(await api.POST("/api/v1/emergencies/messages/", { body: given }));
      return body(
        await api.PATCH("/api/v1/emergencies/messages/{message_id}/", {
          params: { path: { message_id: message.id }, header: { "If-Match": `"${message.version}"` } },
          body: given,
        }),
      );
    },
    onSuccess: (made) => {
      refresh();
      tellDone(message ? "Changed" : "Prepared", `${made.name}: speakers fetch it now.`);
      onClose();
    },
  });
  return (
    <Dialog title={message ? `Change ${message.name}` : "Prepare a message"} opened onClose={onClose}>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (name.trim() && chosen && !wrongVolume) save.mutate();
        }}
      >
        <Failure title="It was not saved" error={save.error ?? found.error} />
        <TextInput
          label="Name"
          description="What it is raised by: short, and clear in a hurry."
          placeholder="Evacuate"
          maxLength={200}
          value={name}
          error={tried && !name.trim() && "Give it a name."}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
        {found.isSuccess && sounds.length === 0 ? (
          <p className={css.lead} role="status">
            There is no announcement yet that could be said.{" "}
            <Link href="/announcements">Record or write one first.</Link>
          </p>
        ) : (
          <NativeSelect
            label="What is heard"
            description="It is repeated until the all-clear."
            data={sounds.map(({ id, title }) => ({ value: id, label: title }))}
            value={chosen}
            disabled={found.isPending}
            onChange={(event) => setAnnouncement(event.currentTarget.value)}
          />
        )}
        <TextInput
          label="Volume"
          description="From 1 to 100. The zones’ own volume and mute do not count."
          inputMode="numeric"
          value={volume}
          error={wrongVolume && "Write a number from 1 to 100."}
          onChange={(event) => setVolume(event.currentTarget.value)}
        />
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={chosen === ""}>
            {message ? "Save" : "Prepare it"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
