/** What a channel would play, from nothing heard on. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { duration } from "../format";
import { RATE } from "../live/clock";
import { usePlaces } from "../places/places";
import type { Place } from "../places/tree";
import { clockAt } from "../schedules/clock";
import { Asked } from "../ui/Asked";
import { Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import style from "./Preview.module.css";

const NOWHERE: readonly Place[] = [];
const AT_ONCE = 20;
const MOST = 200;

/** By the clock of the location that is asked about, whose country licences hold for. */
export function Preview({ channel }: { channel: string }) {
  const [at, setAt] = useState("");
  const [where, setWhere] = useState("");
  const [count, setCount] = useState(AT_ONCE);
  const places = (usePlaces().data ?? NOWHERE).filter(({ kind }) => kind === "location");
  const location = places.find(({ id }) => id === where) ?? places[0];
  const zone = location?.timezone ?? "UTC";
  const found = useQuery({
    queryKey: ["channels", "preview", channel, at, location?.id ?? "", count],
    placeholderData: (before) => before,
    queryFn: async () => {
      const query = { count, ...(at && { at }), ...(location && { location_id: location.id }) };
      const params = { path: { channel_id: channel }, query };
      return body(await api.GET("/api/v1/channels/{channel_id}/preview/", { params })).results;
    },
  });
  return (
    <Section
      title="What comes next"
      lead="As if nothing of it had been heard before. In a zone it goes on from what was heard there."
    >
      <div className={css.pair}>
        <TextInput
          label="From"
          type="datetime-local"
          description="Left empty: now"
          value={at}
          onChange={(event) => setAt(event.currentTarget.value)}
        />
        {places.length > 1 && (
          <NativeSelect
            label="At"
            description="Licences of tracks hold by country"
            data={places.map(({ id, name }) => ({ value: id, label: name }))}
            value={location?.id ?? ""}
            onChange={(event) => setWhere(event.currentTarget.value)}
          />
        )}
      </div>
      <Asked of={found} name="What comes next" refusal="It cannot be worked out." height={120} />
      {found.data?.length === 0 && (
        <p className={css.lead}>Nothing: there is no music in it that may be played there and then.</p>
      )}
      {found.data && found.data.length > 0 && (
        <ol className={css.list} aria-label="What comes next">
          {found.data.map(({ title, artist, kind, starts_at, duration_millis }, index) => (
            <li key={index} className={style.turn} data-kind={kind}>
              <span className={style.at}>{clockAt(starts_at, zone)}</span>
              <span className={style.what}>
                <strong>{title}</strong>
                {artist && <span className={css.detail}>{artist}</span>}
              </span>
              {kind === "announcement" && <span className={css.tag}>Announcement</span>}
              <span className={style.long}>{duration((duration_millis / 1000) * RATE)}</span>
            </li>
          ))}
        </ol>
      )}
      {found.data?.length === count && count < MOST && (
        <Button variant="default" onClick={() => setCount(Math.min(MOST, count + 40))}>
          Show more
        </Button>
      )}
    </Section>
  );
}
