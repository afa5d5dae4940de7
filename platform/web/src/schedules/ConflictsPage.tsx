/** Schedules between which only their dates or their age decide. */

import { Button, NativeSelect, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { advice, asProblem } from "../api/problem";
import { PlaceSelect } from "../places/PlaceSelect";
import type { Narrowed, Place } from "../places/tree";
import { usePlaces } from "../places/places";
import { Page, Section } from "../ui/Page";
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
  const problem = found.error && asProblem(found.error);
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
        {problem && (
          <div className={css.failed} role="alert">
            <p>
              The conflicts cannot be shown. {problem.detail} {advice(problem)}
            </p>
            <Button variant="default" onClick={() => void found.refetch()}>
              Try again
            </Button>
          </div>
        )}
        {found.isPending && (
          <div role="status" aria-label="Loading the conflicts">
            <Skeleton height={72} />
          </div>
        )}
        {found.data?.results.length === 0 && (
          <p className={css.lead}>None: it is clear everywhere who is heard.</p>
        )}
        {found.data && found.data.results.length > 0 && (
          <ul className={css.list} aria-label="Conflicts">
            {found.data.results.map((one) => (
              <li key={`${one.winner.id} ${one.loser.id}`} className={css.row}>
                <ConflictLine conflict={one} places={places} linked />
              </li>
            ))}
          </ul>
        )}
        {found.data?.truncated && <p className={css.lead}>There are more than can be listed.</p>}
      </Section>
    </Page>
  );
}
