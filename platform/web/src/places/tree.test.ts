import { describe, expect, it } from "vitest";
import { holdsIn, reach, wherever } from "../session/reach";
import { ancestry, choices, grouped, type Place, placeName, placeOf, toBody } from "./tree";

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

describe("places to narrow a list to", () => {
  const yards = (count: number): Place[] =>
    Array.from({ length: count }, (_, n) => [
      { kind: "location" as const, id: `l${n}`, name: `Shop ${n}`, within: [] },
      { kind: "zone" as const, id: `z${n}`, name: "Yard", within: [`l${n}`] },
    ]).flat();

  it("are told apart where there are many shops", () => {
    expect(grouped(PLACES).map(({ group, items }) => [group, items.map((one) => one.label)])).toEqual([
      ["Locations", ["Harbour"]], ["Floors", ["Ground floor"]], ["Zones", ["Café", "Yard"]],
    ]);
    const [, zones] = grouped(yards(11));
    expect(zones?.items.map(({ label }) => label).slice(1, 4)).toEqual([
      "Shop 1 › Yard", "Shop 2 › Yard", "Shop 3 › Yard",
    ]);
    expect(grouped(PLACES, ["floor"])).toHaveLength(1);
    expect(grouped([])).toEqual([]);
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
