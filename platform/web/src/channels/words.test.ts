import { describe, expect, it } from "vitest";
import type { Line } from "../api/types";
import { millisOf, mannerOf, toBody, USUAL, wrongs } from "./manner";
import { isBetween, lineWords, mannerWords, share, subjectOf } from "./words";

const LINE: Line = {
  id: "a", channel_id: "c", position: 1, name: "Pop", track_id: null, folder_id: "f",
  announcement_id: null, inner_channel_id: null, weight: 3, order: "shuffled",
  after_tracks: 0, after_minutes: 0, created_at: "", updated_at: "",
};
const CALL: Line = { ...LINE, id: "b", folder_id: null, announcement_id: "x", after_tracks: 4 };
const MANNER = {
  mode: "rotated", pattern: [] as string[], hourly: false, loop: true, crossfade_millis: 0,
  artist_apart: 1, title_apart: 0, again_hours: 0,
} as const;

describe("lines", () => {
  it("say what they are and when they are heard", () => {
    expect(subjectOf(LINE)).toBe("folder");
    expect(subjectOf(CALL)).toBe("announcement");
    expect(isBetween(CALL)).toBe(true);
    expect(lineWords(LINE, "rotated")).toBe("shuffled · weight 3");
    expect(lineWords(LINE, "ordered")).toBe("shuffled");
    expect(lineWords(CALL, "rotated")).toBe("after every 4 tracks");
    expect(lineWords({ ...CALL, after_tracks: 0, after_minutes: 1 }, "rotated")).toBe(
      "after every minute of music",
    );
  });

  it("say how often they come among those in turn", () => {
    const other = { ...LINE, id: "d", weight: 1 };
    const manner = { ...MANNER, pattern: [] };
    expect(share(LINE, [LINE, other, CALL], manner)).toBe("about 75 %");
    expect(share(LINE, [LINE, other], { ...manner, pattern: ["a", "d"] })).toBe("about 50 %");
    expect(share(CALL, [LINE, other, CALL], manner)).toBe("");
    expect(share(LINE, [LINE], manner)).toBe("");
    expect(share(LINE, [{ ...LINE, weight: 0 }, { ...other, weight: 0 }], manner)).not.toContain("NaN");
  });
});

describe("how a channel plays", () => {
  it("is said in words", () => {
    const manner = { ...MANNER, pattern: [] };
    expect(mannerWords(manner)).toEqual(["by weight", "gapless", "an artist again after 1 piece"]);
    expect(mannerWords({ ...manner, mode: "ordered", loop: false, crossfade_millis: 2500 })[0]).toBe(
      "one line after another, once",
    );
    expect(mannerWords({ ...manner, pattern: ["a", "a"], hourly: true })[0]).toBe(
      "in 2 turns of a pattern, anew each hour",
    );
  });

  it("comes back from its fields", () => {
    const channel = {
      ...MANNER, id: "c", created_at: "", updated_at: "", name: "Day", description: "", pattern: [],
      crossfade_millis: 2500,
    };
    expect(toBody(mannerOf(channel))).toEqual({
      name: "Day", description: "", mode: "rotated", hourly: false, loop: true,
      crossfade_millis: 2500, artist_apart: 1, title_apart: 0, again_hours: 0,
    });
    expect(toBody({ ...USUAL, name: "x", mode: "ordered", hourly: true }).hourly).toBe(false);
  });

  it("is looked at before it is sent", () => {
    expect(wrongs({ ...USUAL, name: "x" })).toEqual({});
    expect(Object.keys(wrongs({ ...USUAL, crossfade: "16", artist: "-1", title: "", again: "200" }))).toEqual([
      "name", "crossfade", "artist", "title", "again",
    ]);
    expect([millisOf("2,5"), millisOf("0"), millisOf("two"), millisOf("")]).toEqual([2500, 0, null, null]);
  });
});
