/** Making an announcement from a text, or changing one. */

import { Button, NativeSelect, Textarea } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body, tagOf } from "../api/client";
import type { Announcement } from "../api/types";
import { Check } from "../ui/Check";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { tellDone } from "../ui/notify";
import css from "../ui/Page.module.css";
import { useRefresh, useVoices } from "./api";
import { MannerFields } from "./MannerFields";
import { mannerOf, toManner, USUAL } from "./manner";
import { ShelfFields } from "./ShelfFields";
import { VoicePreview } from "./VoicePreview";
import { byLanguage } from "./voices";

export const LONGEST = 5000;

interface Props {
  /** Null makes a new one. */
  announcement: Announcement | null;
  /** The folder of a new one. */
  inside: string;
  onClose: () => void;
}

/** What is recorded has only a title to change. */
export function TextDialog({ announcement, inside, onClose }: Props) {
  const spoken = announcement?.is_tts ?? true;
  const [title, setTitle] = useState(announcement?.title ?? "");
  const [text, setText] = useState(announcement?.text ?? "");
  const [folder, setFolder] = useState(announcement ? (announcement.folder_id ?? "") : inside);
  const [voice, setVoice] = useState(announcement?.voice ?? "");
  const [ssml, setSsml] = useState(announcement?.ssml ?? false);
  const [manner, setManner] = useState(announcement ? mannerOf(announcement) : USUAL);
  const [wrong, setWrong] = useState("");
  const refresh = useRefresh();
  const voices = useVoices();
  const version = useQuery({
    queryKey: ["announcements", "one", announcement?.id],
    enabled: announcement !== null,
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    queryFn: async () => {
      const path = { announcement_id: announcement?.id ?? "" };
      return tagOf(await api.GET("/api/v1/announcements/{announcement_id}/", { params: { path } }));
    },
  });
  const save = useMutation({
    mutationFn: async () => {
      const named = { title: title.trim(), folder_id: folder || null, ...toManner(manner) };
      if (!announcement) {
        const given = { text: text.trim(), voice, ssml, ...named };
        return body(await api.POST("/api/v1/announcements/tts/", { body: given }));
      }
      const change = spoken ? { ...named, text: text.trim(), voice, ssml } : named;
      return body(
        await api.PATCH("/api/v1/announcements/{announcement_id}/", {
          params: {
            path: { announcement_id: announcement.id },
            header: { "If-Match": version.data ?? null },
          },
          body: change,
        }),
      );
    },
    onSuccess: (made) => {
      refresh();
      const done = announcement ? "Changed" : "Made";
      tellDone(made.state === "rendering" ? "It is being spoken" : done, made.title);
      onClose();
    },
  });
  return (
    <Dialog
      title={announcement ? `Change ${announcement.title}` : "Announcement from a text"}
      opened
      onClose={onClose}
    >
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const obstacle = whyNot(spoken, text, title, announcement !== null);
          setWrong(obstacle);
          if (!obstacle) save.mutate();
        }}
      >
        <Failure title="Nothing was changed" error={save.error} />
        {spoken && (
          <Textarea
            label="Text"
            placeholder="Dear customers, …"
            rows={5}
            value={text}
            error={wrong}
            onChange={(event) => setText(event.currentTarget.value)}
            data-autofocus
          />
        )}
        <ShelfFields
          title={title}
          folder={folder}
          hint={announcement ? undefined : "Left empty, it is how the text begins."}
          error={!spoken && wrong}
          onTitle={setTitle}
          onFolder={setFolder}
        />
        {spoken && (
          <>
            <NativeSelect
              label="Voice"
              data={[{ value: "", label: "The usual one" }, ...byLanguage(voices)]}
              value={voice}
              onChange={(event) => setVoice(event.currentTarget.value)}
            />
            {voice && <VoicePreview voice={voice} text={ssml ? "" : text.trim()} />}
            <Check label="The text is SSML" checked={ssml} onChange={setSsml} />
          </>
        )}
        <MannerFields value={manner} onChange={setManner} />
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending || version.isLoading}>
            {announcement ? "Save" : "Make it"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function whyNot(spoken: boolean, text: string, title: string, named: boolean): string {
  if (spoken && !text.trim()) return "Write what is to be said.";
  if (spoken && text.length > LONGEST) {
    return `Shorten it: at most ${LONGEST.toLocaleString("en")} characters.`;
  }
  return named && !title.trim() ? "Give it a title." : "";
}
