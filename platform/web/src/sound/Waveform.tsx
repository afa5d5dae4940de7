/** How something sounds as a picture, where it is being heard, and the way to another place in it. */

import { useId } from "react";
import { duration, spokenDuration } from "../format";
import { RATE } from "../live/clock";
import { bars, outline } from "./bars";
import { seek, useHeard } from "./preview";
import css from "./Waveform.module.css";

const BARS = 240;
/** Of one byte, as the platform measures peaks. */
const FULL = 255;

interface Props {
  source: string;
  name: string;
  peaks: readonly number[];
  /** Seconds. */
  length: number;
}

/** Seeking works once it is heard. */
export function Waveform({ source, name, peaks, length }: Props) {
  const { position, source: loaded } = useHeard(source);
  const clip = useId();
  const heights = bars(peaks, BARS, FULL);
  const width = Math.max(heights.length, 1);
  const path = outline(heights);
  const at = Math.min(position, length);
  const share = length > 0 ? at / length : 0;
  return (
    <div>
      <div className={css.wave}>
        <svg viewBox={`0 0 ${width} 2`} preserveAspectRatio="none" aria-hidden="true">
          <path d={path} />
        </svg>
        <svg
          className={css.played}
          viewBox={`0 0 ${width} 2`}
          preserveAspectRatio="none"
          aria-hidden="true"
        >
          <clipPath id={clip}>
            <rect width={width * share} height="2" />
          </clipPath>
          <path d={path} clipPath={`url(#${clip})`} />
        </svg>
        <input
          type="range"
          className={css.seek}
          aria-label={`Position in ${name}`}
          aria-valuetext={`${spokenDuration(at * RATE)} of ${spokenDuration(length * RATE)}`}
          min={0}
          max={Math.max(length, 0.1)}
          step={length > 120 ? 5 : 0.5}
          value={at}
          disabled={loaded === ""}
          onChange={(event) => seek(source, event.currentTarget.valueAsNumber)}
        />
      </div>
      <p className={css.times} aria-hidden="true">
        <span>{duration(at * RATE)}</span>
        <span>{duration(length * RATE)}</span>
      </p>
    </div>
  );
}
