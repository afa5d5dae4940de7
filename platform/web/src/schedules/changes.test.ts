import { expect, test } from "vitest";
import { type Difference, nameOf, sum, timesOf } from "./changes";

const HEARD: Difference["heard"] = {
  item: "a", kind: "music", source: "schedule", name: "Evening", start: 0, end: 0,
  starts_at: "2027-03-01T17:00:00Z", ends_at: "2027-03-01T22:00:00Z",
};

test("what changes is said in words, by the venue's clock", () => {
  expect(timesOf(HEARD, "Europe/Berlin")).toBe("18:00:00 to 23:00:00");
  expect(timesOf(HEARD, "Asia/Kolkata")).toBe("22:30:00 to 03:30:00 on Tue, 2 Mar 2027");
  expect(timesOf({ ...HEARD, kind: "announcement" }, "UTC")).toBe("17:00:00");
  expect([nameOf(HEARD), nameOf({ ...HEARD, source: "base" }), nameOf({ ...HEARD, source: "hand" })]).toEqual([
    "Evening", "The zone’s own music", "Music that people chose",
  ]);
  expect(nameOf({ ...HEARD, name: "", kind: "announcement" })).toBe("An announcement");
  const one = { heard: HEARD, before: null };
  expect(sum([{ ...one, effect: "added" }, { ...one, effect: "dropped" }, { ...one, effect: "added" }])).toBe(
    "2 added, 1 dropped",
  );
  expect(sum([])).toBe("nothing changes");
});
