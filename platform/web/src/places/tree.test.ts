import { describe, expect, it } from "vitest";
import { holdsIn, reach, wherever } from "../session/reach";
import { ancestry, choices, type Place, placeName, placeOf, toBody } from "./tree";

const PLACES: Place[] = [
  { kind: "location", id: "l", name: "Harbour", within: [] },
  { kind: "facility", id: "f", name: "Hall 1", within: ["l"] },
  { kind: "floor", id: "s", name: "Ground floor", within: ["l", "f"] },
  { kind: "zone", id: "z", name: "Café", within: ["l", "s"] },
  { kind: "zone", id: "y", name: "Yard", within: ["l"] },
];

describe("places", () => {
  it("knows what holds a zone", () => {
    expect([...ancestry("z", PLACES)].sort()).toEqual(["f", "l", "s", "z"]);
    expect(ancestry("y", PLACES)).not.toContain("f");
    expect(ancestry("unknown", PLACES)).toEqual(["unknown"]);
  });

  it("reads and writes the one place of a role", () => {
    expect(placeOf({ floor_id: "s", zone_id: null })).toBe("s");
    expect(placeOf({})).toBe("");
    expect(toBody("f", PLACES)).toEqual({ facility_id: "f" });
    expect(toBody("", PLACES)).toEqual({});
    expect(placeName("z", PLACES)).toBe("Zone Café");
    expect(placeName("", PLACES)).toBe("everywhere");
    expect(choices(PLACES)).toHaveLength(6);
  });
});

describe("what may be done where", () => {
  const floor = {
    permissions: ["playback.control", "playback.read"],
    confined: { "playback.control": ["f"], "playback.read": ["f"] },
  };
  const mixed = { ...floor, confined: { "playback.control": ["f"] } };

  it("is everywhere unless it is confined", () => {
    expect(reach({ permissions: ["users.read"], confined: {} }, "users.read")).toBeNull();
    expect(reach(floor, "users.read")).toEqual([]);
    expect(wherever(floor, "users.read")).toBe(false);
  });

  it("needs no places where all that is seen may be controlled", () => {
    expect(wherever(floor, "playback.control")).toBe(true);
    expect(wherever(mixed, "playback.control")).toBe(false);
  });

  it("follows the places otherwise", () => {
    expect(holdsIn(mixed, "playback.control", "z", PLACES)).toBe(true);
    expect(holdsIn(mixed, "playback.control", "y", PLACES)).toBe(false);
    expect(holdsIn(mixed, "announce.now", "z", PLACES)).toBe(false);
  });
});
