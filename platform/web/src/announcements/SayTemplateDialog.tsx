/** Filling in a template, and saying it at once. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import type { Template } from "../api/types";
import { count } from "../format";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { VoiceIcon } from "../ui/icons";
import css from "../ui/Page.module.css";
import { useRefresh } from "./api";
import { AT_ONCE, toPatience } from "./patience";
import { PatienceFields } from "./PatienceFields";
import { PlaceChoice } from "./PlaceChoice";
import { Started } from "./Started";
import { useTargets } from "./useTargets";

interface Props {
  template: Template;
  onClose: () => void;
}

/** Stays open afterwards, with what became of it. */
export function SayTemplateDialog({ template, onClose }: Props) {
  const { zones, places } = useTargets();
  const refresh = useRefresh();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [values, setValues] = useState<Record<string, string>>(() =>
    Object.fromEntries(template.variables.map((one) => [one.name, one.default ?? ""])),
  );
  const [patience, setPatience] = useState(AT_ONCE);
  const filled = Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim()));
  const path = { template_id: template.id };
  const preview = useMutation({
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/announcements/templates/{template_id}/preview/", {
          params: { path },
          body: { variables: filled },
        }),
      ),
  });
  const say = useMutation({
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/announcements/templates/{template_id}/say/", {
          params: { path },
          body: { variables: filled, zone_ids: [...chosen], ...toPatience(patience) },
        }),
      ),
    onSuccess: refresh, // what was said is an announcement like any other
  });
  return (
    <Dialog title={`Say ${template.name}`} opened onClose={onClose}>
      {say.data ? (
        <Started plays={say.data.results.flatMap(({ plays }) => plays)} onClose={onClose} />
      ) : (
        <form
          className={css.form}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (chosen.size > 0) say.mutate();
          }}
        >
          <Failure title="It was not said" error={say.error ?? preview.error} />
          {template.variables.map(({ name, type, choices, required }) => {
            const label = required ? name : `${name} (may be left empty)`;
            const change = (value: string) => setValues({ ...values, [name]: value });
            return type === "choice" ? (
              <NativeSelect
                key={name}
                label={label}
                data={["", ...(choices ?? [])]}
                value={values[name] ?? ""}
                onChange={(event) => change(event.currentTarget.value)}
              />
            ) : (
              <TextInput
                key={name}
                label={label}
                type={type === "time" ? "time" : "text"}
                inputMode={type === "number" ? "decimal" : "text"}
                value={values[name] ?? ""}
                onChange={(event) => change(event.currentTarget.value)}
              />
            );
          })}
          <Button variant="default" loading={preview.isPending} onClick={() => preview.mutate()}>
            Show what is said
          </Button>
          {preview.data?.results.map(({ language, text }) => (
            <p key={language} className={css.lead} lang={language} role="status">
              {text}
            </p>
          ))}
          <PlaceChoice zones={zones} places={places} chosen={chosen} onChange={setChosen} />
          <PatienceFields value={patience} onChange={setPatience} />
          <Button
            type="submit"
            size="lg"
            leftSection={<VoiceIcon />}
            disabled={chosen.size === 0}
            loading={say.isPending}
          >
            {chosen.size === 0 ? "Choose where" : `Say it in ${count(chosen.size, "zone")}`}
          </Button>
        </form>
      )}
    </Dialog>
  );
}
