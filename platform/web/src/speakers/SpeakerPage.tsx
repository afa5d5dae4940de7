/** One speaker: how it is, what is wrong with it, and what can be set. */

import { Button, NativeSelect, Skeleton, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { api, body, tagOf } from "../api/client";
import { advice, asProblem } from "../api/problem";
import type { Device } from "../api/types";
import { dayAndTime } from "../format";
import { usePlaces } from "../places/places";
import { useMay } from "../session/session";
import { Failure } from "../ui/Failure";
import { WarnIcon } from "../ui/icons";
import { Link } from "../ui/Link";
import { tellDone } from "../ui/notify";
import { Page, Section } from "../ui/Page";
import page from "../ui/Page.module.css";
import css from "./Speaker.module.css";
import { ASK_EVERY } from "./SpeakersPage";
import { CHANNELS, type Draft, draftOf, figures, type Mistakes, read, standing, trouble, type Written } from "./words";

interface Found {
  readonly device: Device;
  readonly tag: string;
}

/** Read anew while somebody looks: what a speaker says of itself is nowhere pushed. */
export function SpeakerPage({ id }: { id: string }) {
  const mayWrite = useMay("devices.write");
  const found = useQuery({
    queryKey: ["devices", id],
    staleTime: 0,
    refetchInterval: ASK_EVERY,
    queryFn: async (): Promise<Found> => {
      const answer = await api.GET("/api/v1/devices/{device_id}/", { params: { path: { device_id: id } } });
      return { device: body(answer), tag: tagOf(answer) };
    },
  });
  const back = (
    <Link className={page.link} href="/speakers">
      All speakers
    </Link>
  );
  if (found.isPending) {
    return (
      <Page title="Speaker" action={back}>
        <div role="status" aria-label="Loading: the speaker">
          <Skeleton height={120} />
        </div>
      </Page>
    );
  }
  if (!found.data) {
    const problem = asProblem(found.error);
    return (
      <Page title="Speaker" action={back}>
        <p className={page.failed} role="alert">
          This speaker cannot be shown. {problem.detail} {advice(problem)}
        </p>
      </Page>
    );
  }
  const { device } = found.data;
  return (
    <Page title={device.name} action={back}>
      <Now device={device} />
      {mayWrite && <Settings key={device.id} found={found.data} />}
    </Page>
  );
}

function Now({ device }: { device: Device }) {
  const seen = device.last_seen ? `Last heard of ${dayAndTime(device.last_seen)}.` : "It was never heard of.";
  const firmware = device.firmware_version ? ` Version ${device.firmware_version}.` : "";
  return (
    <Section title="How it is" lead={`It is ${standing(device)}. ${seen}${firmware}`}>
      {device.faults.length > 0 && (
        <ul className={page.list} aria-label="What is wrong">
          {device.faults.map(({ code, detail }) => {
            const { what, advice: todo } = trouble(code, detail);
            return (
              <li key={code} className={css.trouble}>
                <WarnIcon size={20} />
                <div>
                  <p className={page.name}>{what}</p>
                  <p className={page.detail}>{todo}</p>
                </div>
              </li>
            );
          })}
        </ul>
      )}
      <dl className={css.figures} aria-label="Figures">
        {figures(device).map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

/** What was read when the form was opened is what it changes: who changed it meanwhile is not undone. */
function Settings({ found }: { found: Found }) {
  const [base, setBase] = useState(found);
  const [draft, setDraft] = useState(() => draftOf(found.device));
  const [mistakes, setMistakes] = useState<Mistakes>({});
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: async (written: Written): Promise<Found> => {
      const answer = await api.PATCH("/api/v1/devices/{device_id}/", {
        params: { path: { device_id: base.device.id }, header: { "If-Match": base.tag } },
        body: written,
      });
      return { device: body(answer), tag: tagOf(answer) };
    },
    onSuccess: (saved) => {
      setBase(saved);
      setDraft(draftOf(saved.device));
      queries.setQueryData(["devices", saved.device.id], saved);
      void queries.invalidateQueries({ queryKey: ["devices"] });
      tellDone("Saved", "The speaker has it as soon as it is online.");
    },
  });
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  return (
    <Section title="Settings">
      <form
        className={page.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const told = read(draft);
          setMistakes("mistakes" in told ? told.mistakes : {});
          if ("written" in told) save.mutate(told.written);
        }}
      >
        <Failure title="It was not saved" error={save.error} />
        <Fields draft={draft} mistakes={mistakes} change={change} />
        <div className={page.actions}>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Section>
  );
}

interface FieldsProps {
  draft: Draft;
  mistakes: Mistakes;
  change: (part: Partial<Draft>) => void;
}

function Fields({ draft, mistakes, change }: FieldsProps) {
  const zones = (usePlaces().data ?? []).filter(({ kind }) => kind === "zone");
  const text = (key: "name" | "volume" | "trim" | "rate" | "from" | "to", label: string, about?: ReactNode) => ({
    label,
    description: about,
    value: draft[key],
    error: mistakes[key] ?? null,
    onChange: (event: { currentTarget: { value: string } }) => change({ [key]: event.currentTarget.value }),
  });
  return (
    <>
      <div className={page.pair}>
        <TextInput {...text("name", "Name")} maxLength={255} />
        <NativeSelect
          label="Zone"
          data={[{ value: "", label: "In no zone" }, ...zones.map(({ id, name }) => ({ value: id, label: name }))]}
          value={draft.zone}
          onChange={(event) => change({ zone: event.currentTarget.value })}
        />
      </div>
      <div className={page.pair}>
        <TextInput {...text("volume", "Loudest, in percent")} inputMode="numeric" />
        <NativeSelect
          label="Channels"
          data={[...CHANNELS]}
          value={draft.channels}
          onChange={(event) => change({ channels: event.currentTarget.value as Device["channels"] })}
        />
      </div>
      <TextInput
        {...text("trim", "Early by, in milliseconds", "As much as what stands behind it takes, such as a wireless amplifier.")}
      />
      <TextInput
        {...text("rate", "Downloads at most, in kilobytes a second", "Empty: as fast as it goes. What somebody sends now is not held up.")}
        inputMode="numeric"
      />
      <fieldset className={css.hours}>
        <legend>Hours for what is not needed soon, by its location’s clock</legend>
        <TextInput {...text("from", "From")} type="time" />
        <TextInput {...text("to", "To")} type="time" />
      </fieldset>
    </>
  );
}
