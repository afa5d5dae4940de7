/** A box to tick, as high as a thumb. */

import type { ReactNode } from "react";
import css from "./Check.module.css";

interface Props {
  label: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
}

/** The whole line can be pressed. */
export function Check({ label, checked, onChange }: Props) {
  return (
    <label className={css.check}>
      <input
        type="checkbox"
        checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}
