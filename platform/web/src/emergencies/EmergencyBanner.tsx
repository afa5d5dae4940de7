/** Tells on every page that an emergency or a drill sounds, and leads to its all-clear. */

import { names } from "../format";
import { isWithin, usePath } from "../router";
import { AlarmIcon } from "../ui/icons";
import { Link } from "../ui/Link";
import { useActive, useAlarms } from "./api";
import css from "./EmergencyBanner.module.css";
import { useZoneNames } from "./useZoneNames";

const PAGE = "/emergencies";

/** Below the header's line, and as sticky; who may not read emergencies is told what sounds. */
export function EmergencyBanner() {
  const alarms = useAlarms();
  const active = useActive();
  const zoneNames = useZoneNames();
  const there = isWithin(usePath(), PAGE);
  if (active.length > 0) {
    return (
      <div role="alert" aria-label="Emergencies">
        {active.map(({ id, name, drill, zone_ids }) => (
          <p key={id} className={css.bar} data-drill={drill || undefined}>
            <AlarmIcon size={20} />
            <span>
              <strong>{drill ? "Drill" : "Emergency"}: </strong>
              {name} sounds in {zoneNames(zone_ids)}.
            </span>
            {!there && (
              <Link className={css.link} href={PAGE}>
                Look
              </Link>
            )}
          </p>
        ))}
      </div>
    );
  }
  if (alarms.length === 0) return null;
  return (
    <div role="alert" aria-label="Emergencies">
      <p className={css.bar}>
        <AlarmIcon size={20} />
        <span>
          <strong>Emergency message: </strong>
          {names([...new Set(alarms.map(({ title }) => title))])} sounds in{" "}
          {names(alarms.map(({ zone }) => zone))}.
        </span>
      </p>
    </div>
  );
}
