import { expect, test } from "vitest";
import { choices, OPEN_END, untilOf } from "./until";

const NOON = new Date(2027, 0, 1, 12, 0, 0).getTime();

test("no end, so many minutes, or the next time that the clock shows", () => {
  expect(untilOf(OPEN_END, NOON)).toBeNull();
  expect(untilOf({ choice: "30", time: "" }, NOON)).toBe(new Date(NOON + 1_800_000).toISOString());
  const at = (time: string) => untilOf({ choice: "at", time }, NOON);
  expect(at("18:30")).toBe(new Date(2027, 0, 1, 18, 30).toISOString());
  expect(at("12:00")).toBe(new Date(2027, 0, 2, 12, 0).toISOString());
  expect(at("07:15")).toBe(new Date(2027, 0, 2, 7, 15).toISOString());
  expect(at("")).toBeUndefined();
});

test("the open end is named by what it is about", () => {
  expect(choices("For good")[0]).toEqual({ value: "", label: "For good" });
});
