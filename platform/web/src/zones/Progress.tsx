/** How far the sounding item is: words once a second, the bar gliding between them. */

import { duration, spokenDuration } from "../format";
import { RATE } from "../live/clock";
import type { Sounding } from "../live/sounding";
import css from "./Progress.module.css";

/** The position of one item. */
export function Progress({ sounding }: { sounding: Sounding }) {
  const { title, position, duration: length, moving } = sounding;
  const total = Math.max(length, 1);
  const at = Math.min(Math.max(position, 0), total);
  // Each second the bar is sent to where it will be a second later: it glides, and needs no frames.
  const ahead = moving ? Math.min(at + RATE, total) : at;
  const scale = ahead / total;
  return (
    <div className={css.progress}>
      <span className={css.time} aria-hidden="true">
        {duration(at)}
      </span>
      <div
        className={css.track}
        role="progressbar"
        aria-label={`Position in ${title || "the item"}`}
        aria-valuemin={0}
        aria-valuemax={Math.floor(total / RATE)}
        aria-valuenow={Math.floor(at / RATE)}
        aria-valuetext={`${spokenDuration(at)} of ${spokenDuration(total)}`}
      >
        <div
          key={`${sounding.role}/${sounding.item}/${sounding.sha256}`}
          className={css.bar}
          data-moving={moving || undefined}
          style={{ transform: `scaleX(${scale})` }}
        />
      </div>
      <span className={css.time} aria-hidden="true">
        {duration(total)}
      </span>
    </div>
  );
}
