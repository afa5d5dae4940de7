/** Schedules between which only their dates or their age decide. */

import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { PlaceSelect } from "../places/PlaceSelect";
import type { Narrowed, Place } from "../places/tree";
import { usePlaces } from "../places/places";
import { Asked } from "../ui/Asked";
import { Items, Page, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { ConflictLine } from "./ConflictLine";
import { SchedulePages } from "./SchedulePages";

const NOWHERE: readonly Place[] = [];
const AHEAD = [
  { value: "14", label: "The next two weeks" },
  { value: "31", label: "The next month" },
  { value: "62", label: "The next two months" },
];

/** What somebody may not have meant. */
export function ConflictsPage() {
  const places = usePlaces().data ?? NOWHERE;
  const [place, setPlace] = useState<Narrowed>(null);
  const [days, setDays] = useState("14");
  const found = useQuery({
    queryKey: ["schedules", "conflicts", place, days],
    queryFn: async () => {
      const query = { days: Number(days), ...(place && { [`${place.kind}_id`]: place.id }) };
      return body(await api.GET("/api/v1/schedules/conflicts/", { params: { query } }));
    },
  });
  return (
    <Page title="Conflicts">
      <SchedulePages />
      <Section
        title="Schedules that meet"
        lead="They want the same zone at the same time with the same priority, so that only dates or age decide. Give one of them a higher priority if that is not what you meant."
      >
        <div className={css.pair}>
          <PlaceSelect label="In" any="Any place" places={places} value={place} onChange={setPlace} />
          <NativeSelect
            label="During"
            data={AHEAD}
            value={days}
            onChange={(event) => setDays(event.currentTarget.value)}
          />
        </div>
        <Asked of={found} name="Conflicts" refusal="The conflicts cannot be shown.">
          {({ results, truncated }) => (
            <>
              <Items
                all={results}
                name="Conflicts"
                empty="None: it is clear everywhere who is heard."
                keyOf={({ winner, loser }) => `${winner.id} ${loser.id}`}
                row={(one) => <ConflictLine conflict={one} places={places} linked />}
              />
              {truncated && <p className={css.lead}>There are more than can be listed.</p>}
            </>
          )}
        </Asked>
      </Section>
    </Page>
  );
}
