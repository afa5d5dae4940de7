/** What saving would do: heard before anything is changed. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import type { DryRun, ScheduleNew } from "../api/types";
import { ancestry, type Place } from "../places/tree";
import { Failure } from "../ui/Failure";
import { Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { type Difference, EFFECT, nameOf, sum, timesOf } from "./changes";
import { dayAt, daysAfter, instantOf } from "./clock";
import { ConflictLine } from "./ConflictLine";
import style from "./ScheduleEdit.module.css";

interface Props {
  /** The body that would be saved; null where something is missing. */
  body: ScheduleNew | null;
  /** Null makes a new one. */
  id: string | null;
  places: readonly Place[];
  /** Says what is missing. */
  onTry: () => void;
}

const SHOWN = 40;

/** Of a day, in one zone or in all that it concerns (the platform takes twenty at once). */
export function Changes({ body: given, id, places, onTry }: Props) {
  const zones = places.filter(({ kind }) => kind === "zone");
  const [zone, setZone] = useState("");
  const [day, setDay] = useState("");
  const clock = clockOf(zone, places);
  const key = JSON.stringify([given, zone, day]);
  const run = useMutation({
    mutationFn: async (schedule: ScheduleNew) => {
      const change = id ? { schedule_id: id, change: schedule } : { create: schedule };
      const found = body(
        await api.POST("/api/v1/schedules/dry-run/", {
          body: { changes: [change], ...(zone && { zone_ids: [zone] }), ...rangeOf(day, clock) },
        }),
      );
      return { found, key };
    },
  });
  const stale = run.data !== undefined && run.data.key !== key;
  return (
    <Section
      title="What changes"
      lead="Try it out before it is saved: what would be heard otherwise in the next 24 hours or on a day of the next two weeks, by each venue’s clock."
    >
      <div className={css.pair}>
        <NativeSelect
          label="In"
          data={[
            { value: "", label: "All zones that it concerns" },
            ...zones.map((one) => ({ value: one.id, label: one.name })),
          ]}
          value={zone}
          onChange={(event) => setZone(event.currentTarget.value)}
        />
        <TextInput
          label="On the day"
          type="date"
          value={day}
          onChange={(event) => setDay(event.currentTarget.value)}
        />
      </div>
      <div className={css.buttons}>
        <Button
          variant="default"
          loading={run.isPending}
          onClick={() => (given ? run.mutate(given) : onTry())}
        >
          Show what changes
        </Button>
      </div>
      <Failure title="It could not be tried out" error={run.error} />
      <div role="status" aria-label="What changes">
        {run.data &&
          (stale ? (
            <p className={css.lead}>The form was changed since: show it again.</p>
          ) : (
            <Told found={run.data.found} places={places} />
          ))}
      </div>
    </Section>
  );
}

function clockOf(zone: string, places: readonly Place[]): string {
  const holders = new Set(zone ? ancestry(zone, places) : []);
  const found = places.find(({ id, kind }) => kind === "location" && (!zone || holders.has(id)));
  return found?.timezone ?? "UTC";
}

/** A whole day by that clock; what is past of it is left out. */
function rangeOf(day: string, clock: string): { from?: string; to?: string } {
  if (!day) return {};
  const to = instantOf(daysAfter(day, 1), "00:00", clock).toISOString();
  if (day === dayAt(new Date(), clock)) return { to };
  return { from: instantOf(day, "00:00", clock).toISOString(), to };
}

function Told({ found, places }: { found: DryRun; places: readonly Place[] }) {
  const name = (id: string) => places.find((one) => one.id === id)?.name ?? "A zone";
  const { results, conflicts } = found;
  return (
    <div className={style.form}>
      {results.length === 0 && <p>It concerns no zone.</p>}
      {results.map(({ zone_id, differences, truncated }) => (
        <div key={zone_id}>
          <h3 className={css.name}>
            {name(zone_id)}: {sum(differences)}
          </h3>
          <ul className={css.list} aria-label={`What changes in ${name(zone_id)}`}>
            {differences.slice(0, SHOWN).map((one, i) => (
              <li key={i} className={style.change}>
                <Line difference={one} clock={clockOf(zone_id, places)} />
              </li>
            ))}
          </ul>
          {(truncated || differences.length > SHOWN) && (
            <p className={css.detail}>
              {differences.length > SHOWN && `And ${differences.length - SHOWN} more. `}
              {truncated && "There is even more than can be shown."}
            </p>
          )}
        </div>
      ))}
      {conflicts.length > 0 && (
        <div>
          <h3 className={css.name}>It meets others of the same priority</h3>
          <ul className={css.list} aria-label="Conflicts">
            {conflicts.map((one) => (
              <li key={`${one.winner.id} ${one.loser.id}`} className={css.row}>
                <ConflictLine conflict={one} places={places} />
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

function Line({ difference, clock }: { difference: Difference; clock: string }) {
  const { effect, heard, before } = difference;
  return (
    <>
      <span className={style.effect} data-effect={effect}>
        {EFFECT[effect]}
      </span>
      <span>
        {nameOf(heard)}
        <br />
        <span className={css.detail}>
          {timesOf(heard, clock)}
          {before && `, before ${timesOf(before, clock)}`}
        </span>
      </span>
    </>
  );
}
