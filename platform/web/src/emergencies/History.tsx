/** Emergencies and drills that are over. */

import { Button } from "@mantine/core";
import { useState } from "react";
import type { Emergency } from "../api/types";
import { dayAndTime } from "../format";
import { Listed, Row, Section } from "../ui/Page";
import { useHistory } from "./api";
import css from "./Emergencies.module.css";
import { Speakers } from "./Speakers";
import { useZoneNames } from "./useZoneNames";
import { endOf, span } from "./where";

/** Kept for ever, the latest first. */
export function History() {
  const list = useHistory();
  const zoneNames = useZoneNames();
  const [open, setOpen] = useState("");
  return (
    <Section title="What was raised">
      <Listed
        list={list}
        name="Earlier emergencies and drills"
        empty="Nothing was raised yet."
        keyOf={({ id }) => id}
        row={(one) => (
          <>
            <Row
              title={
                <>
                  {one.name}
                  <span className={css.tag} data-drill={one.drill || undefined}>
                    {one.drill ? "Drill" : "Emergency"}
                  </span>
                </>
              }
              detail={[dayAndTime(one.created_at), zoneNames(one.zone_ids), howItEnded(one)].join(" · ")}
            >
              <Button
                variant="default"
                aria-expanded={open === one.id}
                aria-label={`What speakers reported of ${one.name}`}
                onClick={() => setOpen(open === one.id ? "" : one.id)}
              >
                {open === one.id ? "Close" : "Who heard it"}
              </Button>
            </Row>
            {open === one.id && (
              <div className={css.opened}>
                <Speakers emergency={one.id} name={one.name} active={false} />
              </div>
            )}
          </>
        )}
      />
    </Section>
  );
}

function howItEnded(one: Emergency): string {
  const end = endOf(one);
  if (end === null) return "goes on";
  const long = span(one.created_at, new Date(end).getTime());
  return one.cleared_at ? `all-clear after ${long}` : `ended by itself after ${long}`;
}
