/** All clients, for sync2gear's own people: how they stand, and the way to look at one. */

import { Button, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { api, body } from "../api/client";
import { useList } from "../api/lists";
import { count } from "../format";
import { useSwitch } from "../session/switching";
import { Listed, Page, Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { bytes } from "../uploads/rules";

/** Looking at a client is written down in its audit trail. */
export function ClientsPage() {
  const [search, setSearch] = useState("");
  const [settled] = useDebouncedValue(search.trim(), 250);
  const view = useSwitch();
  const more = settled ? { search: settled } : {};
  const list = useList(["clients", more], async (query) =>
    body(await api.GET("/api/v1/admin/clients/", { params: { query: { ...query, ...more } } })),
  );
  return (
    <Page title="Clients">
      <Section title="All clients">
        <TextInput
          label="Search"
          type="search"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <Listed
          list={list}
          name="Clients"
          empty={settled ? "No client is called like that." : "There are no clients yet."}
          keyOf={({ id }) => id}
          row={(client) => (
            <Row
              title={
                <>
                  {client.name}
                  {client.standing !== "active" && (
                    <span className={css.tag}>{client.standing}</span>
                  )}
                </>
              }
              detail={
                <>
                  {client.email && `${client.email} · `}
                  {count(client.members ?? 0, "person").replace("persons", "people")} ·{" "}
                  {client.devices_online ?? 0} of {count(client.devices ?? 0, "speaker")} online ·{" "}
                  {bytes(client.storage_bytes ?? 0)} of {client.max_storage_gb} GB
                </>
              }
            >
              <Button
                variant="default"
                aria-label={`Look at ${client.name}`}
                loading={view.isPending && view.variables === client.id}
                onClick={() => view.mutate(client.id)}
              >
                Look at it
              </Button>
            </Row>
          )}
        />
      </Section>
    </Page>
  );
}
