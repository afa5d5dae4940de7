import { expect, test } from "vitest";
import { mannerOf, toManner, USUAL } from "./manner";
import { variablesIn } from "./variables";

test("a manner is the same after it was shown", () => {
  const told = { chime_before: { name: "ding" }, chime_after: null, volume_offset: 300 };
  expect(toManner(mannerOf(told))).toEqual(told);
  expect(mannerOf({})).toEqual(USUAL);
});

test("a chime of the library stays as it is", () => {
  const manner = mannerOf({ chime_before: { track_id: "t", name: null } });
  expect(manner.before).toBe("own");
  expect(toManner(manner)).not.toHaveProperty("chime_before");
});

test("variables are found once, in the order in which they are said", () => {
  expect(variablesIn("{{name}} to {{ place }}, {{name}}! {{Not one}}")).toEqual(["name", "place"]);
  expect(variablesIn("")).toEqual([]);
});
