import { describe, expect, it } from "vitest";
import { type Clock, frameAt, observe, RATE, roundTrip } from "./clock";

/** A server whose clock reads `ahead` frames at own time 0, over a line of given delays (ms). */
function ping(ahead: number, sent: number, out: number, back: number) {
  return roundTrip(sent, sent + out + back, Math.round(ahead + (sent + out) * 48));
}

describe("the clock estimate", () => {
  it("is exact over a symmetric line", () => {
    const clock = observe(null, ping(1_000_000, 500, 20, 20), 540);
    expect(frameAt(clock, 500)).toBe(1_000_000 + 500 * 48);
    expect(clock.error).toBeCloseTo(20, 1);
  });

  it("is wrong by less than half the trip over any line", () => {
    for (const [out, back] of [[0, 80], [80, 0], [10, 70]] as const) {
      const clock = observe(null, ping(0, 100, out, back), 180);
      expect(Math.abs(frameAt(clock, 1000) / 48 - 1000)).toBeLessThanOrEqual(clock.error + 0.03);
    }
  });

  it("trusts the answer with the least round trip, whenever it came", () => {
    let clock: Clock | null = null;
    const trips = [[90, 5], [4, 4], [3, 150], [60, 60]] as const;
    trips.forEach(([out, back], n) => {
      const sent = n * 250;
      clock = observe(clock, ping(7_000, sent, out, back), sent + out + back);
    });
    expect(frameAt(clock as unknown as Clock, 0)).toBe(7_000);
  });

  it("forgets a good answer once drift has outgrown it", () => {
    const good = observe(null, ping(0, 0, 1, 1), 2);
    const later = 10 * 60_000;
    const drifted = observe(good, ping(480, later, 5, 5), later + 10);
    expect(frameAt(drifted, later)).toBe(480 + later * 48);
  });

  it("keeps a bounded number of samples", () => {
    let clock = observe(null, ping(0, 0, 5, 5), 10);
    for (let n = 1; n < 100; n += 1) clock = observe(clock, ping(0, n, 5, 5), n + 10);
    expect(clock.samples.length).toBeLessThanOrEqual(12);
    expect(RATE).toBe(48_000);
  });
});
