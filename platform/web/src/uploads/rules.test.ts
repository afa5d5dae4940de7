import { expect, test } from "vitest";
import { bytes, fingerprint, type Item, looksAudible, nextToSend, percent, type Phase, total } from "./rules";

function item(phase: Phase, sent = 0, size = 100): Item {
  const key = `${phase}${sent}`;
  return { key, id: "", name: key, purpose: "track", folder: "", size, sent, progress: 0, phase, reason: "", again: false };
}

test("the whole ends although some failed", () => {
  const all = [item("ready"), item("failed"), item("sending", 40), item("waiting")];
  expect(total(all)).toEqual({ files: 4, ready: 1, failed: 1, size: 400, sent: 240, busy: true });
  expect(total([item("ready"), item("failed")]).busy).toBe(false);
  expect(total([item("processing")]).busy).toBe(true);
});

test("so many are sent at once, in their order", () => {
  const all = [item("sending"), item("waiting", 1), item("paused"), item("waiting", 2)];
  expect(nextToSend(all, 2).map(({ sent }) => sent)).toEqual([1]);
  expect(nextToSend(all, 9).map(({ sent }) => sent)).toEqual([1, 2]);
  expect(nextToSend(all, 0)).toEqual([]);
});

test("a folder's pictures and lists stay behind", () => {
  expect(looksAudible("Song.MP3", "")).toBe(true);
  expect(looksAudible("voice", "audio/webm")).toBe(true);
  expect(looksAudible("cover.jpg", "image/jpeg")).toBe(false);
  expect(looksAudible("list.m3u8", "")).toBe(false);
});

test("a file is the same one only in the same client and folder", () => {
  const file = { name: "a.mp3", size: 5, lastModified: 7, webkitRelativePath: "" };
  const marks = [
    fingerprint("c", "track", "f", file),
    fingerprint("d", "track", "f", file),
    fingerprint("c", "track", "g", file),
    fingerprint("c", "announcement", "f", file),
    fingerprint("c", "track", "f", { ...file, webkitRelativePath: "x/a.mp3" }),
    fingerprint("c", "track", "f", { ...file, size: 6 }),
    fingerprint("c", "track", "f", { ...file, lastModified: 8 }),
  ];
  expect(new Set(marks).size).toBe(marks.length);
});

test("sizes and shares as people read them", () => {
  expect([0, 999, 1000, 3_400_000, 150_000_000, 999_600].map(bytes)).toEqual([
    "0 B", "999 B", "1.0 kB", "3.4 MB", "150 MB", "1.0 MB",
  ]);
  expect([percent(0, 0), percent(1, 3), percent(999, 1000), percent(5, 5)]).toEqual([100, 33, 99, 100]);
});
