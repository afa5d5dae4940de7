/** How long to wait before the next attempt to connect. */

const FIRST = 500;
const LONGEST = 10_000;

/**
 * Milliseconds before attempt `n` (from 0): doubling, and jittered over its upper half, so that a
 * hundred tablets do not come back in the same instant. `random` is in [0, 1).
 */
export function delayBefore(n: number, random: number): number {
  const ceiling = Math.min(LONGEST, FIRST * 2 ** Math.min(n, 10));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}
