/** One of a few, each in sight. */

import { type ReactNode, useId } from "react";
import page from "./Page.module.css";
import css from "./Finder.module.css";

interface Choice<V extends string> {
  readonly value: V;
  readonly label: ReactNode;
  readonly detail?: string;
}

interface Props<V extends string> {
  legend: string;
  data: readonly Choice<V>[];
  value: V;
  onChange: (value: V) => void;
}

/** The whole line of each can be pressed. */
export function Radios<V extends string>({ legend, data, value, onChange }: Props<V>) {
  const group = useId();
  return (
    <fieldset className={page.set}>
      <legend>{legend}</legend>
      {data.map((one) => (
        <label key={one.value} className={css.choice}>
          <input
            type="radio"
            name={group}
            value={one.value}
            checked={one.value === value}
            onChange={() => onChange(one.value)}
          />
          <span className={css.name}>{one.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
