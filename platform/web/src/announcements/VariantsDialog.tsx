/** The variants of a message: other announcements that are heard in its stead, and when. */

import { Button, NativeSelect, Skeleton, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { everyPage } from "../api/lists";
import type { Announcement, Variant } from "../api/types";
import { Check } from "../ui/Check";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { tellProblem } from "../ui/notify";
import { Row } from "../ui/Page";
import css from "../ui/Page.module.css";
import { ALWAYS, DAYS, inWords, toTold, type When, whenOf, whyNot } from "./variants";

interface Props {
  message: Announcement;
  onClose: () => void;
}

/** Each play chooses one that is valid then, by weight; the message itself where none is. */
export function VariantsDialog({ message, onClose }: Props) {
  const path = { announcement_id: message.id };
  const queries = useQueryClient();
  const [open, setOpen] = useState<Variant | "new" | null>(null);
  const found = useQuery({
    queryKey: ["announcements", "variants", message.id],
    queryFn: async () =>
      body(await api.GET("/api/v1/announcements/{announcement_id}/variants/", { params: { path } }))
        .results,
  });
  const sounds = useQuery({
    queryKey: ["announcements", "ready"],
    queryFn: () =>
      everyPage<Announcement>(async (query) =>
        body(
          await api.GET("/api/v1/announcements/", {
            params: { query: { ...query, state: "ready", ordering: "title" } },
          }),
        ),
      ),
  });
  const refresh = () => void queries.invalidateQueries({ queryKey: ["announcements"] });
  const drop = useMutation({
    mutationFn: async ({ id }: Variant) => {
      await api.DELETE("/api/v1/announcements/{announcement_id}/variants/{variant_id}/", {
        params: { path: { ...path, variant_id: id } },
      });
    },
    onSettled: refresh,
    onError: (error) => tellProblem("It was not taken away", error),
  });
  const title = (id: string) => sounds.data?.find((one) => one.id === id)?.title ?? "Another announcement";
  const taken = new Set([message.id, ...(found.data ?? []).map(({ sound_id }) => sound_id)]);
  const free = (sounds.data ?? []).filter(({ id }) => !taken.has(id));
  return (
    <Dialog title={`Variants of ${message.title}`} opened onClose={onClose}>
      <div className={css.form}>
        <p className={css.lead}>
          Each play chooses one that is valid at that time, by weight. Where none is, the evergreen one
          is heard, or the message itself.
        </p>
        <Failure title="The variants cannot be shown" error={found.error ?? sounds.error} />
        {found.isPending && (
          <div role="status" aria-label="Loading: variants">
            <Skeleton height={56} />
          </div>
        )}
        {found.data?.length === 0 && <p className={css.lead}>There is no variant yet.</p>}
        <ul className={css.list} aria-label="Variants">
          {(found.data ?? []).map((variant) => (
            <li key={variant.id} className={css.row}>
              <Row title={title(variant.sound_id)} detail={inWords(variant)}>
                <Button
                  variant="default"
                  aria-label={`Change the variant ${title(variant.sound_id)}`}
                  onClick={() => setOpen(variant)}
                >
                  Change
                </Button>
                <Button
                  variant="light"
                  color="red"
                  aria-label={`Take ${title(variant.sound_id)} away`}
                  loading={drop.isPending && drop.variables.id === variant.id}
                  onClick={() => drop.mutate(variant)}
                >
                  Take away
                </Button>
              </Row>
            </li>
          ))}
        </ul>
        {open ? (
          <Form
            key={open === "new" ? "new" : open.id}
            message={message.id}
            variant={open === "new" ? null : open}
            name={open === "new" ? "" : title(open.sound_id)}
            free={free}
            onClose={() => setOpen(null)}
            onSaved={() => {
              refresh();
              setOpen(null);
            }}
          />
        ) : (
          <Button variant="default" disabled={free.length === 0} onClick={() => setOpen("new")}>
            Add a variant
          </Button>
        )}
      </div>
    </Dialog>
  );
}

interface FormProps {
  message: string;
  /** Null adds one. */
  variant: Variant | null;
  name: string;
  free: readonly Announcement[];
  onClose: () => void;
  onSaved: () => void;
}

function Form({ message, variant, name, free, onClose, onSaved }: FormProps) {
  const [sound, setSound] = useState(variant?.sound_id ?? free[0]?.id ?? "");
  const [when, setWhen] = useState<When>(variant ? whenOf(variant) : ALWAYS);
  const [tried, setTried] = useState(false);
  const wrong = whyNot(when);
  const save = useMutation({
    mutationFn: async () => {
      const path = { announcement_id: message };
      if (!variant) {
        const given = { sound_id: sound, ...toTold(when) };
        await api.POST("/api/v1/announcements/{announcement_id}/variants/", { params: { path }, body: given });
        return;
      }
      const params = { path: { ...path, variant_id: variant.id } };
      await api.PATCH("/api/v1/announcements/{announcement_id}/variants/{variant_id}/", {
        params,
        body: toTold(when),
      });
    },
    onSuccess: onSaved,
  });
  const change = (some: Partial<When>) => setWhen({ ...when, ...some });
  const field = (key: "starts" | "ends" | "from" | "to", label: string, type: "date" | "time") => (
    <TextInput
      label={label}
      type={type}
      value={when[key]}
      onChange={(event) => change({ [key]: event.currentTarget.value })}
    />
  );
  return (
    <form
      className={css.form}
      noValidate
      aria-label={variant ? `Change ${name}` : "A variant"}
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (!wrong && sound) save.mutate();
      }}
    >
      <Failure title="Nothing was changed" error={save.error} />
      {!variant && (
        <NativeSelect
          label="What is heard"
          data={free.map(({ id, title }) => ({ value: id, label: title }))}
          value={sound}
          onChange={(event) => setSound(event.currentTarget.value)}
        />
      )}
      <fieldset className={css.set}>
        <legend>On these days; none means every day</legend>
        {DAYS.map((day, i) => (
          <Check
            key={day}
            label={day}
            checked={when.days.includes(i)}
            onChange={(on) => change({ days: on ? [...when.days, i] : when.days.filter((one) => one !== i) })}
          />
        ))}
      </fieldset>
      <div className={css.pair}>
        {field("from", "From", "time")}
        {field("to", "To", "time")}
        {field("starts", "First day", "date")}
        {field("ends", "Last day", "date")}
        <TextInput
          label="Weight"
          inputMode="numeric"
          value={when.weight}
          onChange={(event) => change({ weight: event.currentTarget.value })}
        />
      </div>
      <Check
        label="Evergreen: heard when no other is valid"
        checked={when.evergreen}
        onChange={(evergreen) => change({ evergreen })}
      />
      {tried && wrong && <p role="alert">{wrong}</p>}
      <div className={css.actions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending}>
          {variant ? "Save the variant" : "Add it"}
        </Button>
      </div>
    </form>
  );
}
