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
  const kinds = [alarms.filter(({ drill }) => !drill), alarms.filter(({ drill }) => drill)];
  if (alarms.length === 0) return null;
  return (
    <div role="alert" aria-label="Emergencies">
      {kinds.map(
        ([first, ...more]) =>
          first && (
            <p key={String(first.drill)} className={css.bar} data-drill={first.drill || undefined}>
              <AlarmIcon size={20} />
              <span>
                <strong>{first.drill ? "Drill" : "Emergency message"}: </strong>
                {names([...new Set([first, ...more].map(({ title }) => title))])} sounds in{" "}
                {names([first, ...more].map(({ zone }) => zone))}.
              </span>
            </p>
          ),
      )}
    </div>
  );
}
