/** One announcement of the list. */

import { Button } from "@mantine/core";
import type { Announcement } from "../api/types";
import { day, duration } from "../format";
import { RATE } from "../live/clock";
import { PreviewButton } from "../sound/PreviewButton";
import { VoiceIcon } from "../ui/icons";
import { Row } from "../ui/Page";
import css from "../ui/Page.module.css";
import row from "./AnnouncementRow.module.css";
import { audioOf } from "./api";
import type { Deed } from "./Shelf";

interface Props {
  announcement: Announcement;
  mayWrite: boolean;
  mayPlay: boolean;
  onRetry: () => void;
  onDeed: (what: Deed) => void;
}

const STATE: Record<Announcement["state"], string> = {
  rendering: "is being spoken",
  ready: "",
  failed: "not spoken",
};

/** What it says, how long, who speaks, and what can be done. */
export function AnnouncementRow(props: Props) {
  const { announcement, mayWrite, mayPlay, onRetry, onDeed } = props;
  const { id, title, text, state, failure, duration_millis, created_at } = announcement;
  const ready = state === "ready";
  const facts = [
    ready && duration((duration_millis / 1000) * RATE),
    whoSpeaks(announcement),
    day(created_at),
  ];
  return (
    <Row
      title={
        <>
          {title}
          {STATE[state] && <span className={css.tag}>{STATE[state]}</span>}
        </>
      }
      detail={
        <>
          {facts.filter(Boolean).join(" · ")}
          {text && text !== title && (
            <>
              <br />
              {text.length > 160 ? `${text.slice(0, 160)}…` : text}
            </>
          )}
          {failure && (
            <>
              <br />
              {failure}
            </>
          )}
        </>
      }
    >
      {(ready || (mayWrite && state === "failed")) && (
        <div className={row.main}>
          {ready && <PreviewButton source={audioOf(id)} name={title} />}
          {ready && mayPlay && (
            <Button
              leftSection={<VoiceIcon size={18} />}
              aria-label={`Play ${title} now`}
              onClick={() => onDeed("play")}
            >
              Play now
            </Button>
          )}
          {mayWrite && state === "failed" && (
            <Button aria-label={`Try ${title} again`} onClick={onRetry}>
              Try again
            </Button>
          )}
        </div>
      )}
      {mayWrite && (
        <div className={row.minor}>
          <Button
            variant="default"
            aria-label={`Change ${title}`}
            onClick={() => onDeed("change")}
          >
            Change
          </Button>
          <Button
            variant="default"
            aria-label={`Variants of ${title}`}
            onClick={() => onDeed("variants")}
          >
            Variants
          </Button>
          <Button
            variant="light"
            color="red"
            aria-label={`Remove ${title}`}
            onClick={() => onDeed("remove")}
          >
            Remove
          </Button>
        </div>
      )}
    </Row>
  );
}

/** Who is heard; not always who was asked for. */
function whoSpeaks(announcement: Announcement): string {
  const { is_tts, is_recording, voice, spoken_voice, spoken_provider } = announcement;
  if (!is_tts) return is_recording ? "recorded here" : "a file";
  const heard = [spoken_voice || voice, spoken_provider].filter(Boolean).join(", ");
  const other = voice && spoken_voice && voice !== spoken_voice ? ` instead of ${voice}` : "";
  return heard ? `spoken by ${heard}${other}` : "spoken by a voice";
}
