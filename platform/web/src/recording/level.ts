/** How loud it is just now, as a meter shows it. */

const FLOOR = -60;

/** The loudest of `samples` (-1 to 1) as a share of the way from -60 dB to 0 dB. */
export function levelOf(samples: Iterable<number>): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  if (peak === 0) return 0;
  return Math.min(1, Math.max(0, 1 - (20 * Math.log10(peak)) / FLOOR));
}

/** Words for whoever does not see the meter. */
export function loudness(level: number): "silent" | "quiet" | "good" | "too loud" {
  if (level < 0.1) return "silent";
  if (level < 0.45) return "quiet";
  return level < 0.985 ? "good" : "too loud";
}
