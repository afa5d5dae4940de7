/** The tracks of a folder or of all of them: looked for, sorted, chosen, listened to, changed. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import type { Folder, Track } from "../api/types";
import { count } from "../format";
import { Listed } from "../ui/Page";
import css from "../ui/Page.module.css";
import { useTracks } from "./api";
import { BulkDialog } from "./BulkDialog";
import { FilterFields } from "./FilterFields";
import { asked, NO_FILTERS } from "./filters";
import style from "./Library.module.css";
import { ORDERS } from "./orders";
import { RemoveTracks } from "./RemoveTracks";
import { TrackDialog } from "./TrackDialog";
import { TrackRow } from "./TrackRow";

const OWN = { value: "", label: "The folder’s order" };

interface Props {
  /** Null: everything. */
  folder: Folder | null;
  folders: readonly Folder[];
  mayWrite: boolean;
}

type Chosen = ReadonlyMap<string, Track>;
const NONE: Chosen = new Map();

/** Several can be chosen over all pages, and changed together. */
export function Tracks({ folder, folders, mayWrite }: Props) {
  const [search, setSearch] = useState("");
  const [ordering, setOrdering] = useState(folder ? OWN.value : "title");
  const [filters, setFilters] = useState(NO_FILTERS);
  const [narrowing, setNarrowing] = useState(false);
  const [narrowed] = useDebouncedValue(filters, 250);
  const [settled] = useDebouncedValue(search.trim(), 250);
  const [chosen, setChosen] = useState(NONE);
  const [changing, setChanging] = useState<Track | null>(null);
  const [bulk, setBulk] = useState(false);
  const [removing, setRemoving] = useState<readonly Track[]>([]);
  const list = useTracks({
    folder: folder?.id ?? "",
    search: settled,
    ordering,
    filters: narrowed,
  });
  const choose = (track: Track, on: boolean) => {
    const next = new Map(chosen);
    if (on) next.set(track.id, track);
    else next.delete(track.id);
    setChosen(next);
  };
  const narrows = asked(filters);
  const loaded = list.data?.pages.flatMap(({ results }) => results) ?? [];
  return (
    <div className={style.wide}>
      <div className={style.filters} role="search">
        <TextInput
          label="Search"
          type="search"
          placeholder="Title, artist, album, genre"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <NativeSelect
          label="Sorted by"
          data={folder ? [OWN, ...ORDERS] : ORDERS}
          value={ordering}
          onChange={(event) => setOrdering(event.currentTarget.value)}
        />
        <Button
          className={style.aside}
          variant="default"
          aria-expanded={narrowing}
          onClick={() => setNarrowing(!narrowing)}
        >
          {narrows > 0 ? `Filters (${narrows})` : "Filters"}
        </Button>
      </div>
      {narrowing && (
        <FilterFields
          filters={filters}
          inFolder={folder !== null && !folder.rules}
          onChange={setFilters}
        />
      )}
      <Listed
        list={list}
        name="Tracks"
        empty={
          settled || narrows > 0
            ? "Nothing here is like that."
            : folder?.rules
              ? "Its rules choose nothing yet."
              : "There is no music here yet."
        }
        keyOf={({ id }) => id}
        row={(track) => (
          <TrackRow
            track={track}
            chosen={mayWrite ? chosen.has(track.id) : null}
            onChosen={(on) => choose(track, on)}
            onOpen={() => setChanging(track)}
          />
        )}
      />
      {mayWrite && chosen.size > 0 && (
        <div className={style.chosen} role="group" aria-label="Chosen tracks">
          <p role="status">{count(chosen.size, "track")} chosen</p>
          <div className={css.buttons}>
            {chosen.size < loaded.length && (
              <Button
                variant="default"
                onClick={() => setChosen(new Map(loaded.map((track) => [track.id, track])))}
              >
                Choose all shown
              </Button>
            )}
            <Button onClick={() => setBulk(true)}>Change</Button>
            <Button
              variant="light"
              color="red"
              onClick={() => setRemoving([...chosen.values()])}
            >
              Remove
            </Button>
            <Button variant="subtle" color="gray" onClick={() => setChosen(NONE)}>
              Choose none
            </Button>
          </div>
        </div>
      )}
      {changing && (
        <TrackDialog
          id={changing.id}
          folders={folders}
          mayWrite={mayWrite}
          onClose={() => setChanging(null)}
          onRemove={() => {
            setRemoving([changing]);
            setChanging(null);
          }}
        />
      )}
      {bulk && (
        <BulkDialog
          tracks={[...chosen.values()]}
          folders={folders}
          onClose={() => setBulk(false)}
          onDone={() => {
            setBulk(false);
            setChosen(NONE);
          }}
        />
      )}
      {removing.length > 0 && (
        <RemoveTracks
          tracks={removing}
          onClose={() => setRemoving([])}
          onDone={() => {
            setRemoving([]);
            setChosen(NONE);
          }}
        />
      )}
    </div>
  );
}
