/** How important a schedule is, and the rest that most people leave as it is. */

import { NativeSelect, TextInput } from "@mantine/core";
import type { PriorityLevel } from "../api/types";
import { Fold } from "../ui/Fold";
import css from "../ui/Page.module.css";
import { type Draft, USUAL } from "./draft";
import type { Fields } from "./fields";
import style from "./ScheduleEdit.module.css";

interface Option<V extends string> {
  readonly value: V;
  readonly label: string;
}

const GO_ON: readonly Option<Draft["begin"]>[] = [
  { value: "next", label: "With the next piece" },
  { value: "continue", label: "Where it was cut off" },
  { value: "restart", label: "From the top" },
];
const MODES: readonly Option<Draft["mode"]>[] = [
  { value: "cut", label: "Exactly then, in the middle of a song" },
  { value: "next", label: "After the song that plays" },
  { value: "wait", label: "After the song, if that is soon enough" },
];
const TURNS: readonly Option<Draft["mode"]>[] = [
  { value: "cut", label: "At once" },
  { value: "next", label: "When the song that plays ends" },
  { value: "wait", label: "When the song ends, if that is soon enough" },
];
const MIXES: readonly Option<Draft["mix"]>[] = [
  { value: "pause", label: "Stands still" },
  { value: "duck", label: "Goes on softly" },
  { value: "mix", label: "Goes on as it is" },
];
const CUTS: readonly Option<Draft["onCut"]>[] = [
  { value: "drop", label: "Is over" },
  { value: "restart", label: "Begins again afterwards" },
];
const GAPS: readonly Option<Draft["gap"]>[] = [
  { value: "shift_forward", label: "Is heard as much later" },
  { value: "skip", label: "Is left out" },
];
const FOLDS: readonly Option<Draft["fold"]>[] = [
  { value: "first", label: "Is heard once" },
  { value: "both", label: "Is heard both times" },
];

type Props = Fields & { levels: readonly PriorityLevel[] };

/** A level, or a number of its own. */
export function PriorityFields({ draft, wrong, change, levels }: Props) {
  return (
    <div className={style.fields}>
      <p className={css.lead}>
        The higher one is heard. Of equal ones the narrower place goes first, then days of a calendar,
        then the older schedule; announcements wait for each other.
      </p>
      <div className={css.pair}>
        <NativeSelect
          label="Level"
          data={[
            { value: "", label: "A number of its own" },
            ...levels.map(({ id, name, priority }) => ({ value: id, label: `${name} (${priority})` })),
          ]}
          value={draft.level}
          onChange={(event) => change({ level: event.currentTarget.value })}
        />
        {!draft.level && (
          <TextInput
            label="Priority"
            inputMode="numeric"
            placeholder={USUAL[draft.type]}
            value={draft.priority}
            error={wrong.priority}
            onChange={(event) => change({ priority: event.currentTarget.value })}
          />
        )}
      </div>
    </div>
  );
}

type Chosen = { [K in keyof Draft]: Draft[K] extends string ? K : never }[keyof Draft];

/** Opened where something in it is wrong. */
export function MoreFields({ draft, wrong, change }: Fields) {
  const choice = <K extends Chosen>(key: K, label: string, data: readonly Option<Draft[K] & string>[]) => (
    <NativeSelect
      label={label}
      data={[...data]}
      value={draft[key]}
      onChange={(event) => change({ [key]: event.currentTarget.value })}
    />
  );
  const text = (key: Chosen, label: string, description?: string) => (
    <TextInput
      label={label}
      description={description}
      inputMode={key === "group" ? "text" : "decimal"}
      value={draft[key]}
      error={wrong[key]}
      onChange={(event) => change({ [key]: event.currentTarget.value })}
    />
  );
  if (draft.type === "music") {
    return (
      <Fold title="How music begins and goes on" open={Boolean(wrong.wait)}>
        {choice("mode", "It begins", TURNS)}
        {draft.mode === "wait" && text("wait", "Waits at most", "Seconds")}
        {choice("begin", "When its time begins again", GO_ON)}
        {choice("onEnd", "Music that it took the place of goes on", GO_ON)}
      </Fold>
    );
  }
  const inside = ["wait", "late", "fadeIn", "fadeOut", "duck", "gain"] as const;
  const limits = ["perHour", "minGap"] as const;
  return (
    <>
      <Fold title="How it begins and sounds" open={inside.some((key) => wrong[key])}>
        {choice("mode", "It begins", MODES)}
        {draft.mode === "wait" && text("wait", "Waits at most", "Seconds; then it cuts in")}
        {text("late", "Too late after", "Seconds; left empty it is never too late")}
        {choice("mix", "Music meanwhile", MIXES)}
        <div className={css.pair}>
          {draft.mix === "duck" && text("duck", "How softly", "Decibels")}
          {text("gain", "Louder or softer", "Decibels")}
          {text("fadeOut", "Music fades out", "Seconds")}
          {text("fadeIn", "Music fades in", "Seconds")}
        </div>
        {choice("onCut", "Interrupted by something more important, it", CUTS)}
      </Fold>
      <Fold title="How much of it" open={limits.some((key) => wrong[key])}>
        <div className={css.pair}>
          {text("perHour", "At most in an hour", "0 does not ask")}
          {text("minGap", "At least apart", "Minutes from start to start")}
        </div>
        {text("group", "Group", "Announcements of one group keep their distance from each other too")}
      </Fold>
      <Fold title="When the clocks change">
        {choice("gap", "A time that is skipped in spring", GAPS)}
        {choice("fold", "A time that comes twice in autumn", FOLDS)}
      </Fold>
    </>
  );
}
