/** Short notes in the corner: what was done, or why it was not. */

import { notifications } from "@mantine/notifications";
import type { ReactNode } from "react";
import { advice, asProblem } from "../api/problem";
import { CheckIcon, WarnIcon } from "./icons";

/** Says that something was done. */
export function tellDone(title: string, message: ReactNode): void {
  notifications.show({
    title,
    message,
    color: "teal",
    icon: <CheckIcon size={18} />,
    autoClose: 8_000,
    closeButtonProps: { "aria-label": "Dismiss", size: 44 },
  });
}

/** Says what failed, why, and what to do; one note per title, so that ten tries make one. */
export function tellProblem(title: string, error: unknown): void {
  const problem = asProblem(error);
  if (problem.status === 401) return; // the sign-in page says it
  notifications.hide(title);
  notifications.show({
    id: title,
    title,
    message: [problem.detail, advice(problem)].filter(Boolean).join(" "),
    color: "red",
    icon: <WarnIcon size={18} />,
    autoClose: 12_000,
    closeButtonProps: { "aria-label": "Dismiss", size: 44 },
  });
}
