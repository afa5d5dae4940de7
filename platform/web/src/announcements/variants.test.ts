import { expect, test } from "vitest";
import { ALWAYS, inWords, toTold, whenOf, whyNot } from "./variants";

const TOLD = {
  weight: 2, starts_on: "2027-03-01", ends_on: null, days: [0, 4], from_minute: 485, to_minute: 0,
  evergreen: false,
};

test("a variant is the same after it was shown", () => {
  expect(toTold(whenOf(TOLD))).toEqual(TOLD);
  expect(whenOf(toTold(ALWAYS))).toEqual(ALWAYS);
});

test("when it is heard is said in words", () => {
  expect(inWords(TOLD)).toBe("Mon, Fri · 08:05 to 00:00 · from 2027-03-01 · weight 2");
  expect(inWords(toTold(ALWAYS))).toBe("always");
  expect(inWords(toTold({ ...ALWAYS, evergreen: true }))).toContain("evergreen");
});

test("what cannot be is said before it is sent", () => {
  expect(whyNot(ALWAYS)).toBe("");
  expect(whyNot({ ...ALWAYS, weight: "often" })).not.toBe("");
  expect(whyNot({ ...ALWAYS, from: "08:00" })).not.toBe("");
  expect(whyNot({ ...ALWAYS, starts: "2027-03-02", ends: "2027-03-01" })).not.toBe("");
});
