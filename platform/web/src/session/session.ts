/** Who is signed in: kept for this tab only, and told to whoever subscribes. */

import { useSyncExternalStore } from "react";
import type { SignedIn } from "../api/types";

const KEY = "sync2gear.session";

/** Why nobody is signed in: the session ended, it may not see playback, or the person left. */
export type Ending = "ended" | "forbidden" | "left" | null;

let session: SignedIn | null = restore();
let ending: Ending = null;
const listeners = new Set<() => void>();

function restore(): SignedIn | null {
  try {
    const text = sessionStorage.getItem(KEY);
    return text === null ? null : (JSON.parse(text) as SignedIn);
  } catch {
    return null;
  }
}

function tell(): void {
  for (const listener of listeners) listener();
}

/** The session, for code outside React. */
export function currentSession(): SignedIn | null {
  return session;
}

/** Keeps a session that the platform has just given. */
export function beginSession(given: SignedIn): void {
  session = given;
  ending = null;
  sessionStorage.setItem(KEY, JSON.stringify(given));
  tell();
}

/** Forgets the session. */
export function endSession(why: Ending): void {
  if (session === null) return;
  session = null;
  ending = why;
  sessionStorage.removeItem(KEY);
  tell();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The session as React state. */
export function useSession(): SignedIn | null {
  return useSyncExternalStore(subscribe, () => session);
}

/** Why the last session ended, for the sign-in page. */
export function useEnding(): Ending {
  return useSyncExternalStore(subscribe, () => ending);
}

/** Whether the signed-in person holds a permission. */
export function useMay(permission: string): boolean {
  return useSession()?.permissions.includes(permission) ?? false;
}
