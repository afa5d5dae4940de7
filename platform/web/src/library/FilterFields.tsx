/** What a list of tracks is narrowed to, beside words that are looked for. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { Check } from "../ui/Check";
import { asked, type Filters, NO_FILTERS } from "./filters";
import style from "./Library.module.css";

interface Props {
  filters: Filters;
  /** Whether a folder is shown, which may hold others. */
  inFolder: boolean;
  onChange: (filters: Filters) => void;
}

const EITHER = [
  { value: "", label: "Either" },
  { value: "true", label: "Yes" },
  { value: "false", label: "No" },
];

/** Together they all have to hold. */
export function FilterFields({ filters, inFolder, onChange }: Props) {
  const line = (name: keyof Filters, label: string, more: Record<string, unknown> = {}) => (
    <TextInput
      label={label}
      maxLength={255}
      {...more}
      value={String(filters[name])}
      onChange={(event) => onChange({ ...filters, [name]: event.currentTarget.value })}
    />
  );
  const either = (name: "explicit" | "offline_allowed", label: string) => (
    <NativeSelect
      label={label}
      data={EITHER}
      value={filters[name]}
      onChange={(event) => onChange({ ...filters, [name]: event.currentTarget.value })}
    />
  );
  const number = { inputMode: "numeric", maxLength: 6 };
  return (
    <div className={style.narrow} role="group" aria-label="Filters">
      <div className={style.filters}>
        {line("artist", "Artist")}
        {line("album", "Album")}
        {line("genre", "Genre")}
        {line("tag", "Tag")}
        {line("licence", "Licence")}
        {line("year_from", "Year from", number)}
        {line("year_to", "Year to", number)}
        {line("longer", "Minutes at least", number)}
        {line("shorter", "Minutes at most", number)}
        {line("valid_on", "May be played on", { type: "date" })}
        {either("explicit", "Explicit words")}
        {either("offline_allowed", "May be kept offline")}
      </div>
      <div className={style.filters}>
        <Check
          label="Only what is here twice"
          checked={filters.duplicates}
          onChange={(duplicates) => onChange({ ...filters, duplicates })}
        />
        {inFolder && (
          <Check
            label="With the folders in it"
            checked={filters.subfolders}
            onChange={(subfolders) => onChange({ ...filters, subfolders })}
          />
        )}
        <Button
          className={style.aside}
          variant="default"
          disabled={asked(filters) === 0}
          onClick={() => onChange(NO_FILTERS)}
        >
          No filters
        </Button>
      </div>
    </div>
  );
}
