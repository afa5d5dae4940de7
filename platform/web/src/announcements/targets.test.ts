import { expect, test } from "vitest";
import type { Place } from "../places/tree";
import { groups, share, toggled } from "./targets";
import { byLanguage, languageName } from "./voices";

const PLACES: readonly Place[] = [
  { kind: "location", id: "mall", name: "Mall", within: [] },
  { kind: "floor", id: "ground", name: "Ground floor", within: ["mall"] },
  { kind: "floor", id: "first", name: "First floor", within: ["mall"] },
  { kind: "zone", id: "cafe", name: "Café", within: ["ground"] },
  { kind: "zone", id: "hall", name: "Hall", within: ["ground", "mall"] },
  { kind: "zone", id: "shoes", name: "Shoes", within: ["first"] },
];

test("a place stands for the zones in it, as far as they may be reached", () => {
  expect(groups(PLACES, ["cafe", "hall", "shoes"])).toEqual([
    { id: "mall", name: "Mall", zones: ["cafe", "hall", "shoes"] },
    { id: "ground", name: "Ground floor", zones: ["cafe", "hall"] },
  ]);
  expect(groups(PLACES, ["cafe", "shoes"]).map(({ id }) => id)).toEqual(["mall"]);
  expect(groups(PLACES, ["cafe"])).toEqual([]);
});

test("places of one name are told apart by what holds them", () => {
  const depot: Place[] = [
    { kind: "location", id: "depot", name: "Depot", within: [] },
    { kind: "floor", id: "low", name: "Ground floor", within: ["depot"] },
    { kind: "zone", id: "rack", name: "Rack", within: ["low"] },
    { kind: "zone", id: "gate", name: "Gate", within: ["low"] },
  ];
  const found = groups([...PLACES, ...depot], ["cafe", "hall", "rack", "gate"]);
  expect(found.map(({ name }) => name)).toEqual([
    "Mall",
    "Ground floor, Mall",
    "Depot",
    "Ground floor, Depot",
  ]);
});

test("a group is chosen and given up as a whole, and leaves the others alone", () => {
  const ground = { id: "ground", name: "", zones: ["cafe", "hall"] };
  const some = new Set(["cafe", "shoes"]);
  expect(share(ground, some)).toBe("some");
  const all = toggled(ground, some);
  expect([...all].toSorted()).toEqual(["cafe", "hall", "shoes"]);
  expect(share(ground, all)).toBe("all");
  expect([...toggled(ground, all)]).toEqual(["shoes"]);
  expect(share(ground, new Set())).toBe("none");
});

test("voices stand below their languages", () => {
  const voices = [
    { id: "en", language: "en", name: "English", provider: "Ours" },
    { id: "de-b", language: "de", name: "Bruno", provider: "Cloud" },
    { id: "de-a", language: "de", name: "Anna", provider: "Cloud" },
  ];
  expect(byLanguage(voices)).toEqual([
    { group: "English", items: [{ value: "en", label: "English (Ours)" }] },
    {
      group: "German",
      items: [{ value: "de-a", label: "Anna (Cloud)" }, { value: "de-b", label: "Bruno (Cloud)" }],
    },
  ]);
  const [alone] = byLanguage(voices.slice(0, 1));
  expect(alone?.items).toEqual([{ value: "en", label: "English" }]);
  expect(languageName("not a code!")).toBe("not a code!");
});
