/** What is kept of a person or a client: taken along as an archive, or deleted. */

import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import type { Archive } from "../api/types";
import { day, dayAndTime } from "../format";
import { OldPassword } from "../session/OldPassword";
import type { Session } from "../session/session";
import { Confirm } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { tellDone, tellProblem } from "../ui/notify";
import { Page, Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { bytes } from "../uploads/rules";

type Whose = "mine" | "client";

const EXPORTS = { mine: "/api/v1/auth/me/export/", client: "/api/v1/privacy/exports/" } as const;
const DELETION = { mine: "/api/v1/auth/me/deletion/", client: "/api/v1/client/deletion/" } as const;

/** One's own, and the client's for whoever may. Letters about archives and deletions lead here. */
export function DataPage({ session }: { session: Session }) {
  const may = (permission: string) => session.client && session.permissions.includes(permission);
  const name = session.client?.name ?? "";
  return (
    <Page title="Data and deletion">
      <Archives whose="mine" title="Your data" lead="What is kept of you, as one archive." />
      <Deletion whose="mine" title="Delete your account" what="your account" />
      {may("privacy.export") && (
        <Archives
          whose="client"
          title={`Data of ${name}`}
          lead="Everything that belongs to this client, music and announcements too."
        />
      )}
      {may("privacy.erase") && (
        <Deletion whose="client" title={`Delete ${name}`} what={`${name} with everything in it`} />
      )}
    </Page>
  );
}

const STATE: Record<Archive["state"], string> = {
  running: "is being packed",
  ready: "",
  failed: "was not packed",
  expired: "is gone",
};

function Archives({ whose, title, lead }: { whose: Whose; title: string; lead: string }) {
  const path = EXPORTS[whose];
  const queries = useQueryClient();
  const found = useQuery({
    queryKey: ["exports", whose],
    queryFn: async () => body(await api.GET(path)).results,
    refetchInterval: ({ state }) =>
      state.data?.some((one) => one.state === "running") ? 2_000 : false,
  });
  const ask = useMutation({
    mutationFn: async () => body(await api.POST(path)),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["exports", whose] });
      tellDone("It is being packed", "A letter says when the archive is ready.");
    },
    onError: (error) => tellProblem("No archive was begun", error),
  });
  return (
    <Section
      title={title}
      lead={lead}
      action={
        <Button variant="default" loading={ask.isPending} onClick={() => ask.mutate()}>
          Pack an archive
        </Button>
      }
    >
      <Failure title="The archives cannot be shown" error={found.error} />
      <ul className={css.list} aria-label={`Archives: ${title}`}>
        {(found.data ?? []).map((one) => (
          <li key={one.id} className={css.row}>
            <Row
              title={
                <>
                  {dayAndTime(one.created_at)}
                  {STATE[one.state] && <span className={css.tag}>{STATE[one.state]}</span>}
                </>
              }
              detail={
                one.state === "ready" && `${bytes(one.bytes)} · there until ${day(one.expires_at)}`
              }
            >
              {one.state === "ready" && (
                <Button
                  component="a"
                  variant="default"
                  href={`${path}${one.id}/file/`}
                  aria-label={`Download the archive of ${dayAndTime(one.created_at)}`}
                  download
                >
                  Download
                </Button>
              )}
            </Row>
          </li>
        ))}
      </ul>
      {found.data?.length === 0 && <p className={css.lead}>No archive yet.</p>}
    </Section>
  );
}

interface DeletionProps {
  whose: Whose;
  title: string;
  what: string;
}

function Deletion({ whose, title, what }: DeletionProps) {
  const path = DELETION[whose];
  const queries = useQueryClient();
  const [password, setPassword] = useState("");
  const [sure, setSure] = useState(false);
  const found = useQuery({
    queryKey: ["deletion", whose],
    queryFn: async () => body(await api.GET(path)).deletion,
  });
  const refresh = () => void queries.invalidateQueries({ queryKey: ["deletion", whose] });
  const ask = useMutation({
    mutationFn: async () => body(await api.POST(path, { body: { password } })),
    onSettled: () => setPassword(""),
    onSuccess: () => {
      setSure(false);
      refresh();
    },
  });
  const keep = useMutation({
    mutationFn: async () => {
      await api.DELETE(path);
    },
    onSuccess: refresh,
    onError: (error) => tellProblem("The deletion still stands", error),
  });
  if (found.data) {
    return (
      <Section title={title}>
        <p role="status">
          On {dayAndTime(found.data.due_at)} everything of {what} is deleted
          {found.data.final ? "; that cannot be stopped any more." : ". Until then it can be kept."}
        </p>
        {!found.data.final && (
          <div className={css.buttons}>
            <Button loading={keep.isPending} onClick={() => keep.mutate()}>
              Keep it
            </Button>
          </div>
        )}
      </Section>
    );
  }
  return (
    <Section
      title={title}
      lead={`It waits for some days and can be taken back until then; afterwards ${what} cannot be brought back by anybody.`}
    >
      <Failure title="It cannot be shown" error={found.error} />
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          ask.reset();
          if (password) setSure(true);
        }}
      >
        <OldPassword label={`Password, to delete ${whose === "mine" ? "your account" : "this client"}`} value={password} onChange={setPassword} />
        <Button type="submit" variant="light" color="red" disabled={!password}>
          {title}
        </Button>
      </form>
      <Confirm
        title={`${title}?`}
        verb="Delete"
        opened={sure}
        pending={ask.isPending}
        error={ask.error}
        onClose={() => setSure(false)}
        onConfirm={() => ask.mutate()}
      >
        It is written down now and done later. A letter says when, and how to keep it.
      </Confirm>
    </Section>
  );
}
