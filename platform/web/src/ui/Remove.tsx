/** Asks before something is removed, and once more where something else uses it. */

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { asProblem, type User } from "../api/problem";
import { Confirm, Dialog } from "./Dialog";
import css from "./Page.module.css";

interface Props {
  title: string;
  verb?: string;
  /** What follows from it. */
  children: ReactNode;
  /** Whether what is used is never removed: its users have to let go first. */
  kept?: boolean;
  /** `force`: although something uses it. */
  remove: (force: boolean) => Promise<void>;
  onClose: () => void;
  onDone: () => void;
}

const KINDS: Readonly<Record<string, string>> = {
  zone: "Zone",
  announcement: "Announcement",
  template: "Template",
  sound: "Usual sound",
  channel: "Channel",
  schedule: "Schedule",
};

/** The platform says what uses it when it refuses. */
export function Remove({ title, verb = "Remove", children, kept = false, remove, onClose, onDone }: Props) {
  const removing = useMutation({ mutationFn: remove, onSuccess: onDone });
  const problem = removing.error && asProblem(removing.error);
  const used = problem?.code === "in_use" ? problem.usedBy : [];
  if (kept && used.length > 0) {
    return (
      <Dialog title={title} opened onClose={onClose}>
        <div className={css.form}>
          <Users used={used} lead="It is in use. Change these first, then remove it:" />
          <div className={css.actions}>
            <Button variant="default" onClick={onClose}>
              Close
            </Button>
          </div>
        </div>
      </Dialog>
    );
  }
  return (
    <Confirm
      title={title}
      verb={used.length > 0 ? `${verb} it anyway` : verb}
      opened
      pending={removing.isPending}
      error={used.length > 0 ? null : removing.error}
      onClose={onClose}
      onConfirm={() => removing.mutate(used.length > 0)}
    >
      {used.length > 0 ? <Users used={used} lead="It is in use. Whoever has it goes on without it:" /> : children}
    </Confirm>
  );
}

function Users({ used, lead }: { used: readonly User[]; lead: string }) {
  return (
    <span role="alert">
      {lead}
      <span className={css.users} role="list" aria-label="Used by">
        {used.map(({ kind, id, name }) => (
          <span key={`${kind} ${id}`} role="listitem">
            {KINDS[kind] ?? kind}: <strong>{name}</strong>
          </span>
        ))}
      </span>
    </span>
  );
}
