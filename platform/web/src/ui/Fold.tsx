/** What only some people need, folded away. */

import type { ReactNode } from "react";
import css from "./Fold.module.css";

interface Props {
  title: string;
  /** What is set inside, while it is closed. */
  told?: string;
  /** Whether it is open at first. */
  open?: boolean;
  children: ReactNode;
}

/** The browser's own: it opens by keyboard and is found by a search in the page. */
export function Fold({ title, told, open = false, children }: Props) {
  return (
    <details className={css.fold} open={open}>
      <summary className={css.summary}>
        <span>{title}</span>
        {told && <span className={css.told}>{told}</span>}
      </summary>
      <div className={css.inside}>{children}</div>
    </details>
  );
}
