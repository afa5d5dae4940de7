import { expect, test } from "vitest";
import { asked, NO_FILTERS, query } from "./filters";

test("fields become what the platform asks for, and unfinished ones nothing", () => {
  expect(query(NO_FILTERS)).toEqual({});
  const filters = {
    ...NO_FILTERS, genre: " Jazz ", year_from: "19x", year_to: "y", longer: "2.5",
    explicit: "false", subfolders: true,
  };
  expect(query(filters)).toEqual({
    genre: "Jazz", year_from: 19, longer_than: 150, explicit: false, subfolders: true,
  });
  expect(asked(filters)).toBe(5);
});
