import { expect, test } from "vitest";
import type { Segment, ZoneView } from "../api/types";
import { momentWords } from "./moments";

const S = 48_000;
const segment = (role: Segment["role"], title: string): Segment => ({
  role, item: title, title, artist: role === "music" ? "The Band" : "", sha256: "", kind: "music",
  start: 90 * S, end: 200 * S, offset: 0, duration: 110 * S,
});
const view = (some: Partial<ZoneView>): ZoneView => ({
  zone_id: "z", name: "Bar", epoch: 1, rev: 1, status: "playing", volume: 60, mute: false, folder_id: null,
  shuffle: false, frame: 100 * S, until: 200 * S, music: null, segments: [], chosen: [], drill: false,
  speakers: { online: 1, total: 1 }, ...some,
});
const MUSIC = { item: "m", title: "Song", artist: "", sha256: "", offset: 65 * S, duration: 130 * S };

test("what is heard at an instant, how far it is, and how loud", () => {
  expect(momentWords(view({ segments: [segment("music", "Song")] }))).toEqual([
    "Music: Song, The Band, 0:10 of 1:50", "Volume 60 of 100",
  ]);
  const call = view({ segments: [segment("event", "Call")], music: { ...MUSIC, running: false }, mute: true });
  expect(momentWords(call)).toEqual([
    "Announcement: Call, 0:10 of 1:50", "Music stood still: Song, 1:05 of 2:10", "Muted",
  ]);
  expect(momentWords(view({ status: "idle" }))[0]).toBe("Silence: no music had been chosen");
  expect(momentWords(view({ status: "stopped", music: { ...MUSIC, running: true } }))).toEqual([
    "Silenced by people", "Music beneath it: Song, 1:05 of 2:10", "Volume 60 of 100",
  ]);
  expect(momentWords(view({}))[0]).toBe("Nothing sounded");
});
