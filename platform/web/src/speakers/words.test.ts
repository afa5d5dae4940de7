import { describe, expect, it } from "vitest";
import type { Device } from "../api/types";
import { bytes, draftOf, figures, millis, read, running, standing, trouble } from "./words";

const DEVICE: Device = {
  id: "d",
  name: "Till",
  device_type: "speaker",
  hardware_id: "h",
  model: "",
  zone_id: "z",
  volume: 80,
  trim_millis: -20,
  channels: "stereo",
  fetch_rate: 250_000,
  fetch_window: "22:00-06:00",
  is_online: true,
  last_seen: "2026-11-30T10:00:00Z",
  firmware_version: "0.1.0",
  faults: [],
  clock: "synced",
  trust: null,
  cache_24h: 100,
  cache_72h: 96,
  health: null,
  created_at: "2026-11-30T10:00:00Z",
  updated_at: "2026-11-30T10:00:00Z",
};

const HEALTH: NonNullable<Device["health"]> = {
  uptime: 7_200_000,
  load: 0.4,
  temperature: null,
  disk_free: 21_400_000_000,
  cache_bytes: 734_000_000,
  clock_error: 0.4,
  sync_error: 0.2,
  underruns: 0,
  level: null,
  wall_error: -3.1,
  ntp: true,
  dead_letters: 0,
};

describe("what a speaker says of itself", () => {
  it("is in words, and leaves out what it does not measure", () => {
    const found = Object.fromEntries(figures({ ...DEVICE, health: HEALTH }).map(({ name, value }) => [name, value]));
    expect(found["Peak of its sound"]).toBe("silence");
    expect(found.Clock).toBe("in step with the platform, within 0.40 ms, NTP too");
    expect(found["Off its place in the music"]).toBe("0.20 ms");
    expect(found["Free on its disk"]).toBe("21.4 GB");
    expect(found["Running for"]).toBe("2 hours");
    expect(found).not.toHaveProperty("Temperature");
    const loud = { ...HEALTH, level: -18.24, temperature: 51.5 };
    expect(figures({ ...DEVICE, health: loud })[0]).toEqual({ name: "Peak of its sound", value: "-18.2 dB" });
  });

  it("is little before its first heartbeat", () => {
    expect(figures({ ...DEVICE, clock: "none" }).map(({ name }) => name)).toEqual(["Clock", "On its disk of the next day"]);
    expect(standing(DEVICE)).toBe("online");
    expect(standing({ ...DEVICE, is_online: false })).toBe("offline");
    expect(standing({ ...DEVICE, is_online: false, last_seen: null })).toBe("never seen");
  });

  it("names what is wrong and what to do, also of a fault that is newer than this page", () => {
    expect(trouble("hot", "").what).toBe("It is too hot");
    expect(trouble("levitating", "2 cm")).toEqual({ what: "levitating", advice: "2 cm" });
  });

  it("has figures in the unit that is read best", () => {
    expect([0.25, 42, 12_000, -7_200_000, 1.8e12].map(millis)).toEqual(["0.25 ms", "42 ms", "12 s", "-2.0 h", "20833 days"]);
    expect([5e6, 2.5e9].map(bytes)).toEqual(["5 MB", "2.5 GB"]);
    expect([60_000, 3_600_000, 200_000_000].map(running)).toEqual(["1 minute", "1 hour", "2 days"]);
  });
});

describe("the form of a speaker", () => {
  it("says what the speaker is when nothing was changed", () => {
    expect(read(draftOf(DEVICE))).toEqual({
      written: {
        name: "Till",
        zone_id: "z",
        volume: 80,
        trim_millis: -20,
        channels: "stereo",
        fetch_rate: 250_000,
        fetch_window: "22:00-06:00",
      },
    });
    const free = read(draftOf({ ...DEVICE, zone_id: null, fetch_rate: 0, fetch_window: "" }));
    expect(free).toMatchObject({ written: { zone_id: null, fetch_rate: 0, fetch_window: "" } });
  });

  it("names every mistake", () => {
    const draft = { ...draftOf(DEVICE), name: " ", volume: "101", trim: "1.5", rate: "-1", to: "" };
    expect(read(draft)).toEqual({
      mistakes: {
        name: "Give it a name.",
        volume: "A whole number from 0 to 100.",
        trim: "A whole number from -1000 to 1000.",
        rate: "A whole number of kilobytes, or nothing.",
        to: "Until when?",
      },
    });
    expect(read({ ...draftOf(DEVICE), from: "" })).toEqual({ mistakes: { from: "From when on?" } });
  });
});
