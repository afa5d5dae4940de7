/**
 * Who is signed in. The secret is in a cookie that no script can read: this program keeps only what
 * the platform told of the session, in memory, and asks again after every reload.
 */

import { useSyncExternalStore } from "react";
import type { Me, SignedIn } from "../api/types";

/** What the platform told of the session; `csrf` proves that a change comes from this page. */
export interface Session extends Me {
  readonly csrf: string;
}

/** Why nobody is signed in: the session ended, or the person left. */
export type Ending = "ended" | "left" | null;

/** `asking` until the platform has told; `unreached` while it does not answer. */
export type Standing = "asking" | "unreached" | "out" | "in";

interface State {
  readonly standing: Standing;
  readonly session: Session | null;
  readonly ending: Ending;
}

let state: State = { standing: "asking", session: null, ending: null };
const listeners = new Set<() => void>();

function set(next: State): void {
  const other = next.session?.csrf !== state.session?.csrf;
  state = next;
  for (const listener of listeners) listener();
  if (other) for (const listener of changes) listener();
}

const changes = new Set<() => void>();

/** Calls back for ever whenever somebody else is signed in, in another client, or nobody. */
export function onSessionChange(listener: () => void): void {
  changes.add(listener);
}

/** The session, for code outside React. */
export function currentSession(): Session | null {
  return state.session;
}

/** Takes what the platform answered to a sign-in, a switch or a new password. */
export function beginSession(given: SignedIn): void {
  keep({ ...given, csrf: given.csrf_token ?? "" });
}

function keep(session: Session): void {
  set({ standing: "in", session, ending: null });
}

/** Takes what changed of the person, and nothing else. */
export function renewSession(me: Me): void {
  if (state.session) keep({ ...me, csrf: state.session.csrf });
}

/** Forgets the session. */
export function endSession(why: Ending): void {
  if (state.standing === "out") return;
  set({ standing: "out", session: null, ending: state.session ? why : null });
}

let asking: Promise<void> | null = null;

/**
 * Asks the platform who is signed in: at the start, and whenever it refuses what should be allowed.
 * Another window may have signed out or switched to another client meanwhile.
 */
export function restore(): Promise<void> {
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}

async function ask(): Promise<void> {
  try {
    const told = await fetch("/api/v1/csrf/", { cache: "no-store" });
    if (!told.ok) throw new TypeError("no answer");
    const { csrf_token: csrf } = (await told.json()) as { csrf_token: string | null };
    if (csrf === null) {
      endSession("ended");
      return;
    }
    const found = await fetch("/api/v1/auth/me/", { cache: "no-store" });
    if (found.status === 401) endSession("ended");
    else if (!found.ok) throw new TypeError("no answer");
    else keep({ ...((await found.json()) as Me), csrf });
  } catch {
    if (!state.session) set({ ...state, standing: "unreached" });
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The session as React state. */
export function useSession(): Session | null {
  return useSyncExternalStore(subscribe, () => state.session);
}

/** Whether somebody is signed in, as far as is known. */
export function useStanding(): Standing {
  return useSyncExternalStore(subscribe, () => state.standing);
}

/** Why the last session ended, for the sign-in page. */
export function useEnding(): Ending {
  return useSyncExternalStore(subscribe, () => state.ending);
}

/** Whether the signed-in person holds a permission, be it in the whole client or somewhere. */
export function useMay(permission: string): boolean {
  return useSession()?.permissions.includes(permission) ?? false;
}
