/** What can be raised: each with what it says, and the way to raise it. */

import { Button, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { audioOf } from "../announcements/api";
import { api, body } from "../api/client";
import { advice, asProblem } from "../api/problem";
import type { Announcement, EmergencyMessage } from "../api/types";
import { useMay } from "../session/session";
import { PreviewButton } from "../sound/PreviewButton";
import { AlarmIcon } from "../ui/icons";
import { Section } from "../ui/Page";
import page from "../ui/Page.module.css";
import { Remove } from "../ui/Remove";
import { useMessages, useRefresh } from "./api";
import css from "./Emergencies.module.css";
import { MessageDialog } from "./MessageDialog";
import { RaiseDialog } from "./RaiseDialog";

type Open =
  | { readonly what: "make" }
  | { readonly what: "raise" | "change" | "remove"; readonly message: EmergencyMessage }
  | null;

/** Prepared beforehand, so that raising one is a matter of seconds. */
export function Messages() {
  const messages = useMessages();
  const mayWrite = useMay("emergencies.write");
  const mayRaise = useMay("emergencies.raise");
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  return (
    <Section
      title={mayRaise ? "Raise an emergency" : "What can be raised"}
      lead="A message loops above music, announcements, mute and volume until the all-clear. Every speaker holds it already."
      action={
        mayWrite && (
          <Button variant="default" onClick={() => setOpen({ what: "make" })}>
            Prepare a message
          </Button>
        )
      }
    >
      {messages.isPending && (
        <div className={css.messages} role="status" aria-label="Loading: messages">
          <Skeleton height={150} radius={16} />
          <Skeleton height={150} radius={16} />
        </div>
      )}
      {messages.isError && (
        <div className={page.failed} role="alert">
          <p>
            The messages cannot be shown. {asProblem(messages.error).detail}{" "}
            {advice(asProblem(messages.error))}
          </p>
          <Button variant="default" onClick={() => void messages.refetch()}>
            Try again
          </Button>
        </div>
      )}
      {messages.data?.length === 0 && (
        <p className={page.lead}>
          {mayWrite
            ? "No message is prepared yet. Record or write an announcement first, then prepare it here."
            : "No message is prepared yet: a manager does that."}
        </p>
      )}
      {messages.data && messages.data.length > 0 && (
        <ul className={css.messages} aria-label="Messages">
          {messages.data.map((message) => (
            <li key={message.id} className={css.message}>
              <Message
                message={message}
                mayWrite={mayWrite}
                mayRaise={mayRaise}
                onDeed={(what) => setOpen({ what, message })}
              />
            </li>
          ))}
        </ul>
      )}
      {open?.what === "make" && <MessageDialog message={null} onClose={close} />}
      {open?.what === "change" && <MessageDialog message={open.message} onClose={close} />}
      {open?.what === "raise" && <RaiseDialog message={open.message} onClose={close} />}
      {open?.what === "remove" && <RemoveMessage message={open.message} onClose={close} />}
    </Section>
  );
}

interface Props {
  message: EmergencyMessage;
  mayWrite: boolean;
  mayRaise: boolean;
  onDeed: (what: "raise" | "change" | "remove") => void;
}

function Message({ message, mayWrite, mayRaise, onDeed }: Props) {
  const { name, announcement_id, volume } = message;
  const mayHear = useMay("announcements.read");
  const said = useQuery({
    queryKey: ["announcements", "one", announcement_id, "text"],
    enabled: mayHear,
    queryFn: async () => {
      const path = { announcement_id };
      const params = { params: { path } };
      return body(await api.GET("/api/v1/announcements/{announcement_id}/", params));
    },
  });
  return (
    <>
      <div className={css.head}>
        <div>
          <h3 className={css.title}>{name}</h3>
          <p className={css.says}>{saying(said.data) ?? `At volume ${volume}`}</p>
        </div>
        {mayHear && <PreviewButton source={audioOf(announcement_id)} name={name} />}
      </div>
      {mayRaise && (
        <Button
          color="red"
          size="lg"
          fullWidth
          leftSection={<AlarmIcon />}
          aria-haspopup="dialog"
          aria-label={`Raise ${name}`}
          onClick={() => onDeed("raise")}
        >
          Raise…
        </Button>
      )}
      {mayWrite && (
        <div className={page.buttons}>
          <Button variant="default" aria-label={`Change ${name}`} onClick={() => onDeed("change")}>
            Change
          </Button>
          <Button
            variant="subtle"
            color="gray"
            aria-label={`Remove ${name}`}
            onClick={() => onDeed("remove")}
          >
            Remove
          </Button>
        </div>
      )}
    </>
  );
}

/** The words, or what a recording is called. */
function saying(said: Announcement | undefined): string | undefined {
  if (!said) return undefined;
  return said.is_tts ? said.text : said.title;
}

function RemoveMessage({ message, onClose }: { message: EmergencyMessage; onClose: () => void }) {
  const refresh = useRefresh();
  return (
    <Remove
      title={`Remove ${message.name}?`}
      remove={async () => {
        const params = { path: { message_id: message.id } };
        await api.DELETE("/api/v1/emergencies/messages/{message_id}/", { params });
      }}
      onClose={onClose}
      onDone={() => {
        refresh();
        onClose();
      }}
    >
      It cannot be raised any more. What sounds goes on until its all-clear; the announcement stays.
    </Remove>
  );
}
