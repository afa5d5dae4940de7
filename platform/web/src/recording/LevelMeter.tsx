/** How loud the microphone hears, moving with the voice. */

import { useEffect, useRef, useState } from "react";
import { loudness } from "./level";
import css from "./LevelMeter.module.css";

const WORDS: Record<ReturnType<typeof loudness>, string> = {
  silent: "Nothing can be heard. Is it the right microphone?",
  quiet: "Quiet: come closer to the microphone.",
  good: "Good to hear.",
  "too loud": "Too loud: keep some distance.",
};
/** Milliseconds after which the words may change: nobody reads faster. */
const WORDS_EVERY = 1_000;
/** How much of the bar falls back with each picture. */
const FALL = 0.02;

/** `read` answers how loud it is, from 0 to 1. */
export function LevelMeter({ read }: { read: () => number }) {
  const meter = useRef<HTMLDivElement>(null);
  const bar = useRef<HTMLDivElement>(null);
  const [heard, setHeard] = useState<ReturnType<typeof loudness> | null>(null);
  useEffect(() => {
    let shown = 0;
    let loudest = 0;
    let told = performance.now();
    let next = requestAnimationFrame(function draw(now) {
      const level = read();
      shown = Math.max(level, shown - FALL);
      loudest = Math.max(loudest, level);
      if (bar.current) bar.current.style.transform = `scaleX(${shown})`;
      meter.current?.setAttribute("aria-valuenow", String(Math.round(shown * 100)));
      if (now - told > WORDS_EVERY) {
        setHeard(loudness(loudest));
        [told, loudest] = [now, 0];
      }
      next = requestAnimationFrame(draw);
    });
    return () => cancelAnimationFrame(next);
  }, [read]);
  return (
    <div className={css.meter}>
      <div
        ref={meter}
        className={css.track}
        role="meter"
        aria-label="Level of the microphone"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={0}
      >
        <div ref={bar} data-loud={heard === "too loud" || undefined} />
      </div>
      <p className={css.words}>{heard && WORDS[heard]}</p>
    </div>
  );
}
