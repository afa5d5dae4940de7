/** Writing a template: its text in each language, and the gaps that it has. */

import { Button, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import type { Template } from "../api/types";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import css from "../ui/Page.module.css";
import { MannerFields } from "./MannerFields";
import { mannerOf, toManner, USUAL } from "./manner";
import { variablesIn } from "./variables";

interface Props {
  /** Null makes a new one. */
  template: Template | null;
  onClose: () => void;
}

type Written = Template["texts"][number];

/** Gaps that were described elsewhere (numbers, times, choices) stay as they were. */
export function TemplateDialog({ template, onClose }: Props) {
  const [name, setName] = useState(template?.name ?? "");
  const [texts, setTexts] = useState<readonly Written[]>(
    template?.texts ?? [{ language: "en", text: "", voice: "" }],
  );
  const [manner, setManner] = useState(template ? mannerOf(template) : USUAL);
  const [tried, setTried] = useState(false);
  const queries = useQueryClient();
  const gaps = [...new Set(texts.flatMap(({ text }) => variablesIn(text)))];
  const known = new Map((template?.variables ?? []).map((one) => [one.name, one]));
  const whole = name.trim() && texts.length > 0 && texts.every(({ text, language }) => text.trim() && language);
  const save = useMutation({
    mutationFn: async () => {
      const values = {
        name: name.trim(),
        texts: [...texts],
        variables: gaps.map((gap) => known.get(gap) ?? { name: gap }),
        ...toManner(manner),
      };
      if (!template) return body(await api.POST("/api/v1/announcements/templates/", { body: values }));
      const params = { path: { template_id: template.id } };
      return body(
        await api.PATCH("/api/v1/announcements/templates/{template_id}/", { params, body: values }),
      );
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["templates"] });
      onClose();
    },
  });
  return (
    <Dialog title={template ? `Change ${template.name}` : "New template"} opened onClose={onClose}>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (whole) save.mutate();
        }}
      >
        <Failure title="Nothing was changed" error={save.error} />
        <TextInput
          label="Name"
          maxLength={255}
          value={name}
          error={tried && !name.trim() && "Give it a name."}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
        {texts.map((one, index) => (
          <div key={index} className={css.form}>
            <Textarea
              label={texts.length > 1 ? `Text ${index + 1}` : "Text"}
              placeholder="{{name}}, please come to {{place}}."
              rows={3}
              value={one.text}
              error={tried && !one.text.trim() && "Write what is to be said."}
              onChange={(event) =>
                setTexts(texts.with(index, { ...one, text: event.currentTarget.value }))
              }
            />
            <TextInput
              label={texts.length > 1 ? `Language ${index + 1}` : "Language"}
              placeholder="en, de, fr-CH"
              maxLength={35}
              value={one.language}
              error={tried && !one.language && "Say which language it is."}
              onChange={(event) =>
                setTexts(texts.with(index, { ...one, language: event.currentTarget.value.trim() }))
              }
            />
          </div>
        ))}
        <Button
          variant="default"
          onClick={() => setTexts([...texts, { language: "", text: "", voice: "" }])}
        >
          Another language
        </Button>
        <p className={css.lead} role="status">
          {gaps.length > 0 ? `To fill in: ${gaps.join(", ")}` : "Gaps are written as {{name}}."}
        </p>
        <MannerFields value={manner} onChange={setManner} />
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
