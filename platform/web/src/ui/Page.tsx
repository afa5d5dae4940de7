/** A page below the header: a title, what can be done, and sections. */

import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import type { List } from "../api/lists";
import { Asked } from "./Asked";
import { Header } from "./Header";
import css from "./Page.module.css";

interface Props {
  title: string;
  action?: ReactNode;
  /** Whether it takes all the room there is. */
  wide?: boolean;
  children: ReactNode;
}

/** The frame of every page but that of the zones. */
export function Page({ title, action, wide, children }: Props) {
  return (
    <>
      <Header />
      <main className={css.page} data-wide={wide === true || undefined}>
        <div className={css.top}>
          <h1 className={css.title}>{title}</h1>
          {action}
        </div>
        {children}
      </main>
    </>
  );
}

interface SectionProps {
  title: string;
  lead?: ReactNode;
  action?: ReactNode;
  children: ReactNode;
}

/** A card with a title of its own. */
export function Section({ title, lead, action, children }: SectionProps) {
  return (
    <section className={css.section} aria-label={title}>
      <div className={css.top}>
        <h2 className={css.head}>{title}</h2>
        {action}
      </div>
      {lead && <p className={css.lead}>{lead}</p>}
      {children}
    </section>
  );
}

interface ListedProps<T> {
  list: List<T>;
  name: string;
  empty: string;
  row: (item: T) => ReactNode;
  keyOf: (item: T) => string;
}

/** A list in each of its states: loading, failed, empty, and page by page. */
export function Listed<T>({ list, name, empty, row, keyOf }: ListedProps<T>) {
  return (
    <>
      <Asked of={list} name={name} height={120}>
        {({ pages }) => (
          <Items all={pages.flatMap((page) => page.results)} name={name} empty={empty} row={row} keyOf={keyOf} />
        )}
      </Asked>
      {list.hasNextPage && (
        <Button
          variant="default"
          loading={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </>
  );
}

interface ItemsProps<T> extends Omit<ListedProps<T>, "list"> {
  all: readonly T[];
}

/** A list that is there, or that there is none. */
export function Items<T>({ all, name, empty, row, keyOf }: ItemsProps<T>) {
  if (all.length === 0) return <p className={css.lead}>{empty}</p>;
  return (
    <ul className={css.list} aria-label={name}>
      {all.map((item) => (
        <li key={keyOf(item)} className={css.row}>
          {row(item)}
        </li>
      ))}
    </ul>
  );
}

interface RowProps {
  title: ReactNode;
  detail?: ReactNode;
  children?: ReactNode;
}

/** A line of a list: what it is, what is known of it, and its buttons. */
export function Row({ title, detail, children }: RowProps) {
  return (
    <>
      <div className={css.words}>
        <p className={css.name}>{title}</p>
        {detail && <p className={css.detail}>{detail}</p>}
      </div>
      {children && <div className={css.buttons}>{children}</div>}
    </>
  );
}
