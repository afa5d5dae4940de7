/** Why something did not work, where it was asked for; whoever asked is led to it. */

import { Alert } from "@mantine/core";
import { useEffect, useRef } from "react";
import { advice, asProblem, type Problem } from "../api/problem";
import { WarnIcon } from "./icons";

interface Props {
  title: string;
  error: unknown;
  /** Other words than the platform's, where the reader needs them. */
  explain?: (problem: Problem) => string | null;
}

/** Shown while `error` is one. */
export function Failure({ title, error, explain }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (error) box.current?.focus();
  }, [error]);
  if (!error) return null;
  const problem = asProblem(error);
  return (
    <Alert
      ref={box}
      tabIndex={-1}
      color="red"
      icon={<WarnIcon size={20} />}
      role="alert"
      title={title}
    >
      {explain?.(problem) ?? `${problem.detail} ${advice(problem)}`.trim()}
    </Alert>
  );
}
