/** The server's zone clock as this page sees it: frames at 48 kHz, estimated from pings. */

export const RATE = 48_000;
const FRAMES_PER_MILLI = RATE / 1000;

/** A frame of the zone clock as milliseconds since 1970. */
export function millisOf(frame: number): number {
  return frame / FRAMES_PER_MILLI;
}

/** At own time `at` (ms) the server's clock read `frame`, wrong by at most `error` (ms). */
export interface Sample {
  readonly at: number;
  readonly error: number;
  readonly frame: number;
}

/** What is known of the server's clock. `offset` is its frames less own frames, `error` in ms. */
export interface Clock {
  readonly offset: number;
  readonly error: number;
  readonly samples: readonly Sample[];
}

const KEEP = 12;
/** Two clocks may part by 100 ppm: an old sample's error grows by that much. */
const DRIFT = 1e-4;

/** A ping's answer: read somewhere between `sent` and `received`, so most likely in the middle. */
export function roundTrip(sent: number, received: number, frame: number): Sample {
  return { at: (sent + received) / 2, error: (received - sent) / 2, frame };
}

/**
 * Adds a sample and trusts the one of the last that can be wrong by the least at `now` (ms): half
 * its round trip (Cristian's algorithm), plus what the clocks may have drifted since.
 */
export function observe(clock: Clock | null, sample: Sample, now: number): Clock {
  const samples = [...(clock?.samples ?? []), sample].slice(-KEEP);
  const worth = (s: Sample): number => s.error + (now - s.at) * DRIFT;
  const best = samples.reduce((a, b) => (worth(b) <= worth(a) ? b : a));
  const offset = Math.round(best.frame - best.at * FRAMES_PER_MILLI);
  return { offset, error: worth(best), samples };
}

/** The server's frame at own time `millis`. */
export function frameAt(clock: Clock, millis: number): number {
  return Math.round(clock.offset + millis * FRAMES_PER_MILLI);
}

/** How long from one frame to another, in milliseconds. */
export function millisBetween(from: number, to: number): number {
  return (to - from) / FRAMES_PER_MILLI;
}
