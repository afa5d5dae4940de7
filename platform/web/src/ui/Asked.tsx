/** What was asked of the platform, in each of its states: on its way, refused, there. */

import { Button, Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import { advice, asProblem } from "../api/problem";
import css from "./Page.module.css";

/** One question, or several that are answered together. */
export interface Asking<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly isPending: boolean;
  readonly refetch: () => unknown;
}

interface Props<T> {
  of: Asking<T>;
  /** What is on its way, for whoever does not see it. */
  name: string;
  /** What a refusal begins with. */
  refusal?: string;
  /** Of what stands in its place meanwhile. */
  height?: number;
  children?: (data: T) => ReactNode;
}

/** What is there stays when it cannot be asked for again. */
export function Asked<T>({ of, name, refusal, height = 56, children }: Props<T>) {
  return (
    <>
      <Refused error={of.error} again={() => void of.refetch()} {...(refusal && { what: refusal })} />
      {of.isPending && !of.error && (
        <div className={css.list} role="status" aria-label={`Loading: ${name}`}>
          <Skeleton height={height} />
        </div>
      )}
      {of.data !== undefined && children?.(of.data)}
    </>
  );
}

interface RefusedProps {
  error: unknown;
  what?: string;
  again: () => void;
}

/** Why something is not shown, while `error` is one, and the way to ask once more. */
export function Refused({ error, what = "This cannot be shown.", again }: RefusedProps) {
  if (!error) return null;
  const problem = asProblem(error);
  return (
    <div className={css.failed} role="alert">
      <p>{[what, problem.detail, advice(problem)].filter(Boolean).join(" ")}</p>
      <Button variant="default" onClick={again}>
        Try again
      </Button>
    </div>
  );
}

/** Questions as one: there when all are, refused when one is, and only those are asked again. */
export function together(asked: readonly Asking<unknown>[]): Asking<true> {
  return {
    data: asked.every(({ data }) => data !== undefined) || undefined,
    error: asked.find(({ error }) => error)?.error ?? null,
    isPending: asked.some(({ isPending }) => isPending),
    refetch: () => Promise.all(asked.filter(({ error }) => error).map((one) => one.refetch())),
  };
}
