/** Who speaks: the providers of voices in the order in which they are asked. */

import { Button, Skeleton } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { advice, asProblem, Problem } from "../api/problem";
import type { Provider, UsageLine } from "../api/types";
import { count } from "../format";
import { Confirm } from "../ui/Dialog";
import { tellDone, tellProblem } from "../ui/notify";
import { Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { money, spent } from "./amounts";
import { type Owner, useProviders, useRefresh, useUsage } from "./api";
import { inTurn, movable, renumbered } from "./order";
import { ProviderDialog } from "./ProviderDialog";
import { VoicesDialog } from "./VoicesDialog";

interface Props {
  of: Owner;
  /** Whom the client's settings ask first. */
  first: string;
  mayWrite: boolean;
  /** Whether voices can be heard: in a client, by whoever makes announcements. */
  mayHear: boolean;
}

type Open =
  | { readonly what: "make" }
  | { readonly what: "change" | "remove" | "hear"; readonly provider: Provider }
  | null;

const KIND: Record<Provider["kind"], string> = {
  espeak: "espeak-ng",
  google: "Google Cloud",
  piper: "Piper",
};

/** Offered ones are the installation's: a client sees them and changes none. */
export function Providers({ of, first, mayWrite, mayHear }: Props) {
  const found = useProviders(of);
  const inClient = of === "/api/v1/ai-providers/";
  const { lines } = useUsage(1, inClient);
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const mine = (one: Provider) => mayWrite && (!inClient || !one.is_offered);
  const turn = inTurn(found.data ?? [], first);
  const among = movable(turn, mine);
  const move = useMove(of);
  const test = useTest(of);
  const problem = found.error && asProblem(found.error);
  return (
    <Section
      title="Who speaks"
      lead="The first one that has the voice is asked, then the next one where that one cannot speak."
      action={mayWrite && <Button onClick={() => setOpen({ what: "make" })}>New provider</Button>}
    >
      {found.isPending && (
        <div role="status" aria-label="Loading: providers">
          <Skeleton height={56} />
        </div>
      )}
      {problem && (
        <div className={css.failed} role="alert">
          <p>
            The providers cannot be listed. {problem.detail} {advice(problem)}
          </p>
          <Button variant="default" onClick={() => void found.refetch()}>
            Try again
          </Button>
        </div>
      )}
      {found.data?.length === 0 && <p className={css.lead}>There is no provider: nothing is spoken.</p>}
      <ol className={css.list} aria-label="Providers">
        {turn.map((provider) => (
          <li key={provider.id} className={css.row}>
            <Row
              title={
                <>
                  {provider.name}
                  {marks(provider, first, inClient).map((mark) => (
                    <span key={mark} className={css.tag}>
                      {mark}
                    </span>
                  ))}
                </>
              }
              detail={
                <>
                  {facts(provider).join(" · ")}
                  {inClient && (
                    <>
                      <br />
                      This month: {spent(used(provider, lines), provider)}
                    </>
                  )}
                </>
              }
            >
              {mine(provider) && among.length > 1 && among.includes(provider) && (
                <Places
                  name={provider.name}
                  at={among.indexOf(provider)}
                  of={among.length}
                  onMove={(to) => move.mutate(renumbered(among, among.indexOf(provider), to))}
                />
              )}
              {mayHear && provider.is_active && (
                <Button
                  variant="default"
                  aria-label={`Hear the voices of ${provider.name}`}
                  onClick={() => setOpen({ what: "hear", provider })}
                >
                  Voices
                </Button>
              )}
              {mine(provider) && (
                <>
                  <Button
                    variant="default"
                    aria-label={`Test ${provider.name}`}
                    loading={test.isPending && test.variables.id === provider.id}
                    onClick={() => test.mutate(provider)}
                  >
                    Test
                  </Button>
                  <Button
                    variant="default"
                    aria-label={`Change ${provider.name}`}
                    onClick={() => setOpen({ what: "change", provider })}
                  >
                    Change
                  </Button>
                  <Button
                    variant="light"
                    color="red"
                    aria-label={`Remove ${provider.name}`}
                    onClick={() => setOpen({ what: "remove", provider })}
                  >
                    Remove
                  </Button>
                </>
              )}
            </Row>
          </li>
        ))}
      </ol>
      {open?.what === "make" && <ProviderDialog of={of} provider={null} onClose={close} />}
      {open?.what === "change" && <ProviderDialog of={of} provider={open.provider} onClose={close} />}
      {open?.what === "hear" && <VoicesDialog provider={open.provider} onClose={close} />}
      {open?.what === "remove" && <Remove of={of} provider={open.provider} onClose={close} />}
    </Section>
  );
}

function marks({ id, is_default, is_offered, is_active }: Provider, first: string, inClient: boolean): string[] {
  return [
    id === first ? "asked first" : "",
    is_default ? "default" : "",
    is_offered && inClient ? "offered by sync2gear" : "",
    is_active ? "" : "off",
  ].filter(Boolean);
}

function facts({ kind, api_key_end, unit_price }: Provider): string[] {
  return [
    KIND[kind],
    api_key_end ? `key ends in ${api_key_end}` : "",
    unit_price > 0 ? `${money(unit_price * 1_000_000)} for a million characters` : "costs nothing",
  ].filter(Boolean);
}

function used(provider: Provider, lines: readonly UsageLine[]) {
  const mine = lines.filter(({ provider_id }) => provider_id === provider.id);
  return {
    characters: mine.reduce((sum, { characters }) => sum + characters, 0),
    cost: mine.reduce((sum, { cost }) => sum + cost, 0),
  };
}

interface PlacesProps {
  name: string;
  at: number;
  of: number;
  onMove: (to: number) => void;
}

function Places({ name, at, of, onMove }: PlacesProps) {
  return (
    <>
      <Button variant="default" aria-label={`Ask ${name} earlier`} disabled={at === 0} onClick={() => onMove(at - 1)}>
        Earlier
      </Button>
      <Button variant="default" aria-label={`Ask ${name} later`} disabled={at === of - 1} onClick={() => onMove(at + 1)}>
        Later
      </Button>
    </>
  );
}

function useMove(of: Owner) {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: async (changes: readonly { id: string; priority: number }[]) => {
      for (const { id, priority } of changes) {
        const params = { path: { provider_id: id } };
        await api.PATCH(`${of}{provider_id}/`, { params, body: { priority } });
      }
    },
    onError: (error) => tellProblem("The order was not changed", error),
    onSettled: refresh,
  });
}

/** Asks for its voices, which costs nothing. */
function useTest(of: Owner) {
  return useMutation({
    mutationFn: async ({ id }: Provider) =>
      body(await api.POST(`${of}{provider_id}/test/`, { params: { path: { provider_id: id } } })),
    onSuccess: ({ ok, voices, code, detail }, { name }) => {
      if (ok) tellDone(`${name} answers`, `It has ${count(voices, "voice")}.`);
      else tellProblem(`${name} does not answer`, new Problem(0, code, detail));
    },
    onError: (error, { name }) => tellProblem(`${name} was not asked`, error),
  });
}

interface RemoveProps {
  of: Owner;
  provider: Provider;
  onClose: () => void;
}

function Remove({ of, provider, onClose }: RemoveProps) {
  const refresh = useRefresh();
  const remove = useMutation({
    mutationFn: async () => {
      await api.DELETE(`${of}{provider_id}/`, { params: { path: { provider_id: provider.id } } });
    },
    onSuccess: () => {
      refresh();
      onClose();
    },
  });
  return (
    <Confirm
      title={`Remove ${provider.name}?`}
      verb="Remove"
      opened
      pending={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onConfirm={() => remove.mutate()}
    >
      Its key is forgotten. What it spoke stays, and what it cost still counts this month.
    </Confirm>
  );
}
