/** A field that narrows a list to one location, floor or zone. */

import { NativeSelect } from "@mantine/core";
import { grouped, type Narrowed, type Place, type PlaceKind } from "./tree";

interface Props {
  label: string;
  /** What stands for all places. */
  any: string;
  places: readonly Place[];
  kinds?: readonly PlaceKind[];
  value: Narrowed;
  onChange: (value: Narrowed) => void;
}

/** The kinds of places below headings of their own. */
export function PlaceSelect({ label, any, places, kinds, value, onChange }: Props) {
  return (
    <NativeSelect
      label={label}
      data={[{ value: "", label: any }, ...grouped(places, kinds)]}
      value={value?.id ?? ""}
      onChange={(event) => {
        const found = places.find(({ id }) => id === event.currentTarget.value);
        onChange(found ? { kind: found.kind, id: found.id } : null);
      }}
    />
  );
}
