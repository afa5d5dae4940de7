import { describe, expect, it } from "vitest";
import { clockAt, dayAt, daysAfter, dayWords, instantOf, short, wallOf } from "./clock";

describe("the clock on the wall", () => {
  it("is read where the venue is", () => {
    expect(clockAt("2027-03-01T23:30:05Z", "Europe/Berlin")).toBe("00:30:05");
    expect(dayAt(new Date("2027-03-01T23:30:05Z"), "Europe/Berlin")).toBe("2027-03-02");
    expect(clockAt("nonsense", "UTC")).toBe("");
    expect(wallOf("2027-03-01T09:30:00+01:00")).toEqual(["2027-03-01", "09:30:00"]);
    expect([short("09:30:00"), short("09:30:15"), short("09:30")]).toEqual(["09:30", "09:30:15", "09:30"]);
  });

  it.each([
    ["2027-01-15", "09:30", "Europe/Berlin", "2027-01-15T08:30:00.000Z"],
    ["2027-07-15", "09:30", "Europe/Berlin", "2027-07-15T07:30:00.000Z"],
    ["2027-03-28", "02:30", "Europe/Berlin", "2027-03-28T01:30:00.000Z"], // put forward: 03:30
    ["2027-03-28", "10:00", "Europe/Berlin", "2027-03-28T08:00:00.000Z"],
    ["2027-10-31", "02:30", "Europe/Berlin", "2027-10-31T00:30:00.000Z"], // the first of two
    ["2027-10-31", "10:00:30", "Europe/Berlin", "2027-10-31T09:00:30.000Z"],
    ["2027-06-01", "00:15", "Asia/Kolkata", "2027-05-31T18:45:00.000Z"],
  ])("shows %s %s in %s at %s", (day, time, zone, instant) => {
    expect(instantOf(day, time, zone).toISOString()).toBe(instant);
  });

  it("counts and names days", () => {
    expect(daysAfter("2027-02-28", 1)).toBe("2027-03-01");
    expect(daysAfter("2027-03-01", -1)).toBe("2027-02-28");
    expect(dayWords("2027-03-01")).toBe("Mon, 1 Mar 2027");
    expect(dayWords("soon")).toBe("soon");
  });
});
