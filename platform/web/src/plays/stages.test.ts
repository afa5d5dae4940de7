import { expect, test } from "vitest";
import type { SpeakerReceipt } from "../api/types";
import { lateness, steps, summary, why } from "./stages";

const SPEAKER: SpeakerReceipt = {
  device_id: "d", name: "till", state: "cached", reason: "", received_at: "2027-01-01T10:00:00Z",
  cached_at: "2027-01-01T10:00:01Z", started_at: null, finished_at: null, late_millis: null,
};
const ZONE = { zone_id: "z", name: "Hall", start_frame: 0, starts_at: "", state: "cached", cancelled_at: null } as const;

test("a sentence tells of every speaker once", () => {
  const zones = [{ ...ZONE, speakers: [SPEAKER, SPEAKER, SPEAKER, SPEAKER] }];
  expect(summary({ counts: { finished: 1, started: 1, cached: 1, missed: 1 }, zones })).toBe(
    "Heard on 1 of 4 speakers, sounds on 1, 1 on the way, missed on 1.",
  );
  const one = [{ ...ZONE, speakers: [SPEAKER] }];
  expect(summary({ counts: { finished: 1 }, zones: one })).toBe("Heard on 1 of 1 speaker.");
  expect(summary({ counts: {}, zones: [] })).toBe("There is no speaker in these zones.");
});

test("steps that are not taken have no time", () => {
  expect(steps(SPEAKER).map(({ at }) => at !== "")).toEqual([true, true, false, false]);
});

test("a reason is told in words, also one of a newer speaker", () => {
  expect(why("offline")).toBe("It was not connected.");
  expect(why("eaten")).toContain("eaten");
  expect(why("")).toBe("");
  expect([null, 20, 120, 2_540].map(lateness)).toEqual(["", "", "120 ms late", "2.5 s late"]);
});
