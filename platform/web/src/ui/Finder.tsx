/** One thing of very many, found by its name. */

import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { advice, asProblem } from "../api/problem";
import css from "./Finder.module.css";

/** Something to choose. */
export interface Found {
  readonly id: string;
  readonly name: string;
  readonly detail?: string;
}

interface Props {
  label: string;
  /** What is chosen; null for nothing yet. */
  chosen: Found | null;
  /** The first few that a search finds; `key` tells searches of this kind apart. */
  ask: (search: string) => Promise<readonly Found[]>;
  kind: string;
  error?: string | false;
  onChange: (chosen: Found) => void;
}

/** Radio buttons below a field: what is chosen stays in sight whatever is looked for. */
export function Finder({ label, chosen, ask, kind, error, onChange }: Props) {
  const [search, setSearch] = useState("");
  const [settled] = useDebouncedValue(search.trim(), 300);
  const group = useId();
  const found = useQuery({ queryKey: ["finder", kind, settled], queryFn: () => ask(settled) });
  const others = (found.data ?? []).filter(({ id }) => id !== chosen?.id);
  const shown = chosen ? [chosen, ...others] : others;
  let said = "";
  if (found.error) {
    const problem = asProblem(found.error);
    said = `The list cannot be shown. ${problem.detail} ${advice(problem)}`;
  } else if (found.data && others.length === 0 && !chosen) {
    said = settled ? "Nothing is called so." : "There is nothing to choose yet.";
  }
  return (
    <fieldset className={css.group} aria-label={label}>
      <TextInput
        label={label}
        placeholder="Search"
        type="search"
        value={search}
        error={error}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <div className={css.choices}>
        {shown.map((one) => (
          <label key={one.id} className={css.choice}>
            <input
              type="radio"
              name={group}
              checked={one.id === chosen?.id}
              onChange={() => onChange(one)}
            />
            <span className={css.name}>{one.name}</span>
            {one.detail && <span className={css.detail}>{one.detail}</span>}
          </label>
        ))}
      </div>
      <p role="status" className={css.said}>
        {said}
      </p>
    </fieldset>
  );
}
