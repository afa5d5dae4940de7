import { describe, expect, it } from "vitest";
import { OWN, USUAL } from "./recurrence";
import { daysWords, type Known, priorityWords, spanWords, startWords, whenWords, whereWords } from "./words";

const KNOWN: Known = {
  dayParts: new Map([["p", { name: "Opening hours", start_time: "08:00:00", end_time: "20:00:00" }]]),
  calendars: new Map([["h", { name: "Holidays" }]]),
  levels: new Map([["l", { name: "Important", priority: 50 }]]),
  places: new Map([["z", { name: "Café" }], ["g", { name: "Ground floor" }]]),
};
const ALWAYS = {
  when: null, days_of_week: [], day_part_id: null, start_time: "00:00:00", end_time: "00:00:00",
  first_date: null, last_date: null, recurrence: "", only_calendar_ids: [], never_calendar_ids: [], special_days: [],
};

describe("when", () => {
  it("is said in words", () => {
    expect(whenWords(ALWAYS, KNOWN)).toEqual(["every day", "all day"]);
    expect(
      whenWords(
        { ...ALWAYS, days_of_week: [0, 1, 2, 3, 4], day_part_id: "p", first_date: "2027-03-01", never_calendar_ids: ["h"] },
        KNOWN,
      ),
    ).toEqual([
      "Mon to Fri", "Opening hours (08:00 to 20:00)", "from Mon, 1 Mar 2027", "never on Holidays",
    ]);
    const [, second] = USUAL;
    const recurring = (recurrence: string) => whenWords({ ...ALWAYS, days_of_week: [0], recurrence }, KNOWN)[1];
    expect(recurring(second.value)).toBe("every second week");
    expect(recurring(OWN)).toBe("recurring by FREQ=MONTHLY;BYMONTHDAY=15");
    const at = { kind: "at" as const, times: ["19:45:00", "19:55:00"] };
    expect(whenWords({ ...ALWAYS, when: at }, KNOWN)).toEqual(["at 19:45 and 19:55", "every day"]);
  });

  it("names days, spans and starts", () => {
    expect([daysWords([]), daysWords([5, 6]), daysWords([0, 2]), daysWords([2, 1, 0])]).toEqual([
      "every day", "Sat, Sun", "Mon, Wed", "Mon to Wed",
    ]);
    expect([spanWords("22:00:00", "06:00:00"), spanWords("09:00", "09:00")]).toEqual([
      "22:00 to 06:00", "09:00 to 09:00 the next day",
    ]);
    expect(startWords({ kind: "every", minutes: 1, anchored: true })).toBe("every minute");
    expect(startWords({ kind: "share", seconds_per_hour: 90 })).toBe("90 seconds of each hour");
    expect(startWords({ kind: "after_tracks", tracks: 4 })).toBe("after every 4 tracks");
    expect(startWords({ kind: "minutes", minutes: [0, 30] })).toBe(":00 and :30 of each hour");
    const many = ["08:00", "09:00", "10:00", "11:00", "12:00"];
    expect(startWords({ kind: "at", times: many })).toBe("at 08:00, 09:00, 10:00 and 2 more");
  });
});

describe("where and how important", () => {
  const nowhere = { everywhere: false, location_ids: [], floor_ids: [], zone_ids: [], tags: [], exceptions: {} };
  it("is said in words", () => {
    expect(whereWords({ ...nowhere, everywhere: true, exceptions: { zone_ids: ["z"] } }, KNOWN)).toBe(
      "everywhere except Café",
    );
    expect(whereWords({ ...nowhere, floor_ids: ["g"], tags: ["window"] }, KNOWN)).toBe(
      "in Ground floor and zones tagged window",
    );
    expect(whereWords(nowhere, KNOWN)).toBe("nowhere");
    expect(priorityWords({ priority_level_id: "l", effective_priority: 50 }, KNOWN)).toBe("Important (50)");
    expect(priorityWords({ priority_level_id: null, effective_priority: 30 }, KNOWN)).toBe("priority 30");
  });
});
