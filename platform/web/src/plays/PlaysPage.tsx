/** What was asked to be heard lately, and what became of each. */

import { Button } from "@mantine/core";
import { useState } from "react";
import { api, body } from "../api/client";
import { useList } from "../api/lists";
import type { Place } from "../places/tree";
import { usePlaces } from "../places/places";
import { count, dayAndTime, names } from "../format";
import { AnnouncementPages } from "../announcements/AnnouncementPages";
import { Listed, Page, Row, Section } from "../ui/Page";
import css from "./PlaysPage.module.css";
import { Receipts } from "./Receipts";

const NOWHERE: readonly Place[] = [];

/** What others play shows up by itself. */
const ASK_EVERY = 15_000;

/** One is open at a time, and followed meanwhile; `/announcements/plays/ID` opens that one. */
export function PlaysPage({ path }: { path: string }) {
  const [open, setOpen] = useState(path.split("/")[3] ?? "");
  const places = usePlaces().data ?? NOWHERE;
  const list = useList(
    ["plays"],
    async (query) => body(await api.GET("/api/v1/plays/", { params: { query } })),
    () => ASK_EVERY,
  );
  const where = (zones: readonly string[]) =>
    names(zones.map((zone) => places.find(({ id }) => id === zone)?.name ?? "a zone"));
  return (
    <Page title="What was heard">
      <AnnouncementPages />
      <Section
        title="Announcements that were played"
        lead="Every speaker says what became of it. That is kept for 90 days."
      >
        <Listed
          list={list}
          name="Plays"
          empty="Nothing was announced yet. What is played or said is listed here."
          keyOf={({ id }) => id}
          row={({ id, title, created_at, zone_ids }) => (
            <>
              <Row
                title={title}
                detail={[
                  dayAndTime(created_at),
                  zone_ids.length > 0 ? where(zone_ids) : count(0, "zone"),
                ].join(" · ")}
              >
                <Button
                  variant="default"
                  aria-expanded={open === id}
                  aria-label={`What became of ${title}`}
                  onClick={() => setOpen(open === id ? "" : id)}
                >
                  {open === id ? "Close" : "Who heard it"}
                </Button>
              </Row>
              {open === id && (
                <div className={css.opened}>
                  <Receipts play={id} />
                </div>
              )}
            </>
          )}
        />
      </Section>
    </Page>
  );
}
