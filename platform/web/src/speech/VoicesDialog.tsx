/** How the voices of a provider sound. */

import { NativeSelect, Skeleton, Textarea } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { VoicePreview } from "../announcements/VoicePreview";
import { byLanguage } from "../announcements/voices";
import { api, body } from "../api/client";
import type { Provider } from "../api/types";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import css from "../ui/Page.module.css";

interface Props {
  provider: Provider;
  onClose: () => void;
}

/** What is heard here is kept, and paid once. */
export function VoicesDialog({ provider, onClose }: Props) {
  const [voice, setVoice] = useState("");
  const [text, setText] = useState("");
  const found = useQuery({
    queryKey: ["voices", provider.id],
    queryFn: async () => {
      const query = { provider: provider.id };
      return body(await api.GET("/api/v1/announcements/voices/", { params: { query } }));
    },
  });
  const voices = found.data?.results ?? [];
  const chosen = voices.some(({ id }) => id === voice) ? voice : (voices[0]?.id ?? "");
  return (
    <Dialog title={`Voices of ${provider.name}`} opened onClose={onClose}>
      <div className={css.form}>
        <Failure title="The voices cannot be listed" error={found.error} />
        {found.isPending && (
          <div role="status" aria-label="Loading: voices">
            <Skeleton height={56} />
          </div>
        )}
        {found.data && voices.length === 0 && (
          <p className={css.lead} role="alert">
            {found.data.silent?.length ? "It does not answer now: test it." : "It has no voice."}
          </p>
        )}
        {voices.length > 0 && (
          <>
            <NativeSelect
              label="Voice"
              data={byLanguage(voices)}
              value={chosen}
              onChange={(event) => setVoice(event.currentTarget.value)}
            />
            <Textarea
              label="What it says"
              description="Left empty, a sentence in its language."
              rows={2}
              maxLength={200}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
            <VoicePreview voice={chosen} text={text.trim()} provider={provider.id} />
          </>
        )}
      </div>
    </Dialog>
  );
}
