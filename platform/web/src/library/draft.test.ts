import { expect, test } from "vitest";
import { BLANK, changeOf } from "./draft";

test("what many have is changed where something was filled in, and nowhere else", () => {
  expect(changeOf(BLANK, BLANK)).toEqual({});
  const draft = { ...BLANK, genre: " Jazz ", tags: "calm, evening,", regions: "de, at", explicit: "false" };
  expect(changeOf(draft, BLANK)).toEqual({
    genre: "Jazz",
    tags: ["calm", "evening"],
    regions: ["DE", "AT"],
    explicit: false,
  });
});

test("what one has can be taken away", () => {
  const before = { ...BLANK, year: "1959", licence: "GEMA", valid_until: "2026-12-24", folder_id: "f", tags: "a" };
  expect(changeOf(BLANK, before)).toEqual({
    year: null,
    licence: "",
    valid_until: null,
    folder_id: null,
    tags: [],
  });
});
