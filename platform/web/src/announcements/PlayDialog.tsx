/** Letting an announcement sound at once: where, how, and then who heard it. */

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import type { Announcement } from "../api/types";
import { count } from "../format";
import { Check } from "../ui/Check";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { VoiceIcon } from "../ui/icons";
import css from "../ui/Page.module.css";
import { AT_ONCE, toPatience } from "./patience";
import { PatienceFields } from "./PatienceFields";
import { PlaceChoice } from "./PlaceChoice";
import { Started } from "./Started";
import { useTargets } from "./useTargets";

interface Props {
  announcement: Announcement;
  onClose: () => void;
}

/** Stays open afterwards, with what became of it. */
export function PlayDialog({ announcement, onClose }: Props) {
  const { zones, places } = useTargets();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [softly, setSoftly] = useState(false);
  const [urgent, setUrgent] = useState(false);
  const [patience, setPatience] = useState(AT_ONCE);
  const play = useMutation({
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/announcements/{announcement_id}/play-instant/", {
          params: { path: { announcement_id: announcement.id } },
          body: {
            zone_ids: [...chosen],
            mode: softly ? "duck" : "pause",
            priority: urgent ? 90 : 50,
            ...toPatience(patience),
          },
        }),
      ),
  });
  return (
    <Dialog title={`Play ${announcement.title}`} opened onClose={onClose}>
      {play.data ? (
        <Started plays={play.data.plays} onClose={onClose} />
      ) : (
        <form
          className={css.form}
          onSubmit={(event) => {
            event.preventDefault();
            if (chosen.size > 0) play.mutate();
          }}
        >
          <Failure title="It was not sent" error={play.error} />
          <PlaceChoice zones={zones} places={places} chosen={chosen} onChange={setChosen} />
          <Check label="Music goes on softly meanwhile" checked={softly} onChange={setSoftly} />
          <Check label="Before others that wait" checked={urgent} onChange={setUrgent} />
          <PatienceFields value={patience} onChange={setPatience} />
          <Button
            type="submit"
            size="lg"
            leftSection={<VoiceIcon />}
            disabled={chosen.size === 0}
            loading={play.isPending}
          >
            {chosen.size === 0 ? "Choose where" : `Play it in ${count(chosen.size, "zone")}`}
          </Button>
        </form>
      )}
    </Dialog>
  );
}
