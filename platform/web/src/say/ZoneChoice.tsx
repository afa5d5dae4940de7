/** Where it is to be said: all zones, or some of them. */

import type { ZoneView } from "../api/types";
import { CheckIcon } from "../ui/icons";
import css from "./ZoneChoice.module.css";

interface Props {
  zones: readonly ZoneView[];
  /** Null means all, also those added later. */
  chosen: ReadonlySet<string> | null;
  onChange: (chosen: ReadonlySet<string> | null) => void;
}

/** Checkboxes that look like buttons: one tap each. */
export function ZoneChoice({ zones, chosen, onChange }: Props) {
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChange(next);
  };
  return (
    <fieldset className={css.set}>
      <legend className={css.legend}>Where</legend>
      <Box
        label="All zones"
        checked={chosen === null}
        onChange={() => onChange(chosen === null ? new Set() : null)}
      />
      {zones.map(({ zone_id, name }) => (
        <Box
          key={zone_id}
          label={name}
          checked={chosen?.has(zone_id) ?? false}
          onChange={() => toggle(zone_id)}
        />
      ))}
    </fieldset>
  );
}

interface BoxProps {
  label: string;
  checked: boolean;
  onChange: () => void;
}

function Box({ label, checked, onChange }: BoxProps) {
  return (
    <label className={css.box}>
      <input type="checkbox" checked={checked} onChange={onChange} />
      {checked && <CheckIcon size={16} />}
      <span>{label}</span>
    </label>
  );
}
