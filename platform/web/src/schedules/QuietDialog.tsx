/** The quiet hours of one location or zone. */

import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import type { Location, Zone } from "../api/types";
import { Check } from "../ui/Check";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { tellDone } from "../ui/notify";
import css from "../ui/Page.module.css";
import { Radios } from "../ui/Radios";
import { DayPills } from "./DayPills";
import { MOST_QUIET, NIGHT, type QuietHours, wrongHours } from "./quiet";
import style from "./ScheduleEdit.module.css";

export type Quieted =
  | { readonly kind: "location"; readonly one: Location }
  | { readonly kind: "zone"; readonly one: Zone };

interface Props {
  of: Quieted;
  onClose: () => void;
  onDone: () => void;
}

const WHOSE = [
  { value: "place", label: "As its location" },
  { value: "own", label: "Its own" },
] as const;

/** Speakers hear of it as of any change of what is planned. */
export function QuietDialog({ of, onClose, onDone }: Props) {
  const { kind, one } = of;
  const [own, setOwn] = useState(kind === "location" || one.quiet_hours !== null);
  const [hours, setHours] = useState<readonly QuietHours[]>(one.quiet_hours ?? []);
  const [tried, setTried] = useState(false);
  const queries = useQueryClient();
  const wrong = own && wrongHours(hours);
  const save = useMutation({
    mutationFn: async () => {
      const params = { path: { row_id: one.id } };
      const quiet_hours = [...hours];
      if (kind === "location") await api.PATCH("/api/v1/locations/{row_id}/", { params, body: { quiet_hours } });
      else await api.PATCH("/api/v1/zones/{row_id}/", { params, body: { quiet_hours: own ? quiet_hours : null } });
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["forecast"] });
      tellDone("Saved", `The quiet hours of ${one.name}`);
      onDone();
    },
  });
  const change = (i: number, some: Partial<QuietHours>) => {
    const before = hours[i];
    if (before) setHours(hours.with(i, { ...before, ...some }));
  };
  return (
    <Dialog title={`Quiet hours of ${one.name}`} opened onClose={onClose}>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (!wrong) save.mutate();
        }}
      >
        <Failure title="Nothing was changed" error={save.error} />
        {kind === "zone" && (
          <Radios
            legend="Whose"
            data={WHOSE}
            value={own ? "own" : "place"}
            onChange={(whose) => setOwn(whose === "own")}
          />
        )}
        {own && hours.length === 0 && <p className={css.lead}>It is never quiet.</p>}
        {own &&
          hours.map((one, i) => (
            <fieldset key={i} className={style.picks} aria-label={`Hours ${i + 1}`}>
              <div className={css.pair}>
                <TextInput
                  label="From"
                  type="time"
                  value={one.start_time}
                  error={tried && !one.start_time && "Give a time."}
                  onChange={(event) => change(i, { start_time: event.currentTarget.value })}
                />
                <TextInput
                  label="To"
                  type="time"
                  value={one.end_time}
                  error={tried && !one.end_time && "Give a time."}
                  onChange={(event) => change(i, { end_time: event.currentTarget.value })}
                />
              </div>
              {one.start_time && one.end_time && one.end_time <= one.start_time && (
                <p className={css.lead}>
                  {one.end_time === one.start_time ? "A whole day from then on." : "It ends on the next day."}
                </p>
              )}
              <DayPills
                legend="Beginning on these days; none means every day"
                days={one.days_of_week ?? []}
                onChange={(days) => change(i, { days_of_week: [...days] })}
              />
              <Check
                label="Music goes on"
                checked={one.music ?? true}
                onChange={(music) => change(i, { music })}
              />
              <div className={css.buttons}>
                <Button
                  variant="default"
                  aria-label={`Remove hours ${i + 1}`}
                  onClick={() => setHours(hours.toSpliced(i, 1))}
                >
                  Remove these hours
                </Button>
              </div>
            </fieldset>
          ))}
        {own && (
          <div className={css.buttons}>
            <Button
              variant="default"
              disabled={hours.length >= MOST_QUIET}
              onClick={() => setHours([...hours, NIGHT])}
            >
              {hours.length > 0 ? "More hours" : "Add hours"}
            </Button>
          </div>
        )}
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
