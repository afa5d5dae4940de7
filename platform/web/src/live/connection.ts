/** The live connection: one WebSocket that comes back by itself, and what it has told so far. */

import type { PlayTree, Sent, ZoneView } from "../api/types";
import { delayBefore } from "./backoff";
import { type Clock, frameAt, millisBetween, observe, RATE, roundTrip } from "./clock";
import { type ClientMessage, readMessage, type ServerMessage } from "./messages";
import { isNewer, nextChange } from "./sounding";

export type Link = "connecting" | "live" | "lost";

/** A snapshot for React; replaced, never changed. `zones` is null until the server has told. */
export interface LiveState {
  readonly link: Link;
  readonly zones: ReadonlyMap<string, ZoneView> | null;
  /** The server's frame at the last tick: once a second, and whenever what sounds changes. */
  readonly frame: number;
  /** What became of the plays that are followed. */
  readonly plays: ReadonlyMap<string, Told>;
}

/** What is known of a play: its tree, or why there is none. Once it is `over` it does not change. */
export interface Told {
  readonly tree: PlayTree | null;
  readonly over: boolean;
  readonly refusal: string;
}

/** Not signed in (any more); not allowed. */
const REFUSED = new Set([4401, 4403]);
const BURST = 5;
const BURST_EVERY = 250;
const PING_EVERY = 15_000;
const SILENCE = 10_000;
const WATCH_EVERY = 1_000;
/** The snapshot's own reading serves until the first pong; its trip is unknown. */
const GREETING_ERROR = 1_000;
/**
 * Ask for more segments this long before those at hand end, for a few zones a second (the server
 * bounds what it hears, and all zones run out together), and for the same zone only after a while.
 */
const MARGIN = 120 * RATE;
const ASKS = 5;
const ASK_AGAIN = 10_000;

interface Options {
  /** The server says that the session has ended, or that it may not see this. */
  readonly onRefused: () => void;
  /** What has become of files on their way. */
  readonly onUploads: (uploads: readonly Sent[]) => void;
  /** Some things of a kind are not any more what was read of them. */
  readonly onChanged: (noun: string) => void;
}

/** Connects at `start`, reconnects until `stop`. */
export class Live {
  private state: LiveState = { link: "connecting", zones: null, frame: 0, plays: new Map() };
  private clock: Clock | null = null;
  private readonly listeners = new Set<() => void>();
  /** Plays that somebody looks at, and how many do. */
  private readonly followed = new Map<string, number>();
  private readonly asked = new Map<string, number>();
  private socket: WebSocket | null = null;
  private attempts = 0;
  private pings = 0;
  private pingedAt = 0;
  private heardAt = 0;
  private slept = false;
  private change: number | undefined;
  private retry: number | undefined;
  private watch: number | undefined;

  constructor(private readonly options: Options) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getState = (): LiveState => this.state;

  start(): void {
    window.addEventListener("online", this.wake);
    document.addEventListener("visibilitychange", this.wake);
    this.watch = window.setInterval(this.lookAround, WATCH_EVERY);
    this.connect();
  }

  stop(): void {
    window.removeEventListener("online", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    window.clearInterval(this.watch);
    window.clearTimeout(this.retry);
    window.clearTimeout(this.change);
    this.drop();
  }

  /** Takes a view that an answer over HTTP brought, if it is newer than what is known. */
  apply(zone: ZoneView): void {
    const known = this.state.zones?.get(zone.zone_id);
    if (known && !isNewer(zone, known)) return;
    this.tick({ zones: new Map(this.state.zones).set(zone.zone_id, zone) });
  }

  /** Keeps `plays` up to date with a play, until the function that it answers is called. */
  follow(play: string): () => void {
    const before = this.followed.get(play) ?? 0;
    this.followed.set(play, before + 1);
    if (before === 0) this.watchPlay(play);
    return () => {
      const left = (this.followed.get(play) ?? 0) - 1;
      if (left > 0) {
        this.followed.set(play, left);
        return;
      }
      this.followed.delete(play);
      if (this.state.link === "live" && this.state.plays.get(play)?.over !== true) {
        this.send({ type: "unwatch", play_id: play });
      }
      const plays = new Map(this.state.plays);
      plays.delete(play);
      this.set({ plays });
    };
  }

  /** Every new connection is asked anew, for what is not over yet. */
  private watchPlay(play: string): void {
    if (this.state.link !== "live" || this.state.plays.get(play)?.over) return;
    this.send({ type: "watch", play_id: play });
  }

  private tell(play: string, told: Told): void {
    if (!this.followed.has(play)) return; // nobody looks any more
    this.set({ plays: new Map(this.state.plays).set(play, told) });
  }

  /** Reads the clock anew, and once more on the frame of the next change. */
  private tick(change: Partial<LiveState> = {}): void {
    if (!this.clock) return;
    const frame = frameAt(this.clock, performance.now());
    this.set({ ...change, frame });
    let next = Infinity;
    for (const zone of this.state.zones?.values() ?? []) {
      next = Math.min(next, nextChange(zone, frame));
    }
    window.clearTimeout(this.change);
    const wait = millisBetween(frame, next);
    if (wait < WATCH_EVERY) this.change = window.setTimeout(() => this.tick(), wait);
  }

  private set(change: Partial<LiveState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  private connect(): void {
    window.clearTimeout(this.retry);
    this.drop();
    const url = new URL("/ws/playback/", window.location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.socket = socket;
    this.heardAt = performance.now();
    socket.onopen = () => this.send({ type: "auth" });
    socket.onmessage = (event) => {
      const message = readMessage(event.data);
      if (message) this.take(message);
    };
    socket.onclose = (event) => this.closed(event.code);
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private closed(code: number): void {
    this.socket = null;
    if (REFUSED.has(code)) this.options.onRefused();
    this.retryLater(); // unless the session has ended indeed: then nobody shows this any more
  }

  private retryLater(): void {
    this.drop();
    this.set({ link: "lost" });
    window.clearTimeout(this.retry);
    const delay = delayBefore(this.attempts, Math.random());
    this.attempts += 1;
    this.retry = window.setTimeout(() => this.connect(), delay);
  }

  private send(message: ClientMessage): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private take(message: ServerMessage): void {
    const now = performance.now();
    this.heardAt = now;
    switch (message.type) {
      case "snapshot":
        this.attempts = 0;
        this.pings = 0;
        this.asked.clear();
        this.clock = observe(
          this.state.link === "live" ? this.clock : null,
          { at: now, error: GREETING_ERROR, frame: message.frame },
          now,
        );
        this.tick({
          link: "live",
          zones: new Map(message.zones.map((zone) => [zone.zone_id, zone])),
        });
        this.ping();
        for (const play of this.followed.keys()) this.watchPlay(play);
        break;
      case "play":
        this.tell(message.play.id, { tree: message.play, over: message.over, refusal: "" });
        break;
      case "unwatched":
        if (message.code) {
          this.tell(message.play_id, { tree: null, over: false, refusal: message.detail });
        }
        break;
      case "zone":
        this.asked.delete(message.zone.zone_id);
        this.apply(message.zone);
        break;
      case "uploads":
        this.options.onUploads(message.uploads);
        break;
      case "changed":
        this.options.onChanged(message.noun);
        break;
      case "pong":
        this.clock = observe(
          this.slept ? null : this.clock,
          roundTrip(message.t, now, message.frame),
          now,
        );
        this.slept = false;
        this.tick();
        if (this.pings < BURST) window.setTimeout(() => this.ping(), BURST_EVERY);
        break;
      case "error":
        break; // the close code that follows says what to do
    }
  }

  private ping(): void {
    this.pings += 1;
    this.pingedAt = performance.now();
    this.send({ type: "ping", t: this.pingedAt });
  }

  /** Once a second: is the line alive, is the clock fresh, do the segments still reach. */
  private readonly lookAround = (): void => {
    const now = performance.now();
    this.tick();
    if (!this.socket) return;
    const unanswered = this.pingedAt > this.heardAt ? this.pingedAt : now;
    const since = this.state.link === "live" ? unanswered : this.heardAt;
    if (now - since > SILENCE) {
      this.retryLater();
      return;
    }
    if (this.state.link !== "live") return;
    if (now - this.pingedAt >= PING_EVERY) this.ping();
    const { frame } = this.state;
    let asks = 0;
    for (const zone of this.state.zones?.values() ?? []) {
      const late = now - (this.asked.get(zone.zone_id) ?? -Infinity) < ASK_AGAIN;
      if (asks >= ASKS) break;
      if (late || !runsOut(zone, frame)) continue;
      asks += 1;
      this.asked.set(zone.zone_id, now);
      this.send({ type: "more", zone_id: zone.zone_id });
    }
  };

  /** The device woke up or has a network again: do not wait for the next attempt. */
  private readonly wake = (): void => {
    if (document.visibilityState === "hidden") return;
    if (!this.socket) this.connect();
    else if (this.state.link === "live") {
      this.pings = 0; // the device slept: its clock may have stood still, so measure anew
      this.slept = true;
      this.ping();
    }
  };
}

function runsOut(zone: ZoneView, frame: number): boolean {
  if (zone.status === "idle") return false;
  const margin = Math.min(MARGIN, (zone.until - zone.frame) / 2);
  return frame > zone.until - margin;
}
