/** How a client's texts are spoken where nobody says otherwise. */

import { Button, NativeSelect, Skeleton } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useVoices } from "../announcements/api";
import { VoicePreview } from "../announcements/VoicePreview";
import { byLanguage } from "../announcements/voices";
import { api, body, tagOf } from "../api/client";
import type { Provider, SpeechDefaults } from "../api/types";
import { Check } from "../ui/Check";
import { Failure } from "../ui/Failure";
import { tellDone } from "../ui/notify";
import { Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { useRefresh } from "./api";

/** Percent of the usual pace. */
const RATES = [
  { value: "80", label: "Slower" },
  { value: "100", label: "As usual" },
  { value: "115", label: "Faster" },
];

export interface Settings {
  readonly values: SpeechDefaults;
  /** The version that they are of. */
  readonly tag: string;
}

/** What the client prefers. */
export function useSpeechSettings() {
  return useQuery({
    queryKey: ["speech", "settings"],
    queryFn: async (): Promise<Settings> => {
      const answer = await api.GET("/api/v1/announcements/tts/settings/");
      return { values: body(answer), tag: tagOf(answer) };
    },
  });
}

interface Props {
  providers: readonly Provider[];
  mayWrite: boolean;
}

/** Shown to everybody who sees the page; changed by whoever makes announcements. */
export function UsualVoice({ providers, mayWrite }: Props) {
  const found = useSpeechSettings();
  return (
    <Section title="The usual voice" lead="Speaks every text for which nobody chooses another one.">
      <Failure title="It cannot be shown" error={found.error} />
      {found.isPending && (
        <div role="status" aria-label="Loading: the usual voice">
          <Skeleton height={56} />
        </div>
      )}
      {found.data && (
        <Form
          key={found.data.tag}
          settings={found.data}
          providers={providers}
          mayWrite={mayWrite}
        />
      )}
    </Section>
  );
}

interface FormProps extends Props {
  settings: Settings;
}

function Form({ settings, providers, mayWrite }: FormProps) {
  const [values, setValues] = useState(settings.values);
  const refresh = useRefresh();
  const voices = useVoices();
  const of = voices.filter(({ provider_id }) => !values.provider_id || provider_id === values.provider_id);
  const save = useMutation({
    mutationFn: async () => {
      const language = voices.find(({ id }) => id === values.voice)?.language ?? values.language;
      const params = { header: { "If-Match": settings.tag } };
      return body(
        await api.PATCH("/api/v1/announcements/tts/settings/", { params, body: { ...values, language } }),
      );
    },
    onSuccess: () => {
      refresh();
      tellDone("Changed", "Texts are spoken like that from now on; what is there stays as it is.");
    },
  });
  const rate = String(values.rate);
  const rates = RATES.some(({ value }) => value === rate) ? RATES : [...RATES, { value: rate, label: `${rate} %` }];
  return (
    <form
      className={css.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Failure title="Nothing was changed" error={save.error} />
      <div className={css.pair}>
        <NativeSelect
          label="Asked first"
          disabled={!mayWrite}
          data={[
            { value: "", label: "The default provider" },
            ...providers.filter(({ is_active }) => is_active).map(({ id, name }) => ({ value: id, label: name })),
          ]}
          value={values.provider_id ?? ""}
          onChange={(event) => setValues({ ...values, provider_id: event.currentTarget.value || null })}
        />
        <NativeSelect
          label="Voice"
          disabled={!mayWrite}
          data={[
            { value: "", label: "The provider’s own choice" },
            ...byLanguage(of.some(({ id }) => id === values.voice) ? of : voices),
          ]}
          value={values.voice}
          onChange={(event) => setValues({ ...values, voice: event.currentTarget.value })}
        />
        <NativeSelect
          label="Pace"
          disabled={!mayWrite}
          data={rates}
          value={rate}
          onChange={(event) => setValues({ ...values, rate: Number(event.currentTarget.value) })}
        />
      </div>
      {mayWrite && values.voice && (
        <VoicePreview voice={values.voice} text="" provider={values.provider_id ?? ""} />
      )}
      {mayWrite ? (
        <>
          <Check
            label="Another provider speaks when the first one cannot"
            checked={values.fall_back}
            onChange={(fall_back) => setValues({ ...values, fall_back })}
          />
          <div className={css.actions}>
            <Button type="submit" loading={save.isPending}>
              Save the usual voice
            </Button>
          </div>
        </>
      ) : (
        <p className={css.lead}>
          {values.fall_back
            ? "Another provider speaks when the first one cannot."
            : "Only the first provider speaks; where it cannot, nothing is said."}
        </p>
      )}
    </form>
  );
}
