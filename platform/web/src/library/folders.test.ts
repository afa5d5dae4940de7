import { expect, test } from "vitest";
import { inOrder, moved, options, parents, pathOf, within } from "./folders";

const FOLDERS = [
  { id: "w", name: "Winter", parent_id: null },
  { id: "e", name: "Evenings", parent_id: "w" },
  { id: "a", name: "Autumn" },
  { id: "n", name: "Nights", parent_id: "e" },
  { id: "b", name: "Breakfast", parent_id: "w" },
];

test("each folder stands after the one that holds it", () => {
  const found = inOrder(FOLDERS).map(({ folder, depth }) => `${depth}${folder.id}`);
  expect(found).toEqual(["0a", "0w", "1b", "1e", "2n"]);
});

test("folders that hold each other, or whose holder is unknown, are shown", () => {
  const odd = [
    { id: "x", name: "X", parent_id: "y" },
    { id: "y", name: "Y", parent_id: "x" },
    { id: "z", name: "Z", parent_id: "gone" },
  ];
  expect(inOrder(odd).map(({ folder }) => folder.id).toSorted()).toEqual(["x", "y", "z"]);
  expect(pathOf("x", odd)).toBe("Y › X");
});

test("a folder cannot go into itself", () => {
  expect([...within("w", FOLDERS)].toSorted()).toEqual(["b", "e", "n", "w"]);
  expect([...within("n", FOLDERS)]).toEqual(["n"]);
  expect(pathOf("n", FOLDERS)).toBe("Winter › Evenings › Nights");
  expect(options(FOLDERS, "All").at(-1)).toEqual({ value: "n", label: "\u2003\u2003Nights" });
});

test("a folder goes into no smart one, and the product's stand first", () => {
  const some = [...FOLDERS, { id: "s", name: "Smart", rules: {} }, { id: "z", name: "Z", rules: {}, is_system: true }];
  expect(parents("w", some).map(({ id }) => id)).toEqual(["a"]);
  expect(inOrder(some)[0]?.folder.id).toBe("z");
});

test("an item moves one up or down, and not over the edge", () => {
  expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
  expect(moved(["a", "b", "c"], 2, 1)).toEqual(["a", "c", "b"]);
  expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
  expect(moved(["a", "b"], 1, 2)).toEqual(["a", "b"]);
});
