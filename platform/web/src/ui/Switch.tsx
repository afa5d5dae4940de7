/** On or off, as high as a thumb. */

import css from "./Switch.module.css";

interface Props {
  label: string;
  on: boolean;
  /** While the platform is asked. */
  busy?: boolean;
  onChange: (on: boolean) => void;
}

/** Says its state in a word, not by colour alone. */
export function Switch({ label, on, busy = false, onChange }: Props) {
  return (
    <button
      type="button"
      role="switch"
      className={css.switch}
      aria-checked={on}
      aria-label={label}
      aria-busy={busy}
      onClick={() => !busy && onChange(!on)}
    >
      <span className={css.track} aria-hidden="true">
        <span className={css.knob} />
      </span>
      <span aria-hidden="true">{on ? "On" : "Off"}</span>
    </button>
  );
}
