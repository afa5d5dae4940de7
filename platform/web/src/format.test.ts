import { expect, it } from "vitest";
import { count, duration, names, spokenDuration, timeOfDay } from "./format";

const S = 48_000;

it("writes durations", () => {
  expect(duration(0)).toBe("0:00");
  expect(duration(-S)).toBe("0:00");
  expect(duration(59.99 * S)).toBe("0:59");
  expect(duration(61 * S)).toBe("1:01");
  expect(duration(3661 * S)).toBe("1:01:01");
});

it("speaks durations", () => {
  expect(spokenDuration(0)).toBe("0 seconds");
  expect(spokenDuration(61 * S)).toBe("1 minute 1 second");
  expect(spokenDuration(120 * S)).toBe("2 minutes");
});

it("counts and names", () => {
  expect(count(1, "zone")).toBe("1 zone");
  expect(count(0, "zone")).toBe("0 zones");
  expect(names([])).toBe("");
  expect(names(["A"])).toBe("A");
  expect(names(["A", "B"])).toBe("A and B");
  expect(names(["A", "B", "C"])).toBe("A and 2 more");
});

it("writes the time of day, and nothing for nonsense", () => {
  expect(timeOfDay("2026-01-01T00:00:07Z", "en")).toMatch(/^\d{2}:\d{2}:07$/);
  expect(timeOfDay("never")).toBe("");
});
