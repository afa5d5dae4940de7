/** What was just asked to sound: when it begins, where, and what becomes of it. */

import { Button } from "@mantine/core";
import type { Said } from "../api/types";
import { names, timeOfDay } from "../format";
import { useLiveState } from "../live/context";
import { Receipts } from "../plays/Receipts";
import css from "../ui/Page.module.css";

interface Props {
  plays: Said["plays"];
  onClose: () => void;
}

/** The first of several instants counts: zones differ by little. */
export function Started({ plays, onClose }: Props) {
  const views = useLiveState((state) => state.zones);
  const [first] = plays.map(({ starts_at }) => starts_at).toSorted();
  const where = names([...new Set(plays.map(({ zone_id }) => views?.get(zone_id)?.name ?? "a zone"))]);
  return (
    <div className={css.form}>
      <p role="status">
        {first ? `It starts at ${timeOfDay(first)} in ${where}.` : "It starts shortly."}
      </p>
      {[...new Set(plays.map(({ play_id }) => play_id))].map((play) => (
        <Receipts key={play} play={play} />
      ))}
      <div className={css.actions}>
        <Button onClick={onClose}>Close</Button>
      </div>
    </div>
  );
}
