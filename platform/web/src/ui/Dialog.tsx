/** A dialog above the page; no style is written into the page for it. */

import { Button, Modal } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import { Failure } from "./Failure";
import css from "./Page.module.css";

interface Props {
  title: string;
  opened: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** Closed by its button, by Escape, or by what is done in it. */
export function Dialog({ title, opened, onClose, children }: Props) {
  // Mantine gives the focus back to one that is closed, not to one that is taken away with its page's state
  const [opener] = useState(() => (opened ? document.activeElement : null));
  useEffect(
    () => () => {
      const lost = document.activeElement === null || document.activeElement === document.body;
      if (lost && opener instanceof HTMLElement && opener.isConnected) opener.focus();
    },
    [opener],
  );
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      lockScroll={false}
      centered
      size="lg"
      radius="lg"
      classNames={{ title: css.dialogTitle, body: css.dialog }}
      closeButtonProps={{ "aria-label": "Close", size: 44 }}
    >
      {children}
    </Modal>
  );
}

interface ConfirmProps {
  title: string;
  /** What follows from it. */
  children: ReactNode;
  verb: string;
  opened: boolean;
  pending: boolean;
  error: unknown;
  onClose: () => void;
  onConfirm: () => void;
}

/** Asks once more before something cannot be taken back. */
export function Confirm(props: ConfirmProps) {
  const { title, children, verb, opened, pending, error, onClose, onConfirm } = props;
  return (
    <Dialog title={title} opened={opened} onClose={onClose}>
      <div className={css.list}>
        <p className={css.lead}>{children}</p>
        <Failure title="It was not done" error={error} />
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button color="red" loading={pending} onClick={onConfirm}>
            {verb}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
