import { expect, test } from "vitest";
import { AT_ONCE, DELAYS, TIMEOUTS, toPatience } from "./patience";

test("what is usual is left to the platform", () => {
  expect(toPatience(AT_ONCE)).toEqual({});
  expect(toPatience({ delay: 10, timeout: 120 })).toEqual({ delay_millis: 10_000, timeout_millis: 120_000 });
});

test("what can be chosen is within the platform's limits", () => {
  expect(Math.max(...DELAYS.map(({ value }) => Number(value)))).toBeLessThanOrEqual(60);
  expect(Math.max(...TIMEOUTS.map(({ value }) => Number(value)))).toBeLessThanOrEqual(3600);
});
