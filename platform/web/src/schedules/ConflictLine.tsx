/** Two schedules that meet. */

import type { Conflict } from "../api/types";
import { count, names } from "../format";
import { ancestry, type Place } from "../places/tree";
import { Link } from "../ui/Link";
import { Row } from "../ui/Page";
import css from "../ui/Page.module.css";
import { LOSES } from "./changes";
import { clockAt, dayAt, dayWords, short } from "./clock";

interface Props {
  conflict: Conflict;
  places: readonly Place[];
  /** Whether the schedules can be opened: one that is not saved yet cannot. */
  linked?: boolean;
}

/** Who is heard, who is not, why, and when that first happens. */
export function ConflictLine({ conflict, places, linked = false }: Props) {
  const { kind, winner, loser, decided_by, priority, starts_at, ends_at, times, zone_ids, zone_count } = conflict;
  const [first = ""] = zone_ids;
  const holders = new Set(ancestry(first, places));
  const zone = places.find(({ id, kind: what }) => what === "location" && holders.has(id))?.timezone ?? "UTC";
  const title = (one: { id: string; name: string }) =>
    linked ? (
      <Link className={css.link} href={`/schedules/${one.id}`}>
        {one.name}
      </Link>
    ) : (
      <strong>{one.name}</strong>
    );
  const at = (instant: string) => short(clockAt(instant, zone));
  const when = `${dayWords(dayAt(new Date(starts_at), zone))}, ${at(starts_at)}`;
  const shown = zone_ids.map((id) => places.find((one) => one.id === id)?.name ?? "a zone");
  const where = zone_count > shown.length ? count(zone_count, "zone") : names(shown);
  return (
    <Row
      title={
        kind === "music" ? (
          <>
            {title(winner)} is heard instead of {title(loser)}
          </>
        ) : (
          <>
            {title(loser)} waits for {title(winner)}
          </>
        )
      }
      detail={
        <>
          Both have priority {priority}; {loser.name} {LOSES[decided_by]}.
          <br />
          {kind === "music" ? `${when} to ${at(ends_at)}` : when}
          {times > 1 && `, ${times} times in all`} · {where}
        </>
      }
    />
  );
}
