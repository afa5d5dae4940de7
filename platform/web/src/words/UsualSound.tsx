/** What sounds around every announcement of a client, where nothing else is said. */

import { Button, Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { MannerFields } from "../announcements/MannerFields";
import { mannerOf, toManner } from "../announcements/manner";
import { api, body, tagOf } from "../api/client";
import { Failure } from "../ui/Failure";
import { tellDone } from "../ui/notify";
import { Section } from "../ui/Page";
import css from "../ui/Page.module.css";

/** Every announcement can have its own instead. */
export function UsualSound({ mayWrite }: { mayWrite: boolean }) {
  const found = useQuery({
    queryKey: ["announcements", "sound", "usual"],
    queryFn: async () => {
      const answer = await api.GET("/api/v1/announcements/sound/");
      return { values: body(answer), tag: tagOf(answer) };
    },
  });
  return (
    <Section
      title="Usual chimes"
      lead="Around every announcement that has none of its own. How much louder or softer adds to its own."
    >
      <Failure title="They cannot be shown" error={found.error} />
      {found.isPending && (
        <div role="status" aria-label="Loading: the usual chimes">
          <Skeleton height={56} />
        </div>
      )}
      {found.data && (
        <Form key={found.data.tag} values={found.data.values} tag={found.data.tag} mayWrite={mayWrite} />
      )}
    </Section>
  );
}

interface FormProps {
  values: Parameters<typeof mannerOf>[0];
  /** The version that they are of. */
  tag: string;
  mayWrite: boolean;
}

function Form({ values, tag, mayWrite }: FormProps) {
  const [manner, setManner] = useState(() => mannerOf(values));
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: async () => {
      const params = { header: { "If-Match": tag } };
      return body(await api.PATCH("/api/v1/announcements/sound/", { params, body: toManner(manner) }));
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["announcements", "sound"] });
      tellDone("Changed", "Announcements sound like that from now on.");
    },
  });
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
      <MannerFields value={manner} usual="None" disabled={!mayWrite} onChange={setManner} />
      {mayWrite && (
        <div className={css.actions}>
          <Button type="submit" loading={save.isPending}>
            Save the usual chimes
          </Button>
        </div>
      )}
    </form>
  );
}
