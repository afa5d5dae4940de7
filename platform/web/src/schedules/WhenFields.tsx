/** When a schedule is heard, by the clock of each venue. */

import { ActionIcon, Button, NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";
import { Check } from "../ui/Check";
import { TrashIcon } from "../ui/icons";
import { Fold } from "../ui/Fold";
import css from "../ui/Page.module.css";
import { Radios } from "../ui/Radios";
import type { Shared } from "./api";
import { DatedFields } from "./DatedFields";
import { DayPills } from "./DayPills";
import type { Fields } from "./fields";
import { isOwn, OWN, USUAL } from "./recurrence";
import style from "./ScheduleEdit.module.css";
import { spanWords } from "./words";

type Props = Fields & { shared: Shared };

const STARTS = [
  { value: "at", label: "At these times" },
  { value: "minutes", label: "At minutes of each hour" },
  { value: "every", label: "Every so many minutes" },
  { value: "after_tracks", label: "After so many tracks of music" },
  { value: "share", label: "For so many seconds of each hour" },
] as const;

/** An announcement says how often, music only how long. */
export function WhenFields(props: Props) {
  const { draft, wrong, change, shared } = props;
  const dates = [
    draft.recurrence && "recurrence", draft.first && "first day", draft.last && "last day",
    draft.dated.length > 0 && "calendars",
  ];
  const told = dates.filter(Boolean).join(", ");
  return (
    <div className={style.fields}>
      {draft.type === "announcement" && (
        <>
          <Radios
            legend="How often"
            data={STARTS}
            value={draft.starting}
            onChange={(starting) => change({ starting })}
          />
          <Starts {...props} />
        </>
      )}
      <DayPills
        legend="On these days; none means every day"
        days={draft.days}
        onChange={(days) => change({ days })}
      />
      <Span {...props} />
      <Fold
        title="Dates and calendars"
        told={told}
        open={Boolean(told) || Boolean(wrong.first ?? wrong.last ?? wrong.dated)}
      >
        <Recurrence draft={draft} wrong={wrong} change={change} />
        <div className={css.pair}>
          <TextInput
            label="First day"
            type="date"
            value={draft.first}
            error={wrong.first}
            onChange={(event) => change({ first: event.currentTarget.value })}
          />
          <TextInput
            label="Last day"
            type="date"
            value={draft.last}
            error={wrong.last}
            onChange={(event) => change({ last: event.currentTarget.value })}
          />
        </div>
        <DatedFields draft={draft} wrong={wrong} change={change} calendars={shared.allCalendars} />
      </Fold>
    </div>
  );
}

const OTHER = "other";

function Recurrence({ draft, change }: Fields) {
  const [own, setOwn] = useState(isOwn(draft.recurrence));
  return (
    <>
      <NativeSelect
        label="It recurs"
        data={[...USUAL, { value: OTHER, label: "By a rule of its own" }]}
        value={own ? OTHER : draft.recurrence}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          setOwn(chosen === OTHER);
          change({ recurrence: chosen === OTHER ? OWN : chosen });
        }}
      />
      {own && (
        <TextInput
          label="Rule"
          description="As calendars have it (RFC 5545), without COUNT and UNTIL: the last day says where it ends"
          value={draft.recurrence}
          maxLength={200}
          onChange={(event) => change({ recurrence: event.currentTarget.value })}
        />
      )}
    </>
  );
}

function Starts({ draft, wrong, change }: Fields) {
  if (draft.starting === "at") return <Times draft={draft} wrong={wrong} change={change} />;
  const field = (key: "minutes" | "every" | "tracks" | "share", label: string, description?: string) => (
    <TextInput
      label={label}
      description={description}
      inputMode={key === "minutes" ? "text" : "numeric"}
      value={draft[key]}
      error={wrong[key]}
      onChange={(event) => change({ [key]: event.currentTarget.value })}
    />
  );
  if (draft.starting === "minutes") {
    return field("minutes", "Minutes of the hour", "Between commas: 0, 30 is at every full and half hour");
  }
  if (draft.starting === "share") {
    return field("share", "Seconds of each hour", "Spread evenly: a share of voice");
  }
  if (draft.starting === "after_tracks") return field("tracks", "Tracks");
  return (
    <>
      {field("every", "Minutes")}
      <Check
        label="By the clock: from the begin of its time on, every day the same"
        checked={draft.anchored}
        onChange={(anchored) => change({ anchored })}
      />
    </>
  );
}

const MOST_TIMES = 200;

function Times({ draft, wrong, change }: Fields) {
  const { times } = draft;
  return (
    <div className={style.times} role="group" aria-label="Times">
      {times.map((time, i) => (
        <div key={i} className={style.time}>
          <TextInput
            type="time"
            aria-label={`Time ${i + 1}`}
            value={time}
            onChange={(event) => change({ times: times.with(i, event.currentTarget.value) })}
          />
          {times.length > 1 && (
            <ActionIcon
              size={44}
              variant="subtle"
              color="gray"
              aria-label={`Remove time ${i + 1}`}
              onClick={() => change({ times: times.toSpliced(i, 1) })}
            >
              <TrashIcon />
            </ActionIcon>
          )}
        </div>
      ))}
      {wrong.times && (
        <p className={style.error} role="alert">
          {wrong.times}
        </p>
      )}
      <div className={css.buttons}>
        <Button
          variant="default"
          disabled={times.length >= MOST_TIMES}
          onClick={() => change({ times: [...times, ""] })}
        >
          Another time
        </Button>
      </div>
    </div>
  );
}

function Span({ draft, wrong, change, shared }: Props) {
  const parts = shared.allParts;
  const spans = [
    { value: "day" as const, label: "All day" },
    { value: "hours" as const, label: "From and to" },
    ...(parts.length > 0 ? [{ value: "part" as const, label: "A day-part" }] : []),
  ];
  return (
    <>
      <Radios legend="Within the day" data={spans} value={draft.span} onChange={(span) => change({ span })} />
      {draft.span === "hours" && (
        <>
          <div className={css.pair}>
            <TextInput
              label="From"
              type="time"
              value={draft.from}
              error={wrong.from}
              onChange={(event) => change({ from: event.currentTarget.value })}
            />
            <TextInput
              label="To"
              type="time"
              value={draft.to}
              onChange={(event) => change({ to: event.currentTarget.value })}
            />
          </div>
          {draft.from && draft.to && draft.to <= draft.from && (
            <p className={css.lead}>It ends on the next day, and belongs to the day on which it begins.</p>
          )}
        </>
      )}
      {draft.span === "part" && (
        <NativeSelect
          label="Day-part"
          data={[
            { value: "", label: "Choose …", disabled: true },
            ...parts.map(({ id, name, start_time, end_time }) => ({
              value: id,
              label: `${name} (${spanWords(start_time, end_time)})`,
            })),
          ]}
          value={draft.part}
          error={wrong.part}
          onChange={(event) => change({ part: event.currentTarget.value })}
        />
      )}
    </>
  );
}
