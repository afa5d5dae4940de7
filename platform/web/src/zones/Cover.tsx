/** A picture for every item, made from its hash: the same track always looks the same. */

import type { Sounding } from "../live/sounding";
import { MusicIcon, VoiceIcon } from "../ui/icons";
import css from "./Cover.module.css";

/** Decoration only: nothing here that the words beside it do not say. */
export function Cover({ sounding }: { sounding: Sounding | null }) {
  if (!sounding) {
    return (
      <div className={css.cover} aria-hidden="true">
        <MusicIcon size={30} />
      </div>
    );
  }
  if (sounding.role !== "music") {
    return (
      <div className={css.cover} data-role={sounding.role} aria-hidden="true">
        <VoiceIcon size={38} />
      </div>
    );
  }
  const seed = Number.parseInt(sounding.sha256.slice(-6), 16) || 0;
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
      <span className={css.bars} data-moving={sounding.moving || undefined}>
        <i />
        <i />
        <i />
        <i />
      </span>
    </div>
  );
}
