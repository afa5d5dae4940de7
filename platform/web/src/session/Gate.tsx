/** The card of every page that is open to whoever is not signed in. */

import type { ReactNode } from "react";
import { Mark } from "../ui/icons";
import css from "./SignInPage.module.css";

interface Props {
  title: string;
  children: ReactNode;
}

/** The mark, a title, and what there is to do. */
export function Gate({ title, children }: Props) {
  return (
    <main className={css.page}>
      <div className={css.card}>
        <header className={css.brand}>
          <Mark size={44} />
          <h1 className={css.title}>{title}</h1>
        </header>
        {children}
      </div>
    </main>
  );
}

/** A sentence or two in the card. */
export function Notice({ children }: { children: ReactNode }) {
  return (
    <p className={css.notice} role="status">
      {children}
    </p>
  );
}
