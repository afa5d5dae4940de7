/** When it begins, and how long it waits where others sound: seldom needed, hence folded away. */

import { NativeSelect } from "@mantine/core";
import { DownIcon } from "../ui/icons";
import css from "./PatienceFields.module.css";
import { DELAYS, type Patience, TIMEOUTS } from "./patience";

interface Props {
  value: Patience;
  onChange: (value: Patience) => void;
}

/** A delay leaves time to take it back before anybody hears it. */
export function PatienceFields({ value, onChange }: Props) {
  const chosen = DELAYS.find((one) => one.value === String(value.delay))?.label ?? "";
  return (
    <details className={css.more}>
      <summary className={css.summary}>
        <span>
          When <span className={css.chosen}>{chosen}</span>
        </span>
        <DownIcon size={18} />
      </summary>
      <div className={css.fields}>
        <NativeSelect
          label="Begins"
          description="Until then it can be taken back unheard."
          data={DELAYS}
          value={String(value.delay)}
          onChange={(event) => onChange({ ...value, delay: Number(event.currentTarget.value) })}
        />
        <NativeSelect
          label="Waits for others"
          description="Where it could not begin by then, it is left out."
          data={TIMEOUTS}
          value={String(value.timeout)}
          onChange={(event) => onChange({ ...value, timeout: Number(event.currentTarget.value) })}
        />
      </div>
    </details>
  );
}
