import { describe, expect, it } from "vitest";
import type { Piece, Why } from "../api/types";
import { causeOf, reasonOf, rivalsOf, stretches, timeOf } from "./words";

const DAY: Why = {
  source: "schedule", schedule_id: "d", name: "Day", version: 1, limited_by: null,
  rivals: [{ schedule_id: "e", name: "Evening", lost_by: "priority" }],
};
const BASE: Why = { source: "base", schedule_id: null, name: "", version: 1, limited_by: null, rivals: [] };
const piece = (starts: string, why: Why | null, role: Piece["role"] = "music"): Piece => ({
  role, item: starts, title: starts, artist: "", sha256: "", start: 0, end: 0, offset: 0,
  starts_at: starts, ends_at: `${starts}+`, why,
});

describe("a forecast", () => {
  it("says why something sounds", () => {
    expect([causeOf(DAY), causeOf(BASE), causeOf({ ...BASE, source: "hand" }), causeOf(null)]).toEqual([
      "Day", "The zone’s own music", "Chosen by people", "",
    ]);
    expect(rivalsOf(DAY)).toBe("instead of Evening, which has a lower priority");
    expect(rivalsOf(null)).toBe("");
    expect([reasonOf("min_gap"), reasonOf("brand_new")]).toEqual([
      "it is too close to the one before", "brand new",
    ]);
    expect(timeOf("2027-03-01T09:30:00+01:00")).toBe("09:30:00");
  });

  it("keeps announcements with the music around them", () => {
    const call = piece("b", { ...DAY, schedule_id: "call", name: "Call" }, "event");
    const found = stretches([piece("a", DAY), call, piece("c", DAY), piece("d", BASE)]);
    expect(found.map(({ starts, ends, pieces }) => [starts, ends, pieces.length])).toEqual([
      ["a", "c+", 3], ["d", "d+", 1],
    ]);
    expect(found.map(({ why }) => causeOf(why))).toEqual(["Day", "The zone’s own music"]);
    expect(stretches([call])).toHaveLength(1);
    expect(stretches([])).toEqual([]);
  });
});
