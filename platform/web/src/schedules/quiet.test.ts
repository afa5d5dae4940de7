import { expect, test } from "vitest";
import { NIGHT, quietWords, wrongHours } from "./quiet";

test("quiet hours in words", () => {
  expect(quietWords([])).toBe("never");
  expect(quietWords([NIGHT, { ...NIGHT, days_of_week: [6], start_time: "00:00", end_time: "00:00", music: false }])).toBe(
    "22:00 to 06:00, every day, with music · all day, Sun, without music",
  );
});

test("both times are needed", () => {
  expect([wrongHours([]), wrongHours([NIGHT]), wrongHours([{ ...NIGHT, end_time: "" }])]).toEqual([false, false, true]);
});
