/** A list that people put in order: by dragging, by buttons, or by Alt with an arrow key. */

import { ActionIcon } from "@mantine/core";
import { type KeyboardEvent, type ReactNode, useState } from "react";
import { DownIcon, UpIcon } from "./icons";
import css from "./Sorted.module.css";

interface Props<T> {
  /** What the list is called. */
  name: string;
  items: readonly T[];
  keyOf: (item: T, index: number) => string;
  nameOf: (item: T) => string;
  onMove: (from: number, to: number) => void;
  /** What is shown of an item before its arrows. */
  row?: (item: T, index: number) => ReactNode;
  /** What else can be done with it, after its arrows. */
  more?: (item: T, index: number) => ReactNode;
}

/** Says aloud where something has come to stand. */
export function Sorted<T>({ name, items, keyOf, nameOf, onMove, row, more }: Props<T>) {
  const [dragged, setDragged] = useState<number | null>(null);
  const [told, setTold] = useState("");
  const move = (from: number, to: number) => {
    const item = items[from];
    if (item === undefined || from === to || to < 0 || to >= items.length) return;
    onMove(from, to);
    setTold(`${nameOf(item)} is number ${to + 1} of ${items.length}`);
  };
  const keys = (event: KeyboardEvent, index: number) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!event.altKey || !step) return;
    event.preventDefault();
    move(index, index + step);
  };
  return (
    <>
      <ol className={css.list} aria-label={name}>
        {items.map((item, index) => (
          <li
            key={keyOf(item, index)}
            className={css.item}
            draggable
            data-over={dragged !== null || undefined}
            onDragStart={() => setDragged(index)}
            onDragEnd={() => setDragged(null)}
            onDragOver={(event) => event.preventDefault()}
            onDrop={(event) => {
              event.preventDefault();
              if (dragged !== null) move(dragged, index);
              setDragged(null);
            }}
            onKeyDown={(event) => keys(event, index)}
          >
            <div className={css.words}>
              {row ? row(item, index) : `${index + 1}. ${nameOf(item)}`}
            </div>
            <div className={css.buttons}>
              <Arrow
                label={`Move ${nameOf(item)} up`}
                off={index === 0}
                onPress={() => move(index, index - 1)}
              >
                <UpIcon />
              </Arrow>
              <Arrow
                label={`Move ${nameOf(item)} down`}
                off={index === items.length - 1}
                onPress={() => move(index, index + 1)}
              >
                <DownIcon />
              </Arrow>
              {more?.(item, index)}
            </div>
          </li>
        ))}
      </ol>
      <p role="status" className={css.told}>
        {told}
      </p>
    </>
  );
}

interface ArrowProps {
  label: string;
  off: boolean;
  onPress: () => void;
  children: ReactNode;
}

function Arrow({ label, off, onPress, children }: ArrowProps) {
  return (
    <ActionIcon
      size={44}
      variant="subtle"
      color="gray"
      aria-label={label}
      aria-disabled={off}
      onClick={onPress}
    >
      {children}
    </ActionIcon>
  );
}
