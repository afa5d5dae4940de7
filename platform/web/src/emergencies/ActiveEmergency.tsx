/** An emergency that sounds now, and its all-clear. */

import { asProblem } from "../api/problem";
import type { Emergency } from "../api/types";
import { count, timeOfDay } from "../format";
import { useMayThere } from "../session/may";
import { Failure } from "../ui/Failure";
import { HoldButton } from "../ui/HoldButton";
import { AlarmIcon } from "../ui/icons";
import { tellDone } from "../ui/notify";
import { useClear } from "./api";
import css from "./Emergencies.module.css";
import { Speakers } from "./Speakers";
import { useMinute, useZoneNames } from "./useZoneNames";
import { span } from "./where";

/** Whoever does not reach all of its zones is told so when they try to end it. */
export function ActiveEmergency({ emergency }: { emergency: Emergency }) {
  const { id, name, drill, zone_ids, created_at, ends_at, volume } = emergency;
  const what = drill ? "drill" : "emergency";
  const zoneNames = useZoneNames();
  const now = useMinute();
  const mayThere = useMayThere("emergencies.raise");
  const clear = useClear(() => tellDone("All-clear", `${name} is over. Music goes on.`));
  const mayClear = zone_ids.some(mayThere);
  return (
    <section className={css.active} data-drill={drill || undefined} aria-label={`Active ${what}: ${name}`}>
      <div className={css.what}>
        <span className={css.sign}>
          <AlarmIcon size={30} />
        </span>
        <div>
          <p className={css.kind}>{drill ? "Drill" : "Emergency"}</p>
          <h2 className={css.name}>{name}</h2>
        </div>
      </div>
      <dl className={css.facts}>
        <div>
          <dt>Where</dt>
          <dd>
            {zoneNames(zone_ids)}
            {zone_ids.length > 2 && ` (${count(zone_ids.length, "zone")})`}
          </dd>
        </div>
        <div>
          <dt>Since</dt>
          <dd>
            {timeOfDay(created_at)}, for {span(created_at, now)}
          </dd>
        </div>
        <div>
          <dt>Until</dt>
          <dd>{ends_at ? timeOfDay(ends_at) : "the all-clear"}</dd>
        </div>
        <div>
          <dt>Volume</dt>
          <dd>{volume}</dd>
        </div>
      </dl>
      {mayClear && (
        <>
          <Failure
            title={`The ${what} goes on`}
            error={clear.error}
            explain={(problem) =>
              asProblem(problem).status === 404
                ? "It sounds in places that are not yours as well: somebody who reaches all of them gives the all-clear."
                : null
            }
          />
          <HoldButton
            tone="calm"
            purpose="to give the all-clear"
            pending={clear.isPending}
            onDone={() => clear.mutate(id)}
          >
            All-clear
          </HoldButton>
        </>
      )}
      <Speakers emergency={id} name={name} active />
    </section>
  );
}
