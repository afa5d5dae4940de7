/** How something sounds beside its words: chimes around it, and how much louder it is. */

import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, body } from "../api/client";
import css from "../ui/Page.module.css";
import { LOUDER, type Manner } from "./manner";

interface Props {
  value: Manner;
  /** What the first choice is called; where it is `None`, that is none indeed. */
  usual?: string;
  disabled?: boolean;
  onChange: (value: Manner) => void;
}

/** A chime that is an announcement or a track is shown, and kept as it is. */
export function MannerFields({ value, usual = "The usual one", disabled = false, onChange }: Props) {
  const found = useQuery({
    queryKey: ["announcements", "sound"],
    staleTime: 600_000,
    queryFn: async () => body(await api.GET("/api/v1/announcements/sound/")),
  });
  const data = [
    { value: "", label: usual },
    ...(usual === "None" ? [] : [{ value: "none", label: "None" }]),
    ...(found.data?.chimes ?? []).filter((name) => name !== "none").map((name) => ({ value: name, label: name })),
  ];
  const own = { value: "own", label: "Its own" };
  const chime = (key: "before" | "after", label: string) => (
    <NativeSelect
      label={label}
      disabled={disabled}
      data={value[key] === "own" ? [...data, own] : data}
      value={value[key]}
      onChange={(event) => onChange({ ...value, [key]: event.currentTarget.value })}
    />
  );
  return (
    <div className={css.pair}>
      {chime("before", "Chime before")}
      {chime("after", "Chime after")}
      <NativeSelect
        label="Loudness"
        disabled={disabled}
        data={LOUDER.includes(value.offset) ? OFFSETS : [...OFFSETS, offset(value.offset)]}
        value={String(value.offset)}
        onChange={(event) => onChange({ ...value, offset: Number(event.currentTarget.value) })}
      />
    </div>
  );
}

function offset(hundredths: number): { value: string; label: string } {
  const decibels = hundredths / 100;
  const label = decibels === 0 ? "As usual" : `${decibels > 0 ? "+" : "−"}${Math.abs(decibels)} dB`;
  return { value: String(hundredths), label };
}

const OFFSETS = LOUDER.map(offset);
