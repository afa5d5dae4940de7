import { expect, test } from "vitest";
import { dayOf, inWords, lastWeek, toDays, toQuery } from "./asking";

const NOW = new Date(2027, 2, 3, 12);

test("the usual range is the seven days that end today", () => {
  expect(lastWeek(NOW)).toMatchObject({ from: "2027-02-25", to: "2027-03-03" });
  expect(dayOf(NOW)).toBe("2027-03-03");
});

test("lists include the last day, sums name it", () => {
  const filters = { ...lastWeek(NOW), place: { kind: "zone" as const, id: "z" }, outcome: "missed" as const };
  expect(toQuery(filters)).toEqual({
    zone: "z",
    outcome: "missed",
    from: new Date(2027, 1, 25).toISOString(),
    to: new Date(2027, 2, 4).toISOString(),
  });
  expect(toDays(filters)).toEqual({ zone: "z", first_day: "2027-02-25", last_day: "2027-03-03" });
  const nothing = { place: null, outcome: "" as const, from: "", to: "", search: "" };
  expect([toQuery(nothing), toDays(nothing)]).toEqual([{}, {}]);
  const floor = { ...nothing, place: { kind: "floor" as const, id: "f" } };
  expect([toQuery(floor), toDays(floor)]).toEqual([{ floor: "f" }, { floor: "f" }]);
});

test("a sum says only what there is of it", () => {
  const sum = {
    subject: "s", title: "Song", artist: "", isrc: "", planned: 3, played: 2, late: 0, missed: 1,
    unknown: 0, pending: 0, heard_millis: 1, zones: 1,
  };
  expect(inWords(sum)).toBe("3 planned · 2 played · 1 missed · 1 zone");
});
