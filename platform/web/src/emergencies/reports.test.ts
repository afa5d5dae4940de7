import { expect, test } from "vitest";
import type { EmergencySpeaker } from "../api/types";
import { sorted, summary, why } from "./reports";

const SOUNDING: EmergencySpeaker = {
  device_id: "a", name: "a", zone_id: "z", zone: "Z", online: true, state: "sounding", reason: "",
  rounds: 2, first_at: "2027-01-01T10:00:00Z", last_at: "2027-01-01T10:01:00Z",
};
const SILENT: EmergencySpeaker = { ...SOUNDING, name: "b", state: "silent", rounds: 0, online: false };
const MISSED: EmergencySpeaker = { ...SILENT, name: "c", state: "missed", reason: "not_held" };
const DEAF: EmergencySpeaker = { ...SILENT, name: "d", state: "unverified" };

test("a sentence says how many were heard, and what is left", () => {
  expect(summary([])).toBe("There is no speaker in these zones.");
  expect(summary([SOUNDING])).toBe("Heard on 1 of 1 speaker.");
  expect(summary([SOUNDING, SILENT])).toBe("Heard on 1 of 2 speakers; look at the other one.");
  expect(summary([SILENT, DEAF, SOUNDING])).toBe("Heard on 1 of 3 speakers; look at the other 2.");
});

test("those that were not heard come first", () => {
  const found = sorted([SOUNDING, SILENT, MISSED, { ...SOUNDING, zone: "A", name: "e" }, DEAF]);
  expect(found.map(({ name }) => name)).toEqual(["d", "c", "b", "e", "a"]);
});

test("each says what to do about it", () => {
  expect(why(SOUNDING)).toBe("");
  expect(why({ ...SOUNDING, online: false })).toContain("goes on by itself");
  expect(why(SILENT)).toBe("It is not connected.");
  expect(why({ ...SILENT, online: true })).toBe("It is connected.");
  expect(why(MISSED)).toBe("The sound did not get there in time.");
  expect(why(DEAF)).toContain("no key");
});
