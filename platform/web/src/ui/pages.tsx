/** Pages that are read from the server when somebody looks at them. */

import { Button, Loader } from "@mantine/core";
import { Component, type ComponentType, lazy, type LazyExoticComponent, type ReactNode, Suspense } from "react";
import css from "./Page.module.css";

/** A page that is a file of its own. */
export function page<P>(read: () => Promise<ComponentType<P>>): LazyExoticComponent<ComponentType<P>> {
  return lazy(async () => ({ default: await read() }));
}

/** While something is on its way. */
export function Asking() {
  return (
    <main aria-busy="true" aria-label="Loading">
      <Loader color="teal" />
    </main>
  );
}

interface Props {
  /** What stays in sight above a page that is on its way. */
  above?: ReactNode;
  children: ReactNode;
}

/** Room for a page; where it cannot be read, the whole is read anew: it may be a newer one by now. */
export class Room extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    const { above, children } = this.props;
    if (!this.state.failed) {
      return (
        <Suspense
          fallback={
            <>
              {above}
              <Asking />
            </>
          }
        >
          {children}
        </Suspense>
      );
    }
    return (
      <>
        {above}
        <main className={css.page}>
          <div className={css.failed} role="alert">
            <h1 className={css.title}>This page cannot be shown</h1>
            <p>The server cannot be reached, or the dashboard has changed meanwhile. The speakers play on without it.</p>
            <Button onClick={() => window.location.reload()}>Try again</Button>
          </div>
        </main>
      </>
    );
  }
}
