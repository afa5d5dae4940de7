/** A waveform as bars. */

/** The loudest peak of each of `n` equal parts, as a share of `full`. */
export function bars(peaks: readonly number[], n: number, full: number): readonly number[] {
  const count = Math.min(n, peaks.length);
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * peaks.length) / count);
    const to = Math.max(from + 1, Math.floor(((i + 1) * peaks.length) / count));
    return Math.min(1, Math.max(...peaks.slice(from, to)) / full);
  });
}

/** The bars as one path in a box `bars.length` wide and 2 high, around its middle. */
export function outline(heights: readonly number[]): string {
  return heights
    .map((height, i) => {
      const half = Math.max(height, 0.02).toFixed(3);
      return `M${i + 0.5} ${(1 - Number(half)).toFixed(3)}V${(1 + Number(half)).toFixed(3)}`;
    })
    .join("");
}
