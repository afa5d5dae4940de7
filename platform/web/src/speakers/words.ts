/** What a speaker says of itself, as people read it, and what they write of it. */

import type { Device } from "../api/types";
import { count } from "../format";

interface Trouble {
  readonly what: string;
  readonly advice: string;
}

const TROUBLE: Record<string, Trouble> = {
  silent: { what: "It is silent though it plays", advice: "Look at the amplifier, the cables and the volume of the card." },
  out_of_step: { what: "It is out of step with the others", advice: "Its processor or its network is too busy, or its card is broken." },
  underruns: { what: "Its sound breaks", advice: "Its processor is too busy, or its power supply too weak." },
  clock_differs: {
    what: "NTP and the platform tell it different times",
    advice: "Look at the clock of the platform’s machine and at the NTP servers of this network.",
  },
  hot: { what: "It is too hot", advice: "Give it air: at 80 °C it slows down." },
  disk_low: { what: "Its disk is almost full", advice: "Something else than its music fills it." },
  disk: { what: "Its disk takes nothing", advice: "Music plays on. Replace the memory card." },
  fetch: { what: "It cannot fetch what it needs", advice: "Look at its network, and whether it reaches the platform." },
  media_undecodable: { what: "It cannot decode a file", advice: "Another track fills in for it. Send the file anew." },
  card: { what: "It has no sound card", advice: "Plug it in: it is found again by itself." },
  trust: { what: "It refuses new certificates", advice: "They do not know all its servers: make them anew." },
  emergency_unverified: {
    what: "It cannot prove an emergency",
    advice: "It was signed by a key that this speaker does not know.",
  },
};

/** What is wrong, and what to do about it. */
export function trouble(code: string, detail: string): Trouble {
  return TROUBLE[code] ?? { what: code, advice: detail };
}

/** Whether it is there, in a word or two. */
export function standing(device: Device): string {
  if (device.is_online) return "online";
  return device.last_seen ? "offline" : "never seen";
}

export const CHANNELS: readonly { value: Device["channels"]; label: string }[] = [
  { value: "stereo", label: "Stereo" },
  { value: "mono", label: "Mono: both on each" },
  { value: "left", label: "Left on both" },
  { value: "right", label: "Right on both" },
];

const CLOCK: Record<Device["clock"], string> = {
  none: "not known yet",
  holdover: "goes on without the platform",
  synced: "in step with the platform",
};

export interface Figure {
  readonly name: string;
  readonly value: string;
}

/** Every figure that it measures, those first that are heard. */
export function figures(device: Device): Figure[] {
  const health = device.health;
  const cache = { name: "On its disk of the next day", value: `${device.cache_24h} %, of three days ${device.cache_72h} %` };
  const clock = { name: "Clock", value: clockOf(device) };
  if (!health) return [clock, cache];
  const found: [string, number | null | undefined, (value: number) => string][] = [
    ["Off its place in the music", health.sync_error, millis],
    ["Breaks of sound since its start", health.underruns, String],
    ["Its own clock is ahead by", health.wall_error, millis],
    ["Temperature", health.temperature, (value) => `${value.toFixed(0)} °C`],
    ["Load", health.load, (value) => value.toFixed(2)],
    ["Free on its disk", health.disk_free, bytes],
    ["Music on its disk", health.cache_bytes, bytes],
    ["Play events it could not read", health.dead_letters, String],
  ];
  return [
    { name: "Peak of its sound", value: health.level === null ? "silence" : `${health.level.toFixed(1)} dB` },
    clock,
    ...found.flatMap(([name, value, word]) => (value == null ? [] : [{ name, value: word(value) }])),
    cache,
    { name: "Running for", value: running(health.uptime) },
  ];
}

function clockOf(device: Device): string {
  const error = device.health?.clock_error;
  const sure = error == null ? "" : `, within ${millis(error)}`;
  const ntp = device.health?.ntp ? ", NTP too" : "";
  return `${CLOCK[device.clock]}${sure}${ntp}`;
}

/** Milliseconds, in the unit that is read best. */
export function millis(value: number): string {
  const size = Math.abs(value);
  if (size < 10_000) return `${value.toFixed(size < 10 ? 2 : 0)} ms`;
  const seconds = value / 1000;
  if (Math.abs(seconds) < 3600) return `${seconds.toFixed(0)} s`;
  const hours = seconds / 3600;
  return Math.abs(hours) < 48 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(0)} days`;
}

/** Bytes in the unit that is read best. */
export function bytes(value: number): string {
  return value >= 1e9 ? `${(value / 1e9).toFixed(1)} GB` : `${(value / 1e6).toFixed(0)} MB`;
}

/** For how long it has run. */
export function running(value: number): string {
  const minutes = Math.floor(value / 60_000);
  if (minutes < 60) return count(minutes, "minute");
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? count(hours, "hour") : count(Math.floor(hours / 24), "day");
}

/** What a form holds of a speaker, as it is written. */
export interface Draft {
  readonly name: string;
  readonly zone: string;
  readonly volume: string;
  readonly trim: string;
  readonly channels: Device["channels"];
  readonly rate: string;
  readonly from: string;
  readonly to: string;
}

/** The form of a speaker as it is. */
export function draftOf(device: Device): Draft {
  const [from = "", to = ""] = device.fetch_window.split("-");
  return {
    name: device.name,
    zone: device.zone_id ?? "",
    volume: String(device.volume),
    trim: String(device.trim_millis),
    channels: device.channels,
    rate: device.fetch_rate ? String(Math.round(device.fetch_rate / 1000)) : "",
    from,
    to,
  };
}

export interface Written {
  readonly name: string;
  readonly zone_id: string | null;
  readonly volume: number;
  readonly trim_millis: number;
  readonly channels: Device["channels"];
  readonly fetch_rate: number;
  readonly fetch_window: string;
}

export type Mistakes = Partial<Record<keyof Draft, string>>;

/** What a form says, or what is wrong with it. */
export function read(draft: Draft): { written: Written } | { mistakes: Mistakes } {
  const volume = number(draft.volume, 0, 100);
  const trim = number(draft.trim, -1000, 1000);
  const rate = draft.rate.trim() ? number(draft.rate, 1, 1_000_000) : 0;
  const mistakes: Mistakes = {
    ...(!draft.name.trim() && { name: "Give it a name." }),
    ...(volume === null && { volume: "A whole number from 0 to 100." }),
    ...(trim === null && { trim: "A whole number from -1000 to 1000." }),
    ...(rate === null && { rate: "A whole number of kilobytes, or nothing." }),
    ...(!draft.from && draft.to && { from: "From when on?" }),
    ...(draft.from && !draft.to && { to: "Until when?" }),
  };
  if (volume === null || trim === null || rate === null || Object.keys(mistakes).length > 0) return { mistakes };
  return {
    written: {
      name: draft.name.trim(),
      zone_id: draft.zone || null,
      volume,
      trim_millis: trim,
      channels: draft.channels,
      fetch_rate: rate * 1000,
      fetch_window: draft.from ? `${draft.from}-${draft.to}` : "",
    },
  };
}

function number(text: string, least: number, most: number): number | null {
  const found = /^[-+−]?\d{1,7}$/.test(text.trim()) ? Number(text.trim().replace("−", "-")) : Number.NaN;
  return found >= least && found <= most ? found : null;
}
