import { expect, test } from "vitest";
import type { QueueEntry, Segment, ZoneView } from "../api/types";
import { inWords, isExpected, standing } from "./queue";

const S = 48_000;
const ENTRY: QueueEntry = {
  id: "e", title: "Closing", state: "waiting", live: true, priority: 50, start: 0, begins: 20 * S, ends: 30 * S,
};

function zone(role: Segment["role"], start: number, end: number): ZoneView {
  const segment = { role, start: start * S, end: end * S };
  return { segments: [segment] } as unknown as ZoneView;
}

test("a queue is asked for while something sounds or is soon to come", () => {
  expect(isExpected(zone("event", 0, 10), 5 * S)).toBe(true);
  expect(isExpected(zone("emergency", 0, 10), 5 * S)).toBe(true);
  expect(isExpected(zone("event", 50, 60), 0)).toBe(true);
  expect(isExpected(zone("event", 90, 99), 0)).toBe(false);
  expect(isExpected(zone("music", 0, 99), 0)).toBe(false);
});

test("time alone begins an entry and ends it", () => {
  expect(standing([ENTRY], 10 * S)).toEqual([ENTRY]);
  expect(standing([ENTRY], 20 * S)[0]?.state).toBe("sounding");
  expect(standing([ENTRY], 30 * S)).toEqual([]);
  const waits = { ...ENTRY, begins: null, ends: null };
  expect(standing([waits], 99 * S)).toEqual([waits]);
});

test("each entry says what it waits for", () => {
  expect(inWords(ENTRY, 10 * S)).toBe("waits, begins in 10 s");
  expect(inWords({ ...ENTRY, state: "coming" }, -60 * S)).toBe("begins in 1:20 min");
  expect(inWords({ ...ENTRY, state: "sounding" }, 21 * S)).toBe("sounds now");
  expect(inWords({ ...ENTRY, begins: null }, 0)).toBe("waits for what is more urgent");
});
