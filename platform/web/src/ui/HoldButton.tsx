/** A button that must be held: what it does cannot be done by a slip of the hand. */

import { Button } from "@mantine/core";
import { type KeyboardEvent, type MouseEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import css from "./HoldButton.module.css";

/** As long as the stripe takes in HoldButton.module.css. */
const HOLD_MILLIS = 1_000;
/** Who cannot hold presses twice: no sooner than this, no later than that. */
const SOONEST = 600;
const LATEST = 8_000;

interface Props {
  children: ReactNode;
  /** What is done, in a word or two: `to raise it`. */
  purpose: string;
  pending?: boolean;
  disabled?: boolean;
  tone: "alarm" | "calm";
  onDone: () => void;
}

/** By pointer, Space or Enter. A click without either (a switch, a voice) counts when it comes twice. */
export function HoldButton({ children, purpose, pending = false, disabled = false, tone, onDone }: Props) {
  const hint = useId();
  const [holding, setHolding] = useState(false);
  const [armed, setArmed] = useState(false);
  const armedAt = useRef(0);
  const timer = useRef<number | undefined>(undefined);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const start = () => {
    if (pending || disabled) return;
    window.clearTimeout(timer.current);
    setHolding(true);
    timer.current = window.setTimeout(() => {
      setHolding(false);
      onDone();
    }, HOLD_MILLIS);
  };
  const abort = () => {
    if (!holding) return;
    window.clearTimeout(timer.current);
    setHolding(false);
  };
  const isKey = ({ key }: KeyboardEvent) => key === " " || key === "Enter";
  const click = (event: MouseEvent) => {
    if (event.detail > 0 || pending || disabled) return; // a pointer: it holds, or does nothing
    const since = event.timeStamp - armedAt.current;
    if (armed && since >= SOONEST && since < LATEST) {
      setArmed(false);
      onDone();
      return;
    }
    armedAt.current = event.timeStamp;
    setArmed(true);
  };
  return (
    <div className={css.box}>
      <Button
        className={css.button}
        data-tone={tone}
        data-holding={holding || undefined}
        size="lg"
        fullWidth
        loading={pending}
        disabled={disabled}
        aria-describedby={hint}
        onPointerDown={(event) => {
          if (event.button === 0) start();
        }}
        onPointerUp={abort}
        onPointerLeave={abort}
        onPointerCancel={abort}
        onBlur={abort}
        onContextMenu={(event) => event.preventDefault()}
        onKeyDown={(event) => {
          if (!isKey(event)) return;
          event.preventDefault(); // else it clicks
          if (!event.repeat) start();
        }}
        onKeyUp={(event) => {
          if (!isKey(event)) return;
          event.preventDefault();
          abort();
        }}
        onClick={click}
      >
        {children}
      </Button>
      <p id={hint} className={css.hint} role="status">
        {holding
          ? "Keep holding…"
          : armed
            ? `Press once more ${purpose}.`
            : `Hold it for a second ${purpose}.`}
      </p>
    </div>
  );
}
