import { describe, expect, it } from "vitest";
import type { Schedule } from "../api/types";
import { type Draft, draftOf, EMPTY, minutesOf, number, tagsOf, toBody, wrongs } from "./draft";

const KINDS = new Map([["l", { kind: "location" }], ["f", { kind: "floor" }], ["z", { kind: "zone" }]]);
const MUSIC: Draft = { ...EMPTY, name: "Day", subject: { id: "c", name: "Pop" } };
const CALL: Draft = { ...MUSIC, type: "announcement", content: "announcement" };

function told(draft: Draft): Schedule {
  const body = toBody(draft, KINDS);
  const shown: unknown = {
    channel_id: null, folder_id: null, announcement_id: null, day_part_id: null,
    start_time: "00:00:00", end_time: "00:00:00", priority: 30, begin: "next", on_end: "continue",
    start: {}, limits: {}, content_type: draft.content, content_name: draft.subject?.name ?? "", ...body,
  };
  return shown as Schedule;
}

describe("a draft", () => {
  it.each<[string, Draft]>([
    ["music all day", { ...MUSIC, priority: "30" }],
    ["a folder in a day-part, dated and confined", {
      ...MUSIC, priority: "30", content: "folder", span: "part", part: "p", first: "2027-12-20",
      last: "2027-12-26", everywhere: false, places: ["l", "f", "z"], tags: "window, door",
      notPlaces: ["z"], notTags: "yard", begin: "restart", onEnd: "next",
      dated: [
        { calendar: "a", part: "only", from: "", to: "" },
        { calendar: "b", part: "never", from: "", to: "" },
        { calendar: "c", part: "hours", from: "10:00", to: "14:00" },
        { calendar: "d", part: "silent", from: "", to: "" },
      ],
    }],
    ["music that recurs by a rule", {
      ...MUSIC, priority: "30", first: "2027-01-01", recurrence: "FREQ=WEEKLY;INTERVAL=2",
    }],
    ["a call at times", { ...CALL, priority: "30", times: ["19:45", "19:55:30"], days: [0, 5] }],
    ["a call by the clock", {
      ...CALL, priority: "30", starting: "minutes", minutes: "0, 30", mode: "wait", wait: "90", late: "",
      mix: "duck", duck: "-12.5", fadeIn: "0.5", gain: "3", perHour: "2", minGap: "10", group: "offers",
    }],
    ["a call every so often", {
      ...CALL, priority: "30", starting: "every", every: "20", anchored: false, span: "hours",
      from: "22:00", to: "06:00", gap: "skip", fold: "both", onCut: "restart",
    }],
    ["music that waits for the end of the song", { ...MUSIC, priority: "30", mode: "wait", wait: "240" }],
    ["a share of voice", { ...CALL, priority: "30", starting: "share", share: "90" }],
    ["a call after tracks", { ...CALL, priority: "30", starting: "after_tracks", tracks: "3" }],
  ])("comes back as it was sent: %s", (_, draft) => {
    expect(wrongs(draft)).toEqual({});
    expect(draftOf(told(draft))).toEqual(draft);
  });

  it("says one span, one content and one priority", () => {
    const body = toBody({ ...MUSIC, span: "part", part: "p", level: "v" }, KINDS);
    expect(body).toMatchObject({ day_part_id: "p", channel_id: "c", priority_level_id: "v", when: null });
    for (const name of ["start_time", "folder_id", "priority"]) expect(body).not.toHaveProperty(name);
    expect(toBody(CALL, KINDS)).toMatchObject({ announcement_id: "c", priority: 50 });
    expect(toBody({ ...MUSIC, places: ["z"], tags: "x" }, KINDS)).toMatchObject({ zone_ids: [], tags: [] });
  });

  it("is looked at before it is sent", () => {
    const wrong = (some: Partial<Draft>, of = CALL) => Object.keys(wrongs({ ...of, ...some }));
    expect(wrong({ name: " ", subject: null }, MUSIC)).toEqual(["name", "subject"]);
    expect(wrong({ recurrence: "FREQ=DAILY;INTERVAL=3" })).toEqual(["first"]);
    expect(wrong({ span: "hours", from: "" })).toEqual(["from"]);
    expect(wrong({ span: "part" })).toEqual(["part"]);
    expect(wrong({ first: "2027-03-02", last: "2027-03-01" })).toEqual(["last"]);
    expect(wrong({ dated: [{ calendar: "a", part: "hours", from: "", to: "09:00" }] })).toEqual(["dated"]);
    expect(wrong({ everywhere: false })).toEqual(["places"]);
    expect(wrong({ priority: "101" })).toEqual(["priority"]);
    expect(wrong({ times: [""] })).toEqual(["times"]);
    expect(wrong({ starting: "minutes", minutes: "60" })).toEqual(["minutes"]);
    expect(wrong({ starting: "every", every: "0" })).toEqual(["every"]);
    expect(wrong({ starting: "after_tracks", tracks: "" })).toEqual(["tracks"]);
    expect(wrong({ starting: "share", share: "0" })).toEqual(["share"]);
    expect(wrong({ mode: "wait", wait: "x", late: "x", fadeIn: "16", fadeOut: "-1", duck: "1", gain: "7" })).toEqual(
      ["wait", "late", "fadeIn", "fadeOut", "duck", "gain"],
    );
    expect(wrong({ perHour: "61", minGap: "2000" })).toEqual(["perHour", "minGap"]);
    expect(wrong({ perHour: "61", duck: "1" }, MUSIC)).toEqual([]);
  });

  it("reads what people write", () => {
    expect([number("-12,5", -60, 0), number("−3", -60, 0), number("1", -60, 0), number("x", 0, 1)]).toEqual([
      -12.5, -3, null, null,
    ]);
    expect([minutesOf("30, :00 30"), minutesOf(""), minutesOf("a")]).toEqual([[0, 30], null, null]);
    expect(tagsOf(" a, b ,,a")).toEqual(["a", "b"]);
  });
});
