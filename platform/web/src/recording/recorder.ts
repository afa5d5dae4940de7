/** The microphone of this device: asked for, heard, recorded, and let go of. */

import { FORMATS, nameOf } from "./format";
import { levelOf } from "./level";
import { EMPTY, obstacle, type Trouble, troubleOf } from "./trouble";

/** Milliseconds. The platform takes half an hour at most; a little is left for the last word. */
export const LONGEST = 29 * 60_000 + 50_000;
/** Enough for speech: 240 kB a minute in one channel. */
const BITS_PER_SECOND = 64_000;
/** What was recorded is handed over so often, so that a long one is never in one piece. */
const PIECE_EVERY = 1_000;

export type Recording =
  | { readonly phase: "idle" | "asking" }
  /** `since` as `performance.now()` counts. */
  | { readonly phase: "recording"; readonly since: number }
  | {
      readonly phase: "recorded";
      readonly file: File;
      /** An address of this page's own. */
      readonly source: string;
      readonly millis: number;
      /** Why it ended, unless a person stopped it. */
      readonly ended: "" | "longest" | "lost";
    }
  | { readonly phase: "failed"; readonly trouble: Trouble };

const IDLE: Recording = { phase: "idle" };

interface Open {
  readonly stream: MediaStream;
  readonly recorder: MediaRecorder;
  readonly context: AudioContext;
  readonly analyser: AnalyserNode;
}

/** One recording at a time; `close` lets the microphone go whatever it does. */
export class Recorder {
  private state: Recording = IDLE;
  private open: Open | null = null;
  private ended: "" | "longest" | "lost" = "";
  private limit: number | undefined;
  /** Grows with each begin and close: what was asked for before is not wanted any more. */
  private turn = 0;
  private readonly samples = new Float32Array(2048);
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getState = (): Recording => this.state;

  /** Asks for the microphone and begins; what was recorded before is gone. */
  async start(): Promise<void> {
    this.close();
    const turn = this.turn;
    const inTheWay = obstacle(
      window.isSecureContext,
      "mediaDevices" in navigator,
      "MediaRecorder" in window,
    );
    if (inTheWay) {
      this.set({ phase: "failed", trouble: inTheWay });
      return;
    }
    this.set({ phase: "asking" });
    let stream: MediaStream | null = null;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: { ideal: 1 } } });
      if (turn === this.turn) this.begin(stream, turn);
      else release(stream);
    } catch (error) {
      if (stream) release(stream);
      if (turn === this.turn) this.set({ phase: "failed", trouble: troubleOf(error) });
    }
  }

  /** Ends the recording; it can be heard then. */
  stop(): void {
    if (this.open?.recorder.state === "recording") this.open.recorder.stop();
  }

  /** Forgets what was recorded and lets the microphone go. */
  close(): void {
    this.turn += 1;
    this.letGo();
    if (this.state.phase === "recorded") URL.revokeObjectURL(this.state.source);
    this.set(IDLE);
  }

  /** How loud it is just now, from 0 to 1. */
  readonly level = (): number => {
    if (!this.open) return 0;
    this.open.analyser.getFloatTimeDomainData(this.samples);
    return levelOf(this.samples);
  };

  private begin(stream: MediaStream, turn: number): void {
    const mimeType = FORMATS.find((one) => MediaRecorder.isTypeSupported(one));
    const recorder = new MediaRecorder(stream, {
      audioBitsPerSecond: BITS_PER_SECOND,
      ...(mimeType && { mimeType }),
    });
    const context = new AudioContext();
    void context.resume(); // a browser may begin with it at rest
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    this.open = { stream, recorder, context, analyser };
    this.ended = "";
    const pieces: Blob[] = [];
    const since = performance.now();
    recorder.ondataavailable = ({ data }) => data.size > 0 && pieces.push(data);
    recorder.onstop = () => turn === this.turn && this.take(pieces, recorder.mimeType, since);
    recorder.onerror = () => this.endAs("lost");
    // pulled out, or taken away in the browser's settings: what is there is kept
    for (const track of stream.getTracks()) track.onended = () => this.endAs("lost");
    recorder.start(PIECE_EVERY);
    this.limit = window.setTimeout(() => this.endAs("longest"), LONGEST);
    this.set({ phase: "recording", since });
  }

  private endAs(why: "longest" | "lost"): void {
    this.ended = why;
    this.stop();
  }

  private take(pieces: readonly Blob[], type: string, since: number): void {
    const millis = performance.now() - since;
    this.letGo();
    if (pieces.length === 0) {
      this.set({ phase: "failed", trouble: EMPTY });
      return;
    }
    const file = new File([...pieces], nameOf(type), { type });
    this.set({
      phase: "recorded", file, source: URL.createObjectURL(file), millis, ended: this.ended,
    });
  }

  private letGo(): void {
    window.clearTimeout(this.limit);
    const open = this.open;
    this.open = null;
    if (!open) return;
    release(open.stream);
    void open.context.close();
  }

  private set(state: Recording): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}

function release(stream: MediaStream): void {
  for (const track of stream.getTracks()) {
    track.onended = null;
    track.stop();
  }
}
