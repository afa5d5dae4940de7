/** Making a schedule, or changing it: what, when, where, and what that changes. */

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import type { Schedule } from "../api/types";
import { navigate } from "../router";
import { useMay } from "../session/session";
import { Asked } from "../ui/Asked";
import { Check } from "../ui/Check";
import { Failure } from "../ui/Failure";
import { tellDone } from "../ui/notify";
import { Page, Section } from "../ui/Page";
import { type Shared, useRefresh, useSchedule, useShared } from "./api";
import { Changes } from "./Changes";
import { type Draft, draftOf, EMPTY, toBody, wrongs } from "./draft";
import { MoreFields, PriorityFields } from "./MoreFields";
import style from "./ScheduleEdit.module.css";
import { SchedulePages } from "./SchedulePages";
import { RemoveSchedule } from "./SchedulesPage";
import { WhatFields } from "./WhatFields";
import { WhenFields } from "./WhenFields";
import { WhereFields } from "./WhereFields";
import { priorityWords, whenWords, whereWords } from "./words";

/** `/schedules/ID`; whoever may not change it reads it. */
export function SchedulePage({ id }: { id: string }) {
  const mayWrite = useMay("schedules.write");
  const found = useSchedule(id);
  const shared = useShared();
  if (found.data && mayWrite) {
    return <Edit key={id} {...found.data} shared={shared} />;
  }
  return (
    <Page title={found.data?.schedule.name ?? "Schedule"}>
      <SchedulePages />
      <Asked of={found} name="Schedule" refusal="The schedule cannot be shown." height={240}>
        {({ schedule }) => <Told schedule={schedule} shared={shared} />}
      </Asked>
    </Page>
  );
}

/** `/schedules/new`. */
export function NewSchedulePage() {
  return <Edit schedule={null} tag="" shared={useShared()} />;
}

function Told({ schedule, shared }: { schedule: Schedule; shared: Shared }) {
  return (
    <Section title="What it says">
      <dl className={style.facts}>
        <dt>Plays</dt>
        <dd>{schedule.content_name || "What it played is gone"}</dd>
        <dt>When</dt>
        <dd>{whenWords(schedule, shared).join(" · ")}</dd>
        <dt>Where</dt>
        <dd>{whereWords(schedule, shared)}</dd>
        <dt>Priority</dt>
        <dd>{priorityWords(schedule, shared)}</dd>
        <dt>State</dt>
        <dd>{schedule.is_active ? "On" : "Off"}</dd>
      </dl>
    </Section>
  );
}

interface EditProps {
  /** Null makes a new one. */
  schedule: Schedule | null;
  /** The version that is looked at. */
  tag: string;
  shared: Shared;
}

function Edit({ schedule, tag: loaded, shared }: EditProps) {
  // what was begun with: another version that is read meanwhile does not take the form's place
  const [tag] = useState(loaded);
  const [draft, setDraft] = useState<Draft>(() => (schedule ? draftOf(schedule) : EMPTY));
  const [tried, setTried] = useState(false);
  const [removing, setRemoving] = useState(false);
  const refresh = useRefresh();
  const wrong = wrongs(draft);
  const missing = Object.keys(wrong).length;
  const body = missing === 0 ? toBody(draft, shared.places) : null;
  const save = useMutation({
    mutationFn: async (given: NonNullable<typeof body>) => {
      if (!schedule) {
        await api.POST("/api/v1/schedules/", { body: given });
        return;
      }
      const params = { path: { schedule_id: schedule.id }, header: { "If-Match": tag } };
      await api.PATCH("/api/v1/schedules/{schedule_id}/", { params, body: given });
    },
    onSuccess: () => {
      refresh();
      tellDone("Saved", `${draft.name.trim()} is heard as soon as the speakers have it.`);
      navigate("/schedules");
    },
  });
  const fields = {
    draft,
    wrong: tried ? wrong : {},
    change: (some: Partial<Draft>) => setDraft((now) => ({ ...now, ...some })),
  };
  return (
    <Page
      title={schedule ? schedule.name : "New schedule"}
      action={
        schedule && (
          <Button variant="light" color="red" onClick={() => setRemoving(true)}>
            Remove the schedule
          </Button>
        )
      }
    >
      <SchedulePages />
      <form
        className={style.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (body) save.mutate(body);
        }}
      >
        <Section title="What">
          <WhatFields {...fields} isNew={!schedule} />
        </Section>
        <Section title="When" lead="By the clock of each venue.">
          <WhenFields {...fields} shared={shared} />
        </Section>
        <Section title="Where">
          <WhereFields {...fields} places={shared.allPlaces} />
        </Section>
        <Section title="How important">
          <div className={style.fields}>
            <PriorityFields {...fields} levels={shared.allLevels} />
            <MoreFields {...fields} />
          </div>
        </Section>
        <Changes
          body={body}
          id={schedule?.id ?? null}
          places={shared.allPlaces}
          onTry={() => setTried(true)}
        />
        <Failure title="It was not saved" error={save.error} />
        <div className={style.save}>
          {tried && missing > 0 && (
            <span role="alert" className={style.error}>
              {Object.values(wrong)[0]}
            </span>
          )}
          <Check
            label="On"
            checked={draft.isActive}
            onChange={(isActive) => fields.change({ isActive })}
          />
          <Button variant="default" onClick={() => navigate("/schedules")}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
      {removing && schedule && (
        <RemoveSchedule
          schedule={schedule}
          onClose={() => setRemoving(false)}
          onDone={() => navigate("/schedules")}
        />
      )}
    </Page>
  );
}
