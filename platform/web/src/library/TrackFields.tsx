/** What people call a track, and what may be done with it: one track's fields, or those of many. */

import { NativeSelect, TextInput } from "@mantine/core";
import type { Folder } from "../api/types";
import css from "../ui/Page.module.css";
import type { Draft } from "./draft";
import { options, shelves } from "./folders";
import style from "./Library.module.css";

interface Props {
  draft: Draft;
  onChange: (draft: Draft) => void;
  folders: readonly Folder[];
  /** Of many: what is left empty stays as it is in each. */
  many?: boolean;
}

const YES_NO = [
  { value: "true", label: "Yes" },
  { value: "false", label: "No" },
];

/** The title apart, which only one track has. */
export function TrackFields({ draft, onChange, folders, many = false }: Props) {
  const put = (part: Partial<Draft>) => onChange({ ...draft, ...part });
  const line = (name: keyof Draft, label: string, more: Record<string, unknown> = {}) => (
    <TextInput
      label={label}
      {...(many && { placeholder: "As it is" })}
      maxLength={255}
      {...more}
      value={draft[name]}
      onChange={(event) => put({ [name]: event.currentTarget.value })}
    />
  );
  const flag = (name: "explicit" | "offline_allowed", label: string) => (
    <NativeSelect
      label={label}
      data={many ? [{ value: "", label: "As it is" }, ...YES_NO] : YES_NO}
      value={draft[name]}
      onChange={(event) => put({ [name]: event.currentTarget.value })}
    />
  );
  return (
    <>
      <div className={css.pair}>
        {line("artist", "Artist")}
        {line("album", "Album")}
      </div>
      <div className={css.pair}>
        {line("genre", "Genre", { maxLength: 100 })}
        {line("year", "Year", { maxLength: 4, inputMode: "numeric" })}
      </div>
      <div className={css.pair}>
        {line("composer", "Composer")}
        {!many && line("isrc", "ISRC", { maxLength: 20 })}
      </div>
      {line("tags", "Tags", { description: "Separated by commas", maxLength: 2000 })}
      <NativeSelect
        label="Folder"
        data={options(shelves(folders), many ? "Where each is" : "In no folder")}
        value={draft.folder_id}
        onChange={(event) => put({ folder_id: event.currentTarget.value })}
      />
      <fieldset className={style.rights}>
        <legend>What may be done with {many ? "them" : "it"}</legend>
        <div className={css.pair}>
          {line("licence", "Licence")}
          {line("regions", "Only in these countries", {
            description: "Two letters each, such as DE, AT",
          })}
        </div>
        <div className={css.pair}>
          {line("valid_from", "From", { type: "date" })}
          {line("valid_until", "Until the end of", { type: "date" })}
        </div>
        <div className={css.pair}>
          {flag("explicit", "Explicit words")}
          {flag("offline_allowed", "May be kept offline")}
        </div>
      </fieldset>
    </>
  );
}
