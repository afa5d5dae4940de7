/** One track of a list. */

import { ActionIcon } from "@mantine/core";
import type { Track } from "../api/types";
import { duration } from "../format";
import { RATE } from "../live/clock";
import { PreviewButton } from "../sound/PreviewButton";
import { MoreIcon } from "../ui/icons";
import css from "../ui/Page.module.css";
import { audioOf } from "./api";
import style from "./Library.module.css";
import { TrackCover } from "./TrackCover";

interface Props {
  track: Track;
  /** Null where nothing can be chosen. */
  chosen: boolean | null;
  onChosen: (chosen: boolean) => void;
  onOpen: () => void;
}

/** What it is, how long, and a way to hear it here. */
export function TrackRow({ track, chosen, onChosen, onOpen }: Props) {
  const { id, title, artist, album, duration_millis } = track;
  const length = duration((duration_millis / 1000) * RATE);
  return (
    <>
      {chosen !== null && (
        <label className={style.tick}>
          <input
            type="checkbox"
            aria-label={`Choose ${title}`}
            checked={chosen}
            onChange={(event) => onChosen(event.currentTarget.checked)}
          />
        </label>
      )}
      <div className={style.track}>
        <TrackCover track={track} />
        <div className={style.words}>
          <p className={css.name}>
            {title}
          </p>
          <p className={css.detail}>
            {[artist, album, length].filter(Boolean).join(" · ")}
          </p>
        </div>
      </div>
      <div className={css.buttons}>
        <PreviewButton source={audioOf(id)} name={title} />
        <ActionIcon
          size={44}
          radius="xl"
          variant="subtle"
          color="gray"
          aria-label={`Details of ${title}`}
          onClick={onOpen}
        >
          <MoreIcon />
        </ActionIcon>
      </div>
    </>
  );
}
