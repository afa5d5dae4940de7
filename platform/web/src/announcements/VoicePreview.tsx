/** How a voice sounds, before anything is made with it. */

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, body } from "../api/client";
import { silence, toggle, useHeard } from "../sound/preview";
import { Failure } from "../ui/Failure";

/** As much of the text as a preview says. */
const LONGEST = 200;

interface Props {
  voice: string;
  /** Empty for a sentence of the platform's own. */
  text: string;
  /** Who is asked first; empty for whoever has the voice. */
  provider?: string;
}

/** What was heard once is kept there: hearing it again costs nothing. */
export function VoicePreview({ voice, text, provider = "" }: Props) {
  const hear = useMutation({
    mutationFn: async () => {
      const sound: unknown = body(
        await api.POST("/api/v1/announcements/voices/preview/", {
          body: {
            voice,
            text: text.slice(0, LONGEST),
            ...(provider && { provider_id: provider }),
          },
          parseAs: "blob",
        }),
      );
      return sound instanceof Blob ? URL.createObjectURL(sound) : "";
    },
    onSuccess: (source) => toggle(source),
  });
  const source = hear.data ?? "";
  const { playing } = useHeard(source);
  useEffect(
    () => () => {
      if (!source) return;
      silence(source);
      URL.revokeObjectURL(source);
    },
    [source],
  );
  return (
    <>
      <Failure title="The voice cannot be heard" error={hear.error} />
      <Button
        variant="default"
        loading={hear.isPending}
        onClick={() => (playing ? silence(source) : hear.mutate())}
      >
        {playing ? "Stop" : "Hear the voice"}
      </Button>
    </>
  );
}
