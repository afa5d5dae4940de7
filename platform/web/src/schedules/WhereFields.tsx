/** Where a schedule is heard, and where it is not. */

import { TextInput } from "@mantine/core";
import type { Place, PlaceKind } from "../places/tree";
import { Fold } from "../ui/Fold";
import { Radios } from "../ui/Radios";
import { useState } from "react";
import { tagsOf } from "./draft";
import type { Fields } from "./fields";
import style from "./ScheduleEdit.module.css";

type Props = Fields & { places: readonly Place[] };

const WHERE = [
  { value: "all", label: "Everywhere" },
  { value: "some", label: "In chosen places" },
] as const;

/** Where several places hold a zone, the narrowest counts. */
export function WhereFields({ draft, wrong, change, places }: Props) {
  const not = draft.notPlaces.length + tagsOf(draft.notTags).length;
  return (
    <div className={style.fields}>
      <Radios
        legend="Where it is heard"
        data={WHERE}
        value={draft.everywhere ? "all" : "some"}
        onChange={(where) => change({ everywhere: where === "all" })}
      />
      {!draft.everywhere && (
        <>
          <Picks
            legend="Places"
            places={places}
            chosen={draft.places}
            onChange={(chosen) => change({ places: chosen })}
          />
          <TextInput
            label="Zones with a tag"
            description="Tags between commas"
            value={draft.tags}
            onChange={(event) => change({ tags: event.currentTarget.value })}
          />
          {wrong.places && (
            <p className={style.error} role="alert">
              {wrong.places}
            </p>
          )}
        </>
      )}
      <Fold title="Except" told={not > 0 ? `${not} left out` : ""} open={not > 0}>
        <Picks
          legend="Not in these places"
          places={places}
          chosen={draft.notPlaces}
          onChange={(notPlaces) => change({ notPlaces })}
        />
        <TextInput
          label="Not in zones with a tag"
          description="Tags between commas"
          value={draft.notTags}
          onChange={(event) => change({ notTags: event.currentTarget.value })}
        />
      </Fold>
    </div>
  );
}

interface PicksProps {
  legend: string;
  places: readonly Place[];
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
}

const KINDS: readonly { kind: PlaceKind; name: string }[] = [
  { kind: "location", name: "Locations" },
  { kind: "floor", name: "Floors" },
  { kind: "zone", name: "Zones" },
];
/** From so many on they are looked for by name. */
const MANY = 15;

function Picks({ legend, places, chosen, onChange }: PicksProps) {
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLowerCase();
  const shown = places.filter(
    ({ id, name }) => !wanted || chosen.includes(id) || name.toLowerCase().includes(wanted),
  );
  return (
    <fieldset className={style.picks}>
      <legend>{legend}</legend>
      {places.length > MANY && (
        <TextInput
          type="search"
          aria-label={`Search: ${legend}`}
          placeholder="Search"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      {KINDS.map(({ kind, name }) => {
        const some = shown.filter((one) => one.kind === kind);
        return (
          some.length > 0 && (
            <div key={kind} className={style.boxes} role="group" aria-label={name}>
              <span className={style.kind} aria-hidden="true">
                {name}
              </span>
              {some.map((one) => (
                <label key={one.id} className={style.pill}>
                  <input
                    type="checkbox"
                    checked={chosen.includes(one.id)}
                    onChange={(event) =>
                      onChange(
                        event.currentTarget.checked
                          ? [...chosen, one.id]
                          : chosen.filter((id) => id !== one.id),
                      )
                    }
                  />
                  {one.name}
                </label>
              ))}
            </div>
          )
        );
      })}
    </fieldset>
  );
}
