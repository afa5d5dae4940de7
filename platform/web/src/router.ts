/** Where the reader is: the path of the address, and the secret that a mailed link brought. */

import { useSyncExternalStore } from "react";

const MOVED = "sync2gear:moved";

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(MOVED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(MOVED, listener);
  };
}

/** A path without its last slash; the first page is `/`. */
export function plain(path: string): string {
  return path.replace(/\/+$/, "") || "/";
}

/** Whether a path is that page or below it. */
export function isWithin(path: string, page: string): boolean {
  return path === page || (page !== "/" && path.startsWith(`${page}/`));
}

/** The path of the page, as React state. */
export function usePath(): string {
  return useSyncExternalStore(subscribe, () => plain(window.location.pathname));
}

/** Goes to another page of this program. */
export function navigate(path: string): void {
  window.history.pushState(null, "", path);
  window.dispatchEvent(new Event(MOVED));
  window.scrollTo(0, 0);
}

/** The secret of a fragment such as `#token=abc`; empty without one. */
export function tokenOf(fragment: string): string {
  return new URLSearchParams(fragment.replace(/^#/, "")).get("token") ?? "";
}

/** One parameter of the address, which is then cleaned of it: told once. */
export function takeParameter(name: string): string {
  const url = new URL(window.location.href);
  const value = url.searchParams.get(name) ?? "";
  if (value) {
    url.searchParams.delete(name);
    window.history.replaceState(null, "", url);
  }
  return value;
}

const taken = new Map<string, string>();

/** The secret of the link that led here. It leaves the address, hence the history, at once. */
export function takeToken(): string {
  const { pathname, hash } = window.location;
  const found = tokenOf(hash);
  if (found) {
    taken.set(plain(pathname), found);
    window.history.replaceState(null, "", pathname);
  }
  return taken.get(plain(pathname)) ?? "";
}
