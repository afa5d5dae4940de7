/** The calendars that a schedule follows. */

import { ActionIcon, Button, NativeSelect, TextInput } from "@mantine/core";
import type { CalendarSummary } from "../api/types";
import { TrashIcon } from "../ui/icons";
import css from "../ui/Page.module.css";
import type { Dated } from "./draft";
import type { Fields } from "./fields";
import style from "./ScheduleEdit.module.css";

const PARTS = [
  { value: "only", label: "Only on its days" },
  { value: "never", label: "Never on its days" },
  { value: "hours", label: "Other hours on its days" },
];
const SILENT = { value: "silent", label: "Nothing on its days" };

/** Each line is one calendar. */
export function DatedFields({ draft, wrong, change, calendars }: Fields & { calendars: readonly CalendarSummary[] }) {
  const { dated } = draft;
  const put = (i: number, some: Partial<Dated>) =>
    change({ dated: dated.map((one, at) => (at === i ? { ...one, ...some } : one)) });
  if (calendars.length === 0 && dated.length === 0) {
    return (
      <p className={css.lead}>
        There is no calendar yet. Calendars name days, holidays for one, and are made under “Day-parts and
        calendars”.
      </p>
    );
  }
  return (
    <>
      {dated.map((one, i) => (
        <div key={i} className={style.dated} role="group" aria-label={`Calendar ${i + 1}`}>
          <NativeSelect
            label="Calendar"
            data={[
              { value: "", label: "Choose …", disabled: true },
              ...calendars.map(({ id, name }) => ({ value: id, label: name })),
            ]}
            value={one.calendar}
            onChange={(event) => put(i, { calendar: event.currentTarget.value })}
          />
          <NativeSelect
            label="What it means"
            data={one.part === "silent" ? [...PARTS, SILENT] : PARTS}
            value={one.part}
            onChange={(event) => put(i, { part: event.currentTarget.value as Dated["part"] })}
          />
          {one.part === "hours" && (
            <>
              <TextInput
                label="From"
                type="time"
                value={one.from}
                onChange={(event) => put(i, { from: event.currentTarget.value })}
              />
              <TextInput
                label="To"
                type="time"
                value={one.to}
                onChange={(event) => put(i, { to: event.currentTarget.value })}
              />
            </>
          )}
          <ActionIcon
            size={44}
            variant="subtle"
            color="gray"
            aria-label={`Remove calendar ${i + 1}`}
            onClick={() => change({ dated: dated.toSpliced(i, 1) })}
          >
            <TrashIcon />
          </ActionIcon>
        </div>
      ))}
      {wrong.dated && (
        <p className={style.error} role="alert">
          {wrong.dated}
        </p>
      )}
      <div className={css.buttons}>
        <Button
          variant="default"
          disabled={dated.length >= 20}
          onClick={() => change({ dated: [...dated, { calendar: "", part: "never", from: "", to: "" }] })}
        >
          Follow a calendar
        </Button>
      </div>
    </>
  );
}
