import { describe, expect, it } from "vitest";
import type { Segment, ZoneView } from "../api/types";
import { alarming, chosenFor, isNewer, nextAfter, nextChange, segmentAt, soundingAt } from "./sounding";

const S = 48_000;

function segment(title: string, start: number, end: number, more: Partial<Segment> = {}): Segment {
  return {
    role: "music",
    item: "block",
    title,
    artist: "",
    sha256: title,
    kind: "music",
    start: start * S,
    end: end * S,
    offset: 0,
    duration: 100 * S,
    ...more,
  };
}

const VOICE: Partial<Segment> = { role: "event", item: "event", kind: "announcement" };

function zone(segments: Segment[], more: Partial<ZoneView> = {}): ZoneView {
  return {
    zone_id: "zone",
    name: "Zone",
    epoch: 1,
    rev: 1,
    status: "playing",
    volume: 70,
    mute: false,
    folder_id: null,
    shuffle: false,
    frame: 0,
    until: 1000 * S,
    music: null,
    segments,
    chosen: [],
    drill: false,
    speakers: { online: 1, total: 1 },
    ...more,
  };
}

/** Track one, interrupted at 40 s by 10 s of voice, then track two. */
const INTERRUPTED = zone([
  segment("one", 0, 40),
  segment("hello", 40, 50, VOICE),
  segment("one", 50, 110, { offset: 40 * S }),
  segment("two", 110, 210),
]);

describe("what sounds", () => {
  it("begins on its first frame and ends before its last", () => {
    const { segments } = INTERRUPTED;
    expect(segmentAt(segments, 40 * S - 1)?.title).toBe("one");
    expect(segmentAt(segments, 40 * S)?.title).toBe("hello");
    expect(segmentAt(segments, 50 * S)?.title).toBe("one");
    expect(segmentAt(segments, 210 * S)).toBeNull();
    expect(segmentAt([], 0)).toBeNull();
  });

  it("reads the position of the media, not of the segment", () => {
    expect(soundingAt(INTERRUPTED, 51 * S)).toMatchObject({ position: 41 * S, moving: true });
    expect(soundingAt(INTERRUPTED, 41 * S)).toMatchObject({ role: "event", position: S });
  });

  it("names the voice over ducked music, and the emergency over all", () => {
    const over = [segment("one", 0, 40), segment("hello", 10, 20, VOICE)];
    expect(segmentAt(over, 15 * S)?.title).toBe("hello");
    expect(segmentAt(over, 25 * S)?.title).toBe("one");
    const alarm = segment("leave", 12, 99, { role: "emergency" });
    expect(segmentAt([alarm, ...over], 15 * S)?.title).toBe("leave");
  });

  it("names the newer of two tracks that cross", () => {
    expect(segmentAt([segment("one", 0, 40), segment("two", 38, 80)], 39 * S)?.title).toBe("two");
  });
});

describe("music that stands still", () => {
  const music = {
    item: "block", title: "one", artist: "", sha256: "one",
    offset: 12 * S, duration: 100 * S, running: false,
  };

  it("rests where the view says", () => {
    const held = zone([], { status: "paused", music });
    expect(soundingAt(held, 99 * S)).toMatchObject({ position: 12 * S, moving: false });
  });

  it("rests where its last segment ended, when the pause began after the view was made", () => {
    const held = zone([segment("one", 0, 1, { offset: 12 * S })], { status: "paused", music });
    expect(soundingAt(held, 5 * S)).toMatchObject({ position: 13 * S, moving: false });
  });

  it("is nothing in an idle zone, and unknown once the segments of a playing one are over", () => {
    expect(soundingAt(zone([], { status: "idle", music }), 0)).toBeNull();
    expect(soundingAt(zone([segment("one", 0, 1)], { music }), 5 * S)).toBeNull();
  });
});

describe("what comes next", () => {
  it("is the announcement, then the music that resumes, then the next track", () => {
    expect(nextAfter(INTERRUPTED, S)?.segment.title).toBe("hello");
    expect(nextAfter(INTERRUPTED, 45 * S)).toMatchObject({ segment: { title: "one" }, resumes: true });
    expect(nextAfter(INTERRUPTED, 60 * S)).toMatchObject({ segment: { title: "two" }, resumes: false });
    expect(nextAfter(INTERRUPTED, 120 * S)).toBeNull();
  });

  it("is the same track again where one is looped", () => {
    const looped = zone([segment("one", 0, 100), segment("one", 100, 200)]);
    expect(nextAfter(looped, S)).toMatchObject({ segment: { start: 100 * S }, resumes: false });
  });

  it("knows the frame of the next change", () => {
    expect(nextChange(INTERRUPTED, 0)).toBe(40 * S);
    expect(nextChange(INTERRUPTED, 40 * S)).toBe(50 * S);
    expect(nextChange(zone([]), 0)).toBe(Infinity);
  });
});

describe("which view is newer", () => {
  const at = (epoch: number, rev: number, frame: number) => zone([], { epoch, rev, frame });

  it("goes by epoch, then revision, then reading", () => {
    expect(isNewer(at(2, 1, 0), at(1, 9, 9))).toBe(true);
    expect(isNewer(at(1, 2, 0), at(1, 1, 9))).toBe(true);
    expect(isNewer(at(1, 1, 9), at(1, 2, 0))).toBe(false);
    expect(isNewer(at(1, 1, 4), at(1, 1, 5))).toBe(false);
    expect(isNewer(at(1, 1, 5), at(1, 1, 5))).toBe(true);
  });
});

describe("emergencies", () => {
  it("are told by zone while they sound", () => {
    const alarm = segment("leave", 10, 20, { role: "emergency", item: "emergency:1" });
    const zones = new Map([
      ["b", zone([alarm, segment("one", 0, 60)], { name: "Bar" })],
      ["a", zone([alarm], { name: "Arcade", drill: true })],
      ["c", zone([segment("one", 0, 60)], { name: "Cellar" })],
    ]);
    expect(alarming(zones, 9 * S)).toEqual([]);
    expect(alarming(zones, 10 * S)).toEqual([
      { zone: "Arcade", title: "leave", drill: true },
      { zone: "Bar", title: "leave", drill: false },
    ]);
    expect(alarming(null, 0)).toEqual([]);
  });
});

describe("what people chose", () => {
  const chosen = [
    { item: "b1", kind: "channel" as const, id: "c", name: "Lounge" },
    { item: "b2", kind: "tracks" as const, id: null, name: "" },
  ];
  const block = (item: string) => ({ ...segment("one", 0, 40), item });

  it("is named where it sounds, and only there", () => {
    const of = (item: string) => {
      const view = zone([block(item)], { chosen });
      return chosenFor(view, soundingAt(view, S));
    };
    expect(of("b1")).toBe("Lounge");
    expect(of("b2")).toBe("some tracks");
    expect(of("planned")).toBeNull();
    expect(chosenFor(zone([], { chosen }), null)).toBeNull();
  });
});
