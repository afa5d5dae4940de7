/** What a zone sounded, or will, at one instant: the state that it had, or has by all that is known. */

import { Button, Skeleton, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { clockAt, dayAt, dayWords, instantOf } from "../schedules/clock";
import { Failure } from "../ui/Failure";
import { Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import style from "./Forecast.module.css";
import { momentWords } from "./moments";

interface Props {
  zone: string;
  /** The venue's time zone. */
  clock: string;
}

/** A week back and a week ahead, to the second. */
export function Moment({ zone, clock }: Props) {
  const [draft, setDraft] = useState("");
  const [at, setAt] = useState("");
  const instant = at && instantOf(at.slice(0, 10), at.slice(11), clock).toISOString();
  const found = useQuery({
    queryKey: ["forecast", zone, "moment", instant],
    enabled: instant !== "",
    queryFn: async () => {
      const params = { query: { zone_id: zone, at: instant } };
      return body(await api.GET("/api/v1/playback/state/", { params }));
    },
  });
  const view = found.data?.results[0];
  return (
    <Section
      title="At one moment"
      lead="Any instant of the week before and the week to come. What is past is told by the state that the zone had then."
    >
      <form
        className={style.asked}
        onSubmit={(event) => {
          event.preventDefault();
          if (draft === at) void found.refetch();
          setAt(draft);
        }}
      >
        <TextInput
          label="When"
          type="datetime-local"
          step={1}
          required
          value={draft}
          onChange={(event) => setDraft(event.currentTarget.value)}
        />
        <div className={css.buttons}>
          <Button type="submit" variant="default">
            Look it up
          </Button>
        </div>
      </form>
      <Failure title="It cannot be told" error={found.error} />
      {instant && found.isPending && (
        <div role="status" aria-label="Looking it up">
          <Skeleton height={72} />
        </div>
      )}
      {view && !found.error && (
        <div role="status" aria-label="At that moment" className={style.part}>
          <h3 className={style.head}>
            <span>{dayWords(dayAt(new Date(instant), clock))}</span>
            <span className={style.times}>{clockAt(instant, clock)}</span>
          </h3>
          {momentWords(view).map((line) => (
            <p key={line} className={css.detail}>
              {line}
            </p>
          ))}
        </div>
      )}
    </Section>
  );
}
