/** How long it lasts: an open end, a while, or until a time of day. */

import { NativeSelect, TextInput } from "@mantine/core";
import css from "./MusicChoice.module.css";
import { choices, type Lasting } from "./until";

interface Props {
  /** What no end means: `Until the schedule goes on`. */
  open: string;
  label: string;
  value: Lasting;
  onChange: (value: Lasting) => void;
}

/** The time is that of the reader's own clock. */
export function LastingFields({ open, label, value, onChange }: Props) {
  return (
    <div className={css.row}>
      <NativeSelect
        className={css.select}
        aria-label={label}
        data={choices(open)}
        value={value.choice}
        onChange={(event) => onChange({ ...value, choice: event.currentTarget.value })}
      />
      {value.choice === "at" && (
        <TextInput
          className={css.time}
          type="time"
          size="md"
          aria-label={`${label}: the time`}
          value={value.time}
          onChange={(event) => onChange({ ...value, time: event.currentTarget.value })}
        />
      )}
    </div>
  );
}
