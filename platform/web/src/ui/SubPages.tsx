/** Pages that belong together, each a link to the others. */

import { isWithin, usePath } from "../router";
import css from "./Header.module.css";
import { Link } from "./Link";

export interface SubPage {
  readonly path: string;
  readonly name: string;
}

/** Nothing at all where there is no other page. */
export function SubPages({ name, pages }: { name: string; pages: readonly SubPage[] }) {
  const path = usePath();
  if (pages.length < 2) return null;
  // the longest address that leads here: a page may lie below another one
  const here = pages
    .filter((one) => isWithin(path, one.path))
    .reduce<SubPage | null>((best, one) => (best && best.path.length > one.path.length ? best : one), null);
  return (
    <nav className={css.sub} aria-label={name}>
      {pages.map((page) => (
        <Link
          key={page.path}
          href={page.path}
          className={css.page}
          aria-current={page === here ? "page" : undefined}
        >
          {page.name}
        </Link>
      ))}
    </nav>
  );
}
