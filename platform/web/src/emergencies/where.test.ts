import { expect, test } from "vitest";
import type { Place } from "../places/tree";
import { endOf, span, toWhere } from "./where";

const PLACES: readonly Place[] = [
  { kind: "location", id: "mall", name: "Mall", within: [] },
  { kind: "location", id: "depot", name: "Depot", within: [] },
  { kind: "floor", id: "first", name: "First", within: ["mall"] },
  { kind: "zone", id: "a", name: "A", within: ["mall", "first"] },
  { kind: "zone", id: "b", name: "B", within: ["mall", "first"] },
  { kind: "zone", id: "c", name: "C", within: ["mall"] },
  { kind: "zone", id: "d", name: "D", within: ["depot"] },
];
const ZONES = ["a", "b", "c", "d"];

test("everywhere needs no list", () => {
  expect(toWhere(null, [], [])).toEqual({ everywhere: true });
});

test("whole places are named, and single zones for the rest", () => {
  expect(toWhere(new Set(["a", "b", "c"]), ZONES, PLACES)).toEqual({ location_ids: ["mall"] });
  expect(toWhere(new Set(["a", "b", "d"]), ZONES, PLACES)).toEqual({
    floor_ids: ["first"],
    zone_ids: ["d"],
  });
  expect(toWhere(new Set(["c"]), ZONES, PLACES)).toEqual({ zone_ids: ["c"] });
});

test("what cannot be seen is not raised", () => {
  expect(toWhere(new Set(["a", "gone"]), ZONES, PLACES)).toEqual({ zone_ids: ["a"] });
});

test("an end is the all-clear or what was planned", () => {
  expect(endOf({ active: true, ends_at: "2027-01-01T10:00:00Z" })).toBeNull();
  expect(endOf({ active: false, ends_at: "x", cleared_at: "y" })).toBe("y");
  expect(endOf({ active: false, ends_at: "x", cleared_at: null })).toBe("x");
  expect(endOf({ active: false })).toBeNull();
});

test("a span is told as roughly as it is looked at", () => {
  const begun = "2027-01-01T10:00:00Z";
  const after = (minutes: number) => span(begun, new Date(begun).getTime() + minutes * 60_000);
  expect([0.5, 1, 12, 60, 125].map(after)).toEqual([
    "less than a minute",
    "1 minute",
    "12 minutes",
    "1 hour",
    "2 hours 5 min",
  ]);
  expect(span("never", 0)).toBe("less than a minute");
});
