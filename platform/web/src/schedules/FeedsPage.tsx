/** Addresses at which other programs read a schedule as a calendar. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { useList } from "../api/lists";
import type { Feed } from "../api/types";
import { day } from "../format";
import type { Place } from "../places/tree";
import { usePlaces } from "../places/places";
import { useMay } from "../session/session";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { Listed, Page, Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { Remove } from "../ui/Remove";
import { Secret } from "../ui/Secret";
import { SchedulePages } from "./SchedulePages";

const NOWHERE: readonly Place[] = [];

/** Each address is shown once, and revoked by itself. */
export function FeedsPage() {
  const mayWrite = useMay("schedules.write");
  const places = usePlaces().data ?? NOWHERE;
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Feed | null>(null);
  const queries = useQueryClient();
  const refresh = () => void queries.invalidateQueries({ queryKey: ["feeds"] });
  const list = useList(["feeds"], async (query) =>
    body(await api.GET("/api/v1/schedules/feeds/", { params: { query } })),
  );
  const where = (zone: string | null) =>
    zone ? (places.find(({ id }) => id === zone)?.name ?? "one zone") : "all zones";
  return (
    <Page title="Feeds" action={mayWrite && <Button onClick={() => setMaking(true)}>New feed</Button>}>
      <SchedulePages />
      <Section
        title="The schedule in other calendars"
        lead="A calendar program subscribes to the address of a feed: a week back, four weeks ahead. Whoever has the address reads it, until it is revoked."
      >
        <Listed
          list={list}
          name="Feeds"
          empty="There is no feed yet."
          keyOf={({ id }) => id}
          row={(feed) => (
            <Row title={feed.name} detail={`${where(feed.zone_id)} · since ${day(feed.created_at)}`}>
              {mayWrite && (
                <Button
                  variant="light"
                  color="red"
                  aria-label={`Revoke ${feed.name}`}
                  onClick={() => setRevoking(feed)}
                >
                  Revoke
                </Button>
              )}
            </Row>
          )}
        />
      </Section>
      {making && <FeedDialog places={places} onMade={refresh} onClose={() => setMaking(false)} />}
      {revoking && (
        <Remove
          title={`Revoke ${revoking.name}?`}
          verb="Revoke"
          remove={async () => {
            await api.DELETE("/api/v1/schedules/feeds/{feed_id}/", { params: { path: { feed_id: revoking.id } } });
          }}
          onClose={() => setRevoking(null)}
          onDone={() => {
            setRevoking(null);
            refresh();
          }}
        >
          Programs that have subscribed find nothing at its address any more. This cannot be taken back.
        </Remove>
      )}
    </Page>
  );
}

interface DialogProps {
  places: readonly Place[];
  onMade: () => void;
  onClose: () => void;
}

function FeedDialog({ places, onMade, onClose }: DialogProps) {
  const [name, setName] = useState("");
  const [zone, setZone] = useState("");
  const [tried, setTried] = useState(false);
  const zones = places.filter(({ kind }) => kind === "zone");
  const make = useMutation({
    gcTime: 0, // the address is in this answer: nothing of it stays
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/schedules/feeds/", { body: { name: name.trim(), zone_id: zone || null } }),
      ),
    onSuccess: onMade,
  });
  if (make.data) {
    return (
      <Dialog title="Copy the address now" opened onClose={onClose}>
        <Secret
          name={`Address of ${make.data.name}`}
          text={make.data.url}
          lead="It is shown this once. Put it where your calendar program takes the address of a calendar to subscribe to."
        />
        <div className={css.actions}>
          <Button onClick={onClose}>I have kept it</Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title="New feed" opened onClose={onClose}>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (name.trim()) make.mutate();
        }}
      >
        <Failure title="No feed was made" error={make.error} />
        <TextInput
          label="Name"
          placeholder="Who reads it"
          data-autofocus
          maxLength={255}
          value={name}
          error={tried && !name.trim() && "Give it a name."}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NativeSelect
          label="What it shows"
          data={[
            { value: "", label: "All zones" },
            ...zones.map((one) => ({ value: one.id, label: one.name })),
          ]}
          value={zone}
          onChange={(event) => setZone(event.currentTarget.value)}
        />
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={make.isPending}>
            Make the feed
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
