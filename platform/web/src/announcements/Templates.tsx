/** Texts with gaps: filled in and said at once. */

import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { useList } from "../api/lists";
import type { Template } from "../api/types";
import { Confirm } from "../ui/Dialog";
import { VoiceIcon } from "../ui/icons";
import { Listed, Row, Section } from "../ui/Page";
import { SayTemplateDialog } from "./SayTemplateDialog";
import { TemplateDialog } from "./TemplateDialog";

interface Props {
  mayWrite: boolean;
  mayPlay: boolean;
}

type Open =
  | { readonly what: "make" }
  | { readonly what: "say" | "change" | "remove"; readonly template: Template }
  | null;

/** Each with what it says in its first language. */
export function Templates({ mayWrite, mayPlay }: Props) {
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const list = useList(["templates"], async (query) =>
    body(await api.GET("/api/v1/announcements/templates/", { params: { query } })),
  );
  return (
    <Section
      title="Templates"
      action={
        mayWrite && (
          <Button variant="default" onClick={() => setOpen({ what: "make" })}>
            New template
          </Button>
        )
      }
    >
      <Listed
        list={list}
        name="Templates"
        empty="There is no template yet: a text with gaps to fill in, such as {{name}}."
        keyOf={({ id }) => id}
        row={(template) => (
          <Row
            title={template.name}
            detail={
              <>
                {template.texts.map(({ language }) => language).join(", ")}
                <br />
                {template.texts[0]?.text}
              </>
            }
          >
            {mayPlay && (
              <Button
                leftSection={<VoiceIcon size={18} />}
                aria-label={`Say ${template.name}`}
                onClick={() => setOpen({ what: "say", template })}
              >
                Say it
              </Button>
            )}
            {mayWrite && (
              <>
                <Button
                  variant="default"
                  aria-label={`Change the template ${template.name}`}
                  onClick={() => setOpen({ what: "change", template })}
                >
                  Change
                </Button>
                <Button
                  variant="light"
                  color="red"
                  aria-label={`Remove the template ${template.name}`}
                  onClick={() => setOpen({ what: "remove", template })}
                >
                  Remove
                </Button>
              </>
            )}
          </Row>
        )}
      />
      {open?.what === "make" && <TemplateDialog template={null} onClose={close} />}
      {open?.what === "change" && <TemplateDialog template={open.template} onClose={close} />}
      {open?.what === "say" && <SayTemplateDialog template={open.template} onClose={close} />}
      {open?.what === "remove" && <Remove template={open.template} onClose={close} />}
    </Section>
  );
}

function Remove({ template, onClose }: { template: Template; onClose: () => void }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: async () => {
      const path = { template_id: template.id };
      await api.DELETE("/api/v1/announcements/templates/{template_id}/", { params: { path } });
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["templates"] });
      onClose();
    },
  });
  return (
    <Confirm
      title={`Remove ${template.name}?`}
      verb="Remove"
      opened
      pending={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onConfirm={() => remove.mutate()}
    >
      What was said with it stays among the announcements.
    </Confirm>
  );
}
