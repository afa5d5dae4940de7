/** Adding a provider of voices, or changing one; its key is written and never read again. */

import { Button, NativeSelect, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body, tagOf } from "../api/client";
import type { Provider } from "../api/types";
import { Check } from "../ui/Check";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { tellDone } from "../ui/notify";
import css from "../ui/Page.module.css";
import { amount, MILLION, written } from "./amounts";
import { type Owner, useRefresh } from "./api";

interface Props {
  of: Owner;
  /** Null adds one. */
  provider: Provider | null;
  onClose: () => void;
}

const KINDS: readonly { value: Provider["kind"]; label: string }[] = [
  { value: "google", label: "Google Cloud Text-to-Speech" },
  { value: "piper", label: "Piper, on the server itself" },
  { value: "espeak", label: "espeak-ng, on the server itself" },
];
const TRANSPORTS = [
  { value: "rest", label: "REST" },
  { value: "grpc", label: "gRPC" },
];

interface Draft {
  readonly kind: Provider["kind"];
  readonly name: string;
  readonly key: string;
  readonly forget: boolean;
  readonly transport: string;
  readonly endpoint: string;
  readonly price: string;
  readonly characters: string;
  readonly cost: string;
  readonly isDefault: boolean;
  readonly active: boolean;
}

function text(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function draftOf(provider: Provider | null): Draft {
  return {
    kind: provider?.kind ?? "google",
    name: provider?.name ?? "",
    key: "",
    forget: false,
    transport: text(provider?.settings.transport, "rest"),
    endpoint: text(provider?.settings.endpoint, ""),
    price: written(provider?.unit_price ?? null),
    characters: written(provider?.monthly_characters ?? null),
    cost: written(provider?.monthly_cost ?? null, MILLION),
    isDefault: provider?.is_default ?? false,
    active: provider?.is_active ?? true,
  };
}

/** `endpoint` is the installation's to set: a client must not choose what the server asks. */
function valuesOf(draft: Draft, of: Owner) {
  const { kind, name, key, forget, transport, endpoint } = draft;
  const wide = of === "/api/v1/admin/ai-providers/";
  return {
    name: name.trim(),
    ...(forget ? { api_key: "" } : key.trim() && { api_key: key.trim() }),
    settings: kind === "google" ? { transport, ...(wide && { endpoint: endpoint.trim() }) } : {},
    unit_price: amount(draft.price) ?? 0,
    monthly_characters: amount(draft.characters),
    monthly_cost: amount(draft.cost, MILLION),
    is_default: draft.isDefault,
    is_active: draft.active,
  };
}

/** What the key was is not known here: left empty, it stays. */
export function ProviderDialog({ of, provider, onClose }: Props) {
  const [draft, setDraft] = useState(() => draftOf(provider));
  const [tried, setTried] = useState(false);
  const refresh = useRefresh();
  const version = useQuery({
    queryKey: ["providers", "one", provider?.id],
    enabled: provider !== null,
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    queryFn: async () => {
      const path = { provider_id: provider?.id ?? "" };
      return tagOf(await api.GET(`${of}{provider_id}/`, { params: { path } }));
    },
  });
  const save = useMutation({
    gcTime: 0, // the key is in what was sent: nothing of it stays
    mutationFn: async () => {
      const values = valuesOf(draft, of);
      if (!provider) return body(await api.POST(of, { body: { ...values, kind: draft.kind } }));
      const header = { "If-Match": version.data ?? null };
      const params = { path: { provider_id: provider.id }, header };
      return body(await api.PATCH(`${of}{provider_id}/`, { params, body: values }));
    },
    onSuccess: ({ name }) => {
      refresh();
      tellDone(provider ? "Changed" : "Added", name);
      onClose();
    },
  });
  const change = (some: Partial<Draft>) => setDraft({ ...draft, ...some });
  const wrong = (field: "price" | "characters" | "cost") =>
    Number.isNaN(amount(draft[field])) && "Write a number, or leave it empty.";
  const whole = draft.name.trim() && !wrong("price") && !wrong("characters") && !wrong("cost");
  const google = draft.kind === "google";
  return (
    <Dialog title={provider ? `Change ${provider.name}` : "New provider"} opened onClose={onClose}>
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
        {!provider && (
          <NativeSelect
            label="Kind"
            data={[...KINDS]}
            value={draft.kind}
            onChange={(event) =>
              change({ kind: KINDS.find(({ value }) => value === event.currentTarget.value)?.value ?? "google" })
            }
          />
        )}
        <TextInput
          label="Name"
          maxLength={255}
          value={draft.name}
          error={tried && !draft.name.trim() && "Give it a name."}
          onChange={(event) => change({ name: event.currentTarget.value })}
          data-autofocus
        />
        {google && (
          <>
            <PasswordInput
              label="Key"
              description={keyHint(provider)}
              autoComplete="new-password"
              maxLength={500}
              disabled={draft.forget}
              value={draft.key}
              visibilityToggleButtonProps={{ "aria-label": "Show the key" }}
              onChange={(event) => change({ key: event.currentTarget.value })}
            />
            {provider?.api_key_end && (
              <Check label="Forget its key" checked={draft.forget} onChange={(forget) => change({ forget })} />
            )}
            <NativeSelect
              label="Asked by"
              data={TRANSPORTS}
              value={draft.transport}
              onChange={(event) => change({ transport: event.currentTarget.value })}
            />
            {of === "/api/v1/admin/ai-providers/" && (
              <TextInput
                label="Address"
                description="Another one than Google’s; usually empty."
                maxLength={200}
                value={draft.endpoint}
                onChange={(event) => change({ endpoint: event.currentTarget.value })}
              />
            )}
          </>
        )}
        <div className={css.pair}>
          <TextInput
            label="Price of a million characters"
            inputMode="decimal"
            value={draft.price}
            error={wrong("price")}
            onChange={(event) => change({ price: event.currentTarget.value })}
          />
          <TextInput
            label="Characters a month, at most"
            inputMode="numeric"
            value={draft.characters}
            error={wrong("characters")}
            onChange={(event) => change({ characters: event.currentTarget.value })}
          />
          <TextInput
            label="Cost a month, at most"
            inputMode="decimal"
            value={draft.cost}
            error={wrong("cost")}
            onChange={(event) => change({ cost: event.currentTarget.value })}
          />
        </div>
        <Check label="Is asked before the others" checked={draft.isDefault} onChange={(isDefault) => change({ isDefault })} />
        <Check label="Is in use" checked={draft.active} onChange={(active) => change({ active })} />
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending || version.isLoading}>
            {provider ? "Save" : "Add it"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function keyHint(provider: Provider | null): string {
  if (!provider) return "It is sealed and never shown again.";
  return provider.api_key_end
    ? `The one that is there ends in ${provider.api_key_end}. Left empty, it stays.`
    : "Left empty, what is there stays; it is never shown.";
}
