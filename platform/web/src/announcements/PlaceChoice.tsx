/** Zones to choose from, with a button for each floor or location that holds several. */

import type { ZoneView } from "../api/types";
import type { Place } from "../places/tree";
import { CheckIcon } from "../ui/icons";
import css from "../say/ZoneChoice.module.css";
import { type Group, groups, share, toggled } from "./targets";

interface Props {
  zones: readonly ZoneView[];
  places: readonly Place[];
  chosen: ReadonlySet<string>;
  onChange: (chosen: ReadonlySet<string>) => void;
}

/** Checkboxes that look like buttons; a place is ticked when all of it is. */
export function PlaceChoice({ zones, places, chosen, onChange }: Props) {
  const ids = zones.map(({ zone_id }) => zone_id);
  const everything: Group = { id: "", name: "All zones", zones: ids };
  const wide = ids.length > 1 ? [everything, ...groups(places, ids)] : [];
  const single = zones.map(({ zone_id, name }): Group => ({ id: zone_id, name, zones: [zone_id] }));
  return (
    <>
      {wide.length > 0 && (
        <Boxes legend="Places" groups={wide} chosen={chosen} onChange={onChange} />
      )}
      <Boxes legend="Zones" groups={single} chosen={chosen} onChange={onChange} />
    </>
  );
}

interface BoxesProps {
  legend: string;
  groups: readonly Group[];
  chosen: ReadonlySet<string>;
  onChange: (chosen: ReadonlySet<string>) => void;
}

function Boxes({ legend, groups: all, chosen, onChange }: BoxesProps) {
  return (
    <fieldset className={css.set}>
      <legend className={css.legend}>{legend}</legend>
      {all.map((group) => {
        const state = share(group, chosen);
        return (
          <label key={group.id} className={css.box}>
            <input
              type="checkbox"
              checked={state === "all"}
              ref={(box) => {
                if (box) box.indeterminate = state === "some";
              }}
              onChange={() => onChange(toggled(group, chosen))}
            />
            {state === "all" && <CheckIcon size={16} />}
            <span>{group.name}</span>
          </label>
        );
      })}
    </fieldset>
  );
}
