/** A picture for every item, made from its hash: the same track always looks the same. */

import type { Segment } from "../api/types";
import { MusicIcon, VoiceIcon } from "../ui/icons";
import css from "./Cover.module.css";

interface Props {
  segment: Segment | null;
  moving: boolean;
}

/** Decoration only: nothing here that the words beside it do not say. */
export function Cover({ segment, moving }: Props) {
  if (!segment) {
    return (
      <div className={css.cover} aria-hidden="true">
        <MusicIcon size={30} />
      </div>
    );
  }
  if (segment.role !== "music") {
    return (
      <div className={css.cover} data-role={segment.role} aria-hidden="true">
        <VoiceIcon size={38} />
      </div>
    );
  }
  const seed = Number.parseInt(segment.sha256.slice(-6), 16) || 0;
  return (
    <div
      className={css.cover}
      data-role="music"
      aria-hidden="true"
      style={{
        "--hue": seed % 360,
        "--turn": `${(seed >> 4) % 360}deg`,
        "--x": `${20 + ((seed >> 8) % 60)}%`,
        "--y": `${20 + ((seed >> 12) % 60)}%`,
      }}
    >
      <span className={css.bars} data-moving={moving || undefined}>
        <i />
        <i />
        <i />
        <i />
      </span>
    </div>
  );
}
