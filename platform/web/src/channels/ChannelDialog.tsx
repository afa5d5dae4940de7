/** Making a channel, or changing how it plays. */

import { Button, Textarea, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import type { Channel } from "../api/types";
import { Check } from "../ui/Check";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import css from "../ui/Page.module.css";
import { Radios } from "../ui/Radios";
import { useRefresh } from "./api";
import { type Manner, mannerOf, toBody, USUAL, wrongs } from "./manner";

interface Props {
  /** Null makes a new one. */
  channel: Channel | null;
  /** The version that is looked at; somebody else's change in between is not overwritten. */
  tag?: string;
  onClose: () => void;
  onSaved: (channel: Channel) => void;
}

const MODES = [
  { value: "rotated", label: "A rotation: mixed by weight, or in turns" },
  { value: "ordered", label: "A list: one line after another" },
] as const;

/** How far apart things are kept are wishes, and are said to be. */
export function ChannelDialog({ channel, tag, onClose, onSaved }: Props) {
  const [manner, setManner] = useState<Manner>(channel ? mannerOf(channel) : USUAL);
  const [tried, setTried] = useState(false);
  const refresh = useRefresh();
  const wrong = wrongs(manner);
  const save = useMutation({
    mutationFn: async () => {
      const given = toBody(manner);
      if (!channel) return body(await api.POST("/api/v1/channels/", { body: given }));
      const params = { path: { channel_id: channel.id }, header: tag ? { "If-Match": tag } : {} };
      return body(await api.PATCH("/api/v1/channels/{channel_id}/", { params, body: given }));
    },
    onSuccess: (saved) => {
      refresh();
      onSaved(saved);
    },
  });
  const change = (some: Partial<Manner>) => setManner({ ...manner, ...some });
  const field = (key: "crossfade" | "artist" | "title" | "again", label: string, description: string) => (
    <TextInput
      label={label}
      description={description}
      inputMode="decimal"
      value={manner[key]}
      error={tried && wrong[key]}
      onChange={(event) => change({ [key]: event.currentTarget.value })}
    />
  );
  return (
    <Dialog title={channel ? `Change ${channel.name}` : "New channel"} opened onClose={onClose}>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (Object.keys(wrong).length === 0) save.mutate();
        }}
      >
        <Failure title="Nothing was changed" error={save.error} />
        <TextInput
          label="Name"
          data-autofocus
          maxLength={255}
          value={manner.name}
          error={tried && wrong.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <Textarea
          label="Description"
          rows={2}
          maxLength={2000}
          value={manner.description}
          onChange={(event) => change({ description: event.currentTarget.value })}
        />
        <Radios
          legend="How its lines follow each other"
          data={MODES}
          value={manner.mode}
          onChange={(mode) => change({ mode })}
        />
        {manner.mode === "ordered" ? (
          <Check label="From the top again at its end" checked={manner.loop} onChange={(loop) => change({ loop })} />
        ) : (
          <Check
            label="Its pattern begins anew with each hour"
            checked={manner.hourly}
            onChange={(hourly) => change({ hourly })}
          />
        )}
        <div className={css.pair}>
          {field("crossfade", "Crossfade", "Seconds; 0 is gapless")}
          {field("again", "A track again after", "Hours; 0 does not ask")}
          {field("artist", "An artist again after", "Pieces of music")}
          {field("title", "A title again after", "Pieces of music")}
        </div>
        <p className={css.lead}>
          Distances are wishes: where there is too little music to keep them, music goes on.
        </p>
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            {channel ? "Save" : "Make the channel"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
