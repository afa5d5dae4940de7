/** Days of the week to tick. */

import style from "./ScheduleEdit.module.css";
import { DAYS, WHOLE_DAYS } from "./words";

interface Props {
  legend: string;
  /** 0 is Monday. */
  days: readonly number[];
  onChange: (days: readonly number[]) => void;
}

/** In the order of the week, whatever the order in which they are ticked. */
export function DayPills({ legend, days, onChange }: Props) {
  return (
    <fieldset className={style.days}>
      <legend>{legend}</legend>
      {DAYS.map((day, i) => (
        <label key={day} className={style.pill}>
          <input
            type="checkbox"
            aria-label={WHOLE_DAYS[i]}
            checked={days.includes(i)}
            onChange={(event) =>
              onChange(
                event.currentTarget.checked
                  ? [...days, i].toSorted((a, b) => a - b)
                  : days.filter((one) => one !== i),
              )
            }
          />
          {day}
        </label>
      ))}
    </fieldset>
  );
}
