import { expect, it } from "vitest";
import { delayBefore } from "./backoff";

it("doubles up to a ceiling and never returns at once", () => {
  expect(delayBefore(0, 0)).toBe(250);
  expect(delayBefore(0, 1)).toBe(500);
  expect(delayBefore(3, 1)).toBe(4000);
  expect(delayBefore(1000, 1)).toBe(10_000);
  expect(delayBefore(1000, 0)).toBe(5_000);
});

it("spreads a hundred tablets over half of the wait", () => {
  const delays = Array.from({ length: 100 }, (_, n) => delayBefore(5, n / 100));
  expect(new Set(delays).size).toBe(100);
  expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(4_900);
});
