/**
 * All files on their way, outside of React: they go on while other pages are looked at, a few at
 * once, and end with the session. What the platform makes of them is asked in `following.ts`.
 */

import { useSyncExternalStore } from "react";
import type { Upload } from "tus-js-client";
import type { Sent } from "../api/types";
import { currentSession, onSessionChange } from "../session/session";
import { isLeaving, isSent, type Item, nextToSend, type Purpose } from "./rules";
import { begin, prepare } from "./sending";

/** Sent at once: more only share the same line. */
const AT_ONCE = 3;

let items: readonly Item[] = [];
const senders = new Map<string, Upload>();
const listeners = new Set<() => void>();
let made = 0;

function set(next: readonly Item[]): void {
  items = next;
  for (const listener of listeners) listener();
}

/** Changes one file's state, wherever it stands meanwhile. */
export function amend(key: string, change: Partial<Item>): void {
  set(items.map((item) => (item.key === key ? { ...item, ...change } : item)));
}

/** All files, for code outside React. */
export function currentItems(): readonly Item[] {
  return items;
}

/** All files, as React state. */
export function useItems(): readonly Item[] {
  return useSyncExternalStore(subscribe, currentItems);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export interface Order {
  readonly file: File;
  readonly purpose: Purpose;
  readonly folder: string;
  readonly more?: Readonly<Record<string, string>>;
}

/** Lets files wait for their turn; answers their keys. The same file is not sent twice at once. */
export function send(orders: readonly Order[]): readonly string[] {
  const session = currentSession()?.csrf;
  const added = orders.map((order): Item => {
    const { file, purpose, folder } = order;
    made += 1;
    const key = `upload-${made}`;
    const known = () => session === currentSession()?.csrf && senders.has(key);
    const upload = prepare(order, {
      onKnown: (id) => known() && amend(key, { id }),
      onProgress: (sent) => known() && amend(key, { sent, reason: "" }),
      onStumble: () =>
        known() && amend(key, { reason: "The line is bad: trying again by itself." }),
      onSent: () => known() && settle(key, { phase: "processing", sent: file.size, reason: "" }),
      onRefused: ({ status, detail }) =>
        known() &&
        settle(
          key,
          status === 0 || status >= 500
            ? { phase: "stuck", reason: "The server cannot be reached.", again: true }
            : { phase: "failed", reason: detail, again: status !== 413 && status !== 415 },
        ),
    });
    senders.set(key, upload);
    return {
      key, id: "", name: file.name, purpose, folder,
      size: file.size, sent: 0, progress: 0, phase: "waiting", reason: "", again: false,
    };
  });
  set([...items, ...added]);
  pump();
  return added.map(({ key }) => key);
}

/** Shows what was sent in another way, too, and what becomes of it. */
export function follow(sent: Sent, name: string): void {
  made += 1;
  const { id, filename, purpose, folder_id, size } = sent;
  const item: Item = {
    key: `upload-${made}`, id, name: name || filename, purpose, folder: folder_id ?? "",
    size, sent: size, progress: 0, phase: "processing", reason: "", again: false,
  };
  set([...items, item]);
}

function settle(key: string, change: Partial<Item>): void {
  amend(key, change);
  pump();
}

/** Begins with as many as may be sent at once. */
function pump(): void {
  for (const { key } of nextToSend(items, AT_ONCE)) {
    const upload = senders.get(key);
    if (!upload) continue;
    amend(key, { phase: "sending", reason: "", again: false });
    begin(upload).catch(() => settle(key, { phase: "stuck", again: true }));
  }
}

/** Stops sending; what arrived stays there. */
export async function pause(key: string): Promise<void> {
  amend(key, { phase: "paused", reason: "" });
  await senders.get(key)?.abort();
  pump();
}

/** Goes on where the platform says that it is. */
export function resume(key: string): void {
  settle(key, { phase: "waiting", reason: "" });
}

export async function pauseAll(): Promise<void> {
  const moving = items.filter(({ phase }) => phase === "sending" || phase === "waiting");
  for (const { key } of moving) amend(key, { phase: "paused", reason: "" });
  for (const { key } of moving) await senders.get(key)?.abort();
}

export function resumeAll(): void {
  for (const { key, phase } of items) {
    if (phase === "paused" || phase === "stuck") amend(key, { phase: "waiting", reason: "" });
  }
  pump();
}

/** Gives a file up: the platform forgets what arrived of it. */
export async function cancel(key: string): Promise<void> {
  const item = items.find((one) => one.key === key);
  const upload = senders.get(key);
  forget(key);
  try {
    if (item && !isSent(item.phase)) await upload?.abort(Boolean(item.id));
  } catch {
    // the platform lets it expire
  }
  pump();
}

/** Takes a line away that needs no look any more. */
export function forget(key: string): void {
  senders.delete(key);
  set(items.filter((item) => item.key !== key));
}

/** Takes away all lines that ended well. */
export function forgetReady(): void {
  for (const { key, phase } of items) if (phase === "ready") senders.delete(key);
  set(items.filter(({ phase }) => phase !== "ready"));
}

window.addEventListener("online", resumeStuck);

function resumeStuck(): void {
  for (const { key, phase } of items) if (phase === "stuck") amend(key, { phase: "waiting" });
  pump();
}

// The browser asks once more before files that are still here are left behind.
window.addEventListener("beforeunload", (event) => {
  if (items.some(({ phase }) => isLeaving(phase))) event.preventDefault();
});

onSessionChange(() => {
  for (const [key, upload] of senders) {
    senders.delete(key);
    void upload.abort();
  }
  set([]);
});
