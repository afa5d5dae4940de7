import { expect, test } from "vitest";
import { conditionOn, FIELDS, type Field, isComplete, membersOf, withMembers } from "./rules";

test("a new condition says nothing until it is filled in", () => {
  expect(conditionOn("genre")).toEqual({ field: "genre", op: "contains", value: "" });
  expect(isComplete({ all: [conditionOn("genre")] })).toBe(false);
  expect(isComplete({ all: [{ field: "genre", op: "is", value: "Jazz" }] })).toBe(true);
  expect(isComplete({ any: [] })).toBe(false);
  expect(isComplete({ all: [conditionOn("explicit"), { any: [] }] })).toBe(false);
  expect(isComplete({ all: [{ field: "added", op: "within_days", value: 0 }] })).toBe(false);
  expect(isComplete({ all: [{ field: "year", op: "is", value: Number.NaN }] })).toBe(false);
});

test("every field has an operator", () => {
  for (const field of Object.keys(FIELDS)) expect(conditionOn(field as Field).op).toBeTruthy();
});

test("a group keeps its kind when its members change", () => {
  const one = conditionOn("explicit");
  expect(withMembers({ any: [] }, [one])).toEqual({ any: [one] });
  expect(membersOf(withMembers({ all: [one] }, []))).toEqual([]);
});
