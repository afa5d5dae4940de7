/** A schedule as fields of a form, and as the API has it: pure. */

import type { Schedule, ScheduleNew } from "../api/types";
import { whole } from "../ui/whole";
import { short } from "./clock";

export type Content = "channel" | "folder" | "announcement";
export type Starting = "at" | "minutes" | "every" | "after_tracks" | "share";

/** A calendar's part in a schedule; times only where its days have hours of their own. */
export interface Dated {
  readonly calendar: string;
  readonly part: "only" | "never" | "hours" | "silent";
  readonly from: string;
  readonly to: string;
}

export interface Draft {
  readonly name: string;
  readonly type: Schedule["type"];
  readonly isActive: boolean;
  readonly content: Content;
  readonly subject: { readonly id: string; readonly name: string } | null;
  readonly days: readonly number[];
  readonly span: "day" | "hours" | "part";
  readonly from: string;
  readonly to: string;
  readonly part: string;
  readonly starting: Starting;
  readonly times: readonly string[];
  /** Minutes of each hour, as they are written: `0, 30`. */
  readonly minutes: string;
  readonly every: string;
  readonly anchored: boolean;
  readonly tracks: string;
  /** Seconds of each hour. */
  readonly share: string;
  readonly first: string;
  /** A rule of RFC 5545; empty for every week. */
  readonly recurrence: string;
  readonly last: string;
  readonly dated: readonly Dated[];
  readonly everywhere: boolean;
  readonly places: readonly string[];
  readonly tags: string;
  readonly notPlaces: readonly string[];
  readonly notTags: string;
  /** The id of a level; empty for a number of its own. */
  readonly level: string;
  readonly priority: string;
  readonly begin: Schedule["begin"];
  readonly onEnd: Schedule["on_end"];
  readonly gap: Schedule["gap"];
  readonly fold: Schedule["fold"];
  readonly mode: "cut" | "next" | "wait";
  readonly mix: "pause" | "duck" | "mix";
  readonly onCut: "drop" | "restart";
  /** Seconds; `late` empty for never too late. */
  readonly wait: string;
  readonly late: string;
  readonly fadeIn: string;
  readonly fadeOut: string;
  /** Decibels. */
  readonly duck: string;
  readonly gain: string;
  readonly perHour: string;
  /** Minutes. */
  readonly minGap: string;
  readonly group: string;
}

export const EMPTY: Draft = {
  name: "", type: "music", isActive: true, content: "channel", subject: null,
  days: [], span: "day", from: "09:00", to: "18:00", part: "",
  starting: "at", times: ["12:00"], minutes: "0", every: "20", anchored: true, tracks: "4", share: "120",
  first: "", recurrence: "", last: "", dated: [],
  everywhere: true, places: [], tags: "", notPlaces: [], notTags: "",
  level: "", priority: "",
  begin: "next", onEnd: "continue", gap: "shift_forward", fold: "first",
  mode: "cut", mix: "pause", onCut: "drop", wait: "60", late: "60", fadeIn: "0", fadeOut: "0",
  duck: "-15", gain: "0", perHour: "0", minGap: "0", group: "",
};

/** What a priority is where nobody says. */
export const USUAL = { music: "30", announcement: "50" } as const;

const written = (value: number, per: number): string => String(value / per);

/** The fields of what there is. */
export function draftOf(schedule: Schedule): Draft {
  const { start, limits, exceptions, when } = schedule;
  const id = schedule.channel_id ?? schedule.folder_id ?? schedule.announcement_id;
  const fallback: Content = schedule.type === "music" ? "channel" : "announcement";
  const [from, to] = [short(schedule.start_time), short(schedule.end_time)];
  const hours = from === "00:00" && to === "00:00" ? "day" : "hours";
  return {
    ...EMPTY,
    name: schedule.name,
    type: schedule.type,
    isActive: schedule.is_active,
    content: schedule.content_type ?? fallback,
    subject: id ? { id, name: schedule.content_name } : null,
    days: schedule.days_of_week,
    span: schedule.day_part_id ? "part" : hours,
    ...(hours === "hours" && { from, to }),
    part: schedule.day_part_id ?? "",
    ...(when && startingOf(when)),
    first: schedule.first_date ?? "",
    recurrence: schedule.recurrence,
    last: schedule.last_date ?? "",
    dated: datedOf(schedule),
    everywhere: schedule.everywhere,
    places: [...schedule.location_ids, ...schedule.floor_ids, ...schedule.zone_ids],
    tags: schedule.tags.join(", "),
    notPlaces: [
      ...(exceptions.location_ids ?? []), ...(exceptions.floor_ids ?? []), ...(exceptions.zone_ids ?? []),
    ],
    notTags: (exceptions.tags ?? []).join(", "),
    level: schedule.priority_level_id ?? "",
    priority: String(schedule.priority),
    begin: schedule.begin,
    onEnd: schedule.on_end,
    gap: schedule.gap,
    fold: schedule.fold,
    mode: start.mode ?? EMPTY.mode,
    mix: start.mix ?? EMPTY.mix,
    onCut: start.on_cut ?? EMPTY.onCut,
    wait: start.mode === "wait" ? written(start.max_wait_millis ?? 0, 1000) : EMPTY.wait,
    late: start.late_by_millis === null ? "" : written(start.late_by_millis ?? 60_000, 1000),
    fadeIn: written(start.fade_in_millis ?? 0, 1000),
    fadeOut: written(start.fade_out_millis ?? 0, 1000),
    duck: written(start.duck ?? -1500, 100),
    gain: written(start.gain ?? 0, 100),
    perHour: String(limits.max_per_hour ?? 0),
    minGap: written(limits.min_gap_millis ?? 0, 60_000),
    group: limits.group ?? "",
  };
}

function startingOf(when: NonNullable<Schedule["when"]>): Partial<Draft> {
  const starting = when.kind;
  if (when.kind === "at") return { starting, times: when.times.map(short) };
  if (when.kind === "minutes") return { starting, minutes: when.minutes.join(", ") };
  if (when.kind === "every") return { starting, every: String(when.minutes), anchored: when.anchored ?? true };
  if (when.kind === "share") return { starting, share: String(when.seconds_per_hour) };
  return { starting, tracks: String(when.tracks) };
}

function datedOf(schedule: Schedule): readonly Dated[] {
  const none = { from: "", to: "" };
  return [
    ...schedule.only_calendar_ids.map((calendar): Dated => ({ calendar, part: "only", ...none })),
    ...schedule.never_calendar_ids.map((calendar): Dated => ({ calendar, part: "never", ...none })),
    ...schedule.special_days.map(({ calendar_id, start_time, end_time }): Dated =>
      start_time && end_time
        ? { calendar: calendar_id, part: "hours", from: short(start_time), to: short(end_time) }
        : { calendar: calendar_id, part: "silent", ...none },
    ),
  ];
}

/** The number that is written, with a sign and decimals, from `least` to `most`; null for none. */
export function number(text: string, least: number, most: number): number | null {
  const plain = text.trim().replace(",", ".").replace("−", "-");
  if (!/^-?\d{1,6}(\.\d{1,3})?$/.test(plain)) return null;
  const found = Number(plain);
  return found >= least && found <= most ? found : null;
}

/** The minutes of each hour that are written, rising; null where one of them is none. */
export function minutesOf(text: string): number[] | null {
  const found = text.split(/[\s,;]+/).filter(Boolean).map((one) => whole(one.replace(/^:/, ""), 0, 59));
  if (found.length === 0 || found.includes(null)) return null;
  return [...new Set(found.filter((one) => one !== null))].toSorted((a, b) => a - b);
}

/** Tags as they are written, between commas. */
export function tagsOf(text: string): string[] {
  return [...new Set(text.split(",").map((tag) => tag.trim()).filter(Boolean))];
}

type Wrong = Partial<Record<keyof Draft, string>>;

/** What stands in the way of it, field by field. */
export function wrongs(draft: Draft): Wrong {
  const isCall = draft.type === "announcement";
  const seconds = "Seconds, from 0 to 86,400.";
  return {
    ...(!draft.name.trim() && { name: "Give it a name." }),
    ...(!draft.subject && { subject: "Choose what is to be heard." }),
    ...(draft.span === "hours" && !(draft.from && draft.to) && { from: "Give both a begin and an end." }),
    ...(draft.span === "part" && !draft.part && { part: "Choose a day-part." }),
    ...(draft.recurrence && !draft.first && { first: "Say from which day on it is counted." }),
    ...(draft.first && draft.last && draft.last < draft.first && { last: "It ends before it begins." }),
    ...(draft.dated.some(({ calendar, part, from, to }) => !calendar || (part === "hours" && !(from && to))) && {
      dated: "Choose a calendar in each line, and both times where its days have hours of their own.",
    }),
    ...(!draft.everywhere && draft.places.length === 0 && tagsOf(draft.tags).length === 0 && {
      places: "Choose where it is to be heard.",
    }),
    ...(!draft.level && draft.priority !== "" && whole(draft.priority, 0, 100) === null && {
      priority: "A number from 0 to 100.",
    }),
    ...(isCall && wrongStart(draft)),
    ...(draft.mode === "wait" && number(draft.wait, 0, 86_400) === null && { wait: seconds }),
    ...(isCall && draft.late !== "" && number(draft.late, 0, 86_400) === null && { late: seconds }),
    ...(isCall && number(draft.fadeIn, 0, 15) === null && { fadeIn: "Seconds, from 0 to 15." }),
    ...(isCall && number(draft.fadeOut, 0, 15) === null && { fadeOut: "Seconds, from 0 to 15." }),
    ...(isCall && number(draft.duck, -60, 0) === null && { duck: "Decibels, from −60 to 0." }),
    ...(isCall && number(draft.gain, -40, 6) === null && { gain: "Decibels, from −40 to 6." }),
    ...(isCall && whole(draft.perHour, 0, 60) === null && { perHour: "A number from 0 to 60." }),
    ...(isCall && number(draft.minGap, 0, 1440) === null && { minGap: "Minutes, from 0 to 1,440." }),
  };
}

function wrongStart({ starting, times, minutes, every, tracks, share }: Draft): Wrong {
  if (starting === "at") return times.some(Boolean) ? {} : { times: "Give at least one time." };
  if (starting === "minutes") return minutesOf(minutes) ? {} : { minutes: "Numbers from 0 to 59, between commas." };
  if (starting === "every") return whole(every, 1, 1440) === null ? { every: "Minutes, from 1 to 1,440." } : {};
  if (starting === "share") return whole(share, 1, 3600) === null ? { share: "Seconds, from 1 to 3,600." } : {};
  return whole(tracks, 1, 1000) === null ? { tracks: "A number from 1 to 1,000." } : {};
}

function whenOf(draft: Draft): Schedule["when"] {
  const { starting } = draft;
  if (draft.type === "music") return null;
  if (starting === "at") return { kind: "at", times: draft.times.filter(Boolean) };
  if (starting === "minutes") return { kind: "minutes", minutes: minutesOf(draft.minutes) ?? [] };
  if (starting === "every") {
    return { kind: "every", minutes: whole(draft.every, 1, 1440) ?? 1, anchored: draft.anchored };
  }
  if (starting === "share") return { kind: "share", seconds_per_hour: whole(draft.share, 1, 3600) ?? 1 };
  return { kind: "after_tracks", tracks: whole(draft.tracks, 1, 1000) ?? 1 };
}

function spanOf({ span, from, to, part }: Draft) {
  if (span === "part") return { day_part_id: part };
  return span === "hours" ? { start_time: from, end_time: to } : { start_time: "00:00", end_time: "00:00" };
}

/** The kind of each place. */
export type Kinds = ReadonlyMap<string, { readonly kind: string }>;

function targets(ids: readonly string[], tags: string, kinds: Kinds) {
  const of = (kind: string) => ids.filter((id) => kinds.get(id)?.kind === kind);
  return {
    location_ids: of("location"),
    floor_ids: of("floor"),
    // one that is not known any more is sent back as it came: a zone, or it is refused
    zone_ids: ids.filter((id) => !["location", "floor"].includes(kinds.get(id)?.kind ?? "")),
    tags: tagsOf(tags),
  };
}

const millis = (text: string, per: number): number => Math.round((number(text, -1e6, 1e6) ?? 0) * per);

/** The body of it; only where nothing is wrong. */
export function toBody(draft: Draft, kinds: Kinds): ScheduleNew {
  const subject = draft.subject?.id ?? null;
  const isCall = draft.type === "announcement";
  const of = (part: Dated["part"]) =>
    draft.dated.filter((one) => one.part === part).map(({ calendar }) => calendar);
  const special = draft.dated.filter(({ part }) => part === "hours" || part === "silent");
  const where = draft.everywhere ? { ids: [], tags: "" } : { ids: draft.places, tags: draft.tags };
  return {
    name: draft.name.trim(),
    type: draft.type,
    is_active: draft.isActive,
    [`${isCall ? "announcement" : draft.content}_id`]: subject,
    ...spanOf(draft),
    days_of_week: [...draft.days],
    first_date: draft.first || null,
    recurrence: draft.recurrence.trim(),
    last_date: draft.last || null,
    only_calendar_ids: of("only"),
    never_calendar_ids: of("never"),
    special_days: special.map(({ calendar, part, from, to }) => ({
      calendar_id: calendar,
      ...(part === "hours" && { start_time: from, end_time: to }),
    })),
    when: whenOf(draft),
    gap: draft.gap,
    fold: draft.fold,
    everywhere: draft.everywhere,
    ...targets(where.ids, where.tags, kinds),
    exceptions: targets(draft.notPlaces, draft.notTags, kinds),
    priority_level_id: draft.level || null,
    ...(!draft.level && { priority: whole(draft.priority, 0, 100) ?? Number(USUAL[draft.type]) }),
    ...(isCall
      ? manner(draft)
      : { begin: draft.begin, on_end: draft.onEnd, start: turn(draft) }),
  };
}

/** When it takes the zone: all that music says of its start. */
function turn({ mode, wait }: Draft) {
  return { mode, max_wait_millis: mode === "wait" ? millis(wait, 1000) : 0 };
}

function manner(draft: Draft): Pick<ScheduleNew, "start" | "limits"> {
  return {
    start: {
      ...turn(draft),
      late_by_millis: draft.late === "" ? null : millis(draft.late, 1000),
      mix: draft.mix,
      duck: millis(draft.duck, 100),
      fade_in_millis: millis(draft.fadeIn, 1000),
      fade_out_millis: millis(draft.fadeOut, 1000),
      gain: millis(draft.gain, 100),
      on_cut: draft.onCut,
    },
    limits: {
      max_per_hour: whole(draft.perHour, 0, 60) ?? 0,
      min_gap_millis: millis(draft.minGap, 60_000),
      group: draft.group.trim(),
    },
  };
}
