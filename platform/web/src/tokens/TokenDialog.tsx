/** Making an API token, whose text is shown once. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { choices, type Place, toBody } from "../places/tree";
import { useSession } from "../session/session";
import { Check } from "../ui/Check";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import css from "../ui/Page.module.css";
import { Secret } from "../ui/Secret";

const DAY = 24 * 60 * 60 * 1000;
const LIFETIMES = [
  { value: "90", label: "90 days" },
  { value: "365", label: "One year" },
  { value: "30", label: "30 days" },
  { value: "", label: "Without an end" },
];
/** What no token is given. */
const PERSONAL = /^(admin\.|self$|privacy\.erase$)/;

interface Props {
  places: readonly Place[];
  onClose: () => void;
}

/** Offers what the person who makes it may do. */
export function TokenDialog({ places, onClose }: Props) {
  const mine = (useSession()?.permissions ?? []).filter((one) => !PERSONAL.test(one));
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [place, setPlace] = useState("");
  const [days, setDays] = useState("90");
  const [missing, setMissing] = useState(false);
  const queries = useQueryClient();
  const make = useMutation({
    gcTime: 0, // the token is in this answer: nothing of it stays
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/tokens/", {
          body: {
            name: name.trim(),
            permissions: [...chosen],
            ...toBody(place, places),
            ...(days && { expires_at: new Date(Date.now() + Number(days) * DAY).toISOString() }),
          },
        }),
      ),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["tokens"] }),
  });
  if (make.data) {
    return (
      <Dialog title="Copy the token now" opened onClose={onClose}>
        <Secret
          name={`Token ${make.data.name}`}
          text={make.data.token}
          lead="It is shown this once and kept nowhere. Whoever has it may do what it may do."
        />
        <div className={css.actions}>
          <Button onClick={onClose}>I have kept it</Button>
        </div>
      </Dialog>
    );
  }
  const toggle = (permission: string) => {
    const next = new Set(chosen);
    if (!next.delete(permission)) next.add(permission);
    setChosen(next);
  };
  return (
    <Dialog title="New token" opened onClose={onClose}>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const incomplete = !name.trim() || chosen.size === 0;
          setMissing(incomplete);
          if (!incomplete) make.mutate();
        }}
      >
        <Failure title="No token was made" error={make.error} />
        <TextInput
          label="Name"
          placeholder="Which program uses it"
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={missing && !name.trim() ? "Name the program that uses it." : null}
        />
        <fieldset className={css.set}>
          <legend>May do</legend>
          {mine.map((permission) => (
            <Check
              key={permission}
              label={permission}
              checked={chosen.has(permission)}
              onChange={() => toggle(permission)}
            />
          ))}
        </fieldset>
        {missing && chosen.size === 0 && (
          <p className={css.lead} role="alert">
            Choose at least one thing that it may do.
          </p>
        )}
        <div className={css.pair}>
          <NativeSelect
            label="Where"
            data={choices(places)}
            value={place}
            onChange={(event) => setPlace(event.currentTarget.value)}
          />
          <NativeSelect
            label="Ends after"
            data={LIFETIMES}
            value={days}
            onChange={(event) => setDays(event.currentTarget.value)}
          />
        </div>
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={make.isPending}>
            Make the token
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
