/** What this page itself plays into the reader's ears: one thing at a time. */

import { useSyncExternalStore } from "react";
import { onSessionChange } from "../session/session";

/** Seconds. `source` is the address of what is loaded; empty for nothing. */
export interface Heard {
  readonly source: string;
  readonly playing: boolean;
  readonly position: number;
  readonly duration: number;
  readonly failed: boolean;
}

const SILENT: Heard = { source: "", playing: false, position: 0, duration: 0, failed: false };

let heard = SILENT;
let element: HTMLAudioElement | null = null;
const listeners = new Set<() => void>();

function set(change: Partial<Heard>): void {
  heard = { ...heard, ...change };
  for (const listener of listeners) listener();
}

function player(): HTMLAudioElement {
  if (element) return element;
  const made = new Audio();
  made.preload = "none";
  made.onplaying = () => set({ playing: true, failed: false });
  made.onpause = () => set({ playing: false });
  made.onended = () => set({ playing: false, position: 0 });
  made.ontimeupdate = () => set({ position: made.currentTime });
  made.ondurationchange = () =>
    set({ duration: Number.isFinite(made.duration) ? made.duration : 0 });
  made.onerror = () => made.getAttribute("src") && set({ playing: false, failed: true });
  element = made;
  return made;
}

/** Plays an address from its beginning or where it was; pauses it if it plays. */
export function toggle(source: string): void {
  const audio = player();
  if (heard.source !== source) {
    set({ ...SILENT, source });
    audio.src = source;
  } else if (heard.playing) {
    audio.pause();
    return;
  }
  audio.play().catch(() => set({ playing: false, failed: heard.source === source }));
}

/** Goes to a second of what is loaded. */
export function seek(source: string, position: number): void {
  if (heard.source !== source || !element) return;
  element.currentTime = position;
  set({ position });
}

/** Falls silent; a page that closes something calls it. */
export function silence(source?: string): void {
  if (!element || (source !== undefined && heard.source !== source)) return;
  element.pause();
  element.removeAttribute("src");
  set(SILENT);
}

/** What is heard of one address. */
export function useHeard(source: string): Heard {
  const state = useSyncExternalStore(subscribe, () => heard);
  return state.source === source ? state : SILENT;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

onSessionChange(() => silence());
