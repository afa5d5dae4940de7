/** The audit trail: who did what, and when. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";
import { api, body } from "../api/client";
import { useList } from "../api/lists";
import type { Entry } from "../api/types";
import { dayAndTime } from "../format";
import { Listed, Page, Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";

const ACTIVITIES: readonly Entry["activity"][] = [
  "crud", "service", "sync", "config", "discovery", "alert",
];

interface Filters {
  search: string;
  activity: Entry["activity"] | "";
  from: string;
  to: string;
}

const NONE: Filters = { search: "", activity: "", from: "", to: "" };

interface Query {
  search?: string;
  activity?: Entry["activity"];
  from?: string;
  to?: string;
}

/** What the API takes of them. `to` is a day that is still included. */
function toQuery({ search, activity, from, to }: Filters): Query {
  const found: Query = {};
  if (search.trim()) found.search = search.trim();
  if (activity) found.activity = activity;
  if (from) found.from = new Date(`${from}T00:00:00`).toISOString();
  if (to) {
    const end = new Date(`${to}T00:00:00`);
    end.setDate(end.getDate() + 1);
    found.to = end.toISOString();
  }
  return found;
}

/** Filters, the entries, and the way to take them along. */
export function AuditPage() {
  const [draft, setDraft] = useState(NONE);
  const [filters, setFilters] = useState(NONE);
  const wanted = toQuery(filters);
  const list = useList(["audit", wanted], async (query) =>
    body(await api.GET("/api/v1/audit/", { params: { query: { ...query, ...wanted } } })),
  );
  const file = (format: string) =>
    `/api/v1/audit/export/?${new URLSearchParams({ ...wanted, format }).toString()}`;
  return (
    <Page title="Audit trail">
      <Section
        title="Entries"
        action={
          <div className={css.buttons}>
            <Button component="a" variant="default" href={file("csv")} download>
              Export CSV
            </Button>
            <Button component="a" variant="default" href={file("jsonl")} download>
              Export JSON lines
            </Button>
          </div>
        }
      >
        <form
          className={css.pair}
          role="search"
          onSubmit={(event) => {
            event.preventDefault();
            setFilters(draft);
          }}
        >
          <TextInput
            label="Search"
            value={draft.search}
            onChange={(event) => setDraft({ ...draft, search: event.currentTarget.value })}
          />
          <NativeSelect
            label="Kind"
            data={[{ value: "", label: "All" }, ...ACTIVITIES]}
            value={draft.activity}
            onChange={(event) => {
              const chosen = event.currentTarget.value;
              const activity = ACTIVITIES.find((one) => one === chosen) ?? "";
              setDraft({ ...draft, activity });
            }}
          />
          <TextInput
            label="From"
            type="date"
            value={draft.from}
            onChange={(event) => setDraft({ ...draft, from: event.currentTarget.value })}
          />
          <TextInput
            label="To"
            type="date"
            value={draft.to}
            onChange={(event) => setDraft({ ...draft, to: event.currentTarget.value })}
          />
          <Button type="submit">Show</Button>
        </form>
        <Listed
          list={list}
          name="Entries"
          empty="Nothing of that kind is written down."
          keyOf={({ id }) => id}
          row={(entry) => (
            <Row
              title={entry.action}
              detail={
                <>
                  {dayAndTime(entry.at)} · {entry.actor.label || entry.actor.kind}
                  {entry.address && ` · ${entry.address}`}
                  <br />
                  {entry.subject_type} {entry.subject_id ?? ""}
                </>
              }
            />
          )}
        />
      </Section>
    </Page>
  );
}
