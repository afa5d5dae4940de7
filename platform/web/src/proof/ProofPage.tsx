/** Proof of play: what was planned beside what was heard, its sums, and files of both. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { useList } from "../api/lists";
import type { ProofLine } from "../api/types";
import { dayAndTime } from "../format";
import type { Place } from "../places/tree";
import { usePlaces } from "../places/places";
import { PlaceSelect } from "../places/PlaceSelect";
import { Asked } from "../ui/Asked";
import { Listed, Page, Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { BY, type By, CHOICES, type Filters, inWords, lastWeek, OUTCOMES, toDays, toQuery } from "./asking";

const NOWHERE: readonly Place[] = [];

/** Filters for all of it; below them the sums, and every line. */
export function ProofPage() {
  const [draft, setDraft] = useState(() => lastWeek(new Date()));
  const [filters, setFilters] = useState(draft);
  return (
    <Page title="Proof of play">
      <Section title="Which plays">
        <Choice draft={draft} change={setDraft} show={() => setFilters(draft)} />
      </Section>
      <Sums filters={filters} />
      <Lines filters={filters} />
    </Page>
  );
}

interface ChoiceProps {
  draft: Filters;
  change: (filters: Filters) => void;
  show: () => void;
}

function Choice({ draft, change, show }: ChoiceProps) {
  const places = usePlaces().data ?? NOWHERE;
  return (
    <form
      className={css.pair}
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        show();
      }}
    >
      <TextInput
        label="From"
        type="date"
        value={draft.from}
        onChange={(event) => change({ ...draft, from: event.currentTarget.value })}
      />
      <TextInput
        label="To"
        type="date"
        value={draft.to}
        onChange={(event) => change({ ...draft, to: event.currentTarget.value })}
      />
      <PlaceSelect
        label="Where"
        any="Everywhere"
        places={places}
        value={draft.place}
        onChange={(place) => change({ ...draft, place })}
      />
      <NativeSelect
        label="Outcome"
        data={[{ value: "", label: "All" }, ...CHOICES]}
        value={draft.outcome}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          change({ ...draft, outcome: OUTCOMES.find((one) => one === chosen) ?? "" });
        }}
      />
      <TextInput
        label="Title or artist"
        value={draft.search}
        onChange={(event) => change({ ...draft, search: event.currentTarget.value })}
      />
      <Button type="submit">Show</Button>
    </form>
  );
}

function Sums({ filters }: { filters: Filters }) {
  const [by, setBy] = useState<By>("zone");
  const days = toDays(filters);
  const sums = useQuery({
    queryKey: ["proof", "summary", by, days],
    queryFn: async () =>
      body(await api.GET("/api/v1/proof/summary/", { params: { query: { by, ...days } } })),
  });
  const report = `/api/v1/proof/report/?${new URLSearchParams({ ...days, report: "usage-by-work", format: "csv" }).toString()}`;
  return (
    <Section
      title="Sums"
      lead="Days are those of the venues' clocks. The outcome chosen above does not change them."
      action={
        <Button component="a" variant="default" href={report} download>
          Usage report
        </Button>
      }
    >
      <NativeSelect
        label="By"
        data={[...BY]}
        value={by}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          setBy(BY.find((one) => one.value === chosen)?.value ?? "zone");
        }}
      />
      <Asked of={sums} name="Sums" refusal="This cannot be added up." height={120}>
        {({ total, results }) => (
          <ul className={css.list} aria-label="Sums">
            <li className={css.row}>
              <Row title="All" detail={inWords(total)} />
            </li>
            {results.map((one) => (
              <li className={css.row} key={one.subject}>
                <Row
                  title={[one.title || "Without a name", one.artist].filter(Boolean).join(", ")}
                  detail={inWords(one)}
                />
              </li>
            ))}
          </ul>
        )}
      </Asked>
    </Section>
  );
}

function Lines({ filters }: { filters: Filters }) {
  const wanted = toQuery(filters);
  const search = filters.search.trim();
  const asked = search ? { ...wanted, search } : wanted;
  const list = useList(["proof", asked], async (query) =>
    body(await api.GET("/api/v1/proof/", { params: { query: { ...query, ...asked } } })),
  );
  const file = (format: string) =>
    `/api/v1/proof/export/?${new URLSearchParams({ ...wanted, format }).toString()}`;
  return (
    <Section
      title="Plays"
      action={
        <div className={css.buttons}>
          <Button component="a" variant="default" href={file("csv")} download>
            Export CSV
          </Button>
          <Button component="a" variant="default" href={file("json")} download>
            Export JSON
          </Button>
        </div>
      }
    >
      <Listed
        list={list}
        name="Plays"
        empty="Nothing was planned or heard then. The newest plays appear after some minutes."
        keyOf={({ id }) => id}
        row={(line) => (
          <Row
            title={[line.title || "Without a name", line.artist].filter(Boolean).join(", ")}
            detail={`${dayAndTime(line.planned_at)} · ${line.zone_name} · ${became(line)}`}
          />
        )}
      />
    </Section>
  );
}

/** What became of a line, in words. */
function became(line: ProofLine): string {
  const why = line.reason && ` (${line.reason.replaceAll("_", " ")})`;
  const late = line.outcome === "late" ? ` by ${Math.round((line.late_millis ?? 0) / 1000)} s` : "";
  const of = line.speakers > 0 ? `, ${line.heard_by} of ${line.speakers} speakers` : "";
  return `${line.outcome}${late}${why}${of}`;
}
