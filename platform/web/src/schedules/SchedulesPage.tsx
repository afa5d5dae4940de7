/** The schedules of a client: found, switched on and off, made, removed. */

import { ActionIcon, Button, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import type { Schedule } from "../api/types";
import { PlaceSelect } from "../places/PlaceSelect";
import { navigate } from "../router";
import { useMay } from "../session/session";
import { TrashIcon } from "../ui/icons";
import { Link } from "../ui/Link";
import { tellDone, tellProblem } from "../ui/notify";
import { Listed, Page, Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { Remove } from "../ui/Remove";
import { Switch } from "../ui/Switch";
import { useRefresh, useSchedules, useShared, type Wanted } from "./api";
import style from "./Schedules.module.css";
import { SchedulePages } from "./SchedulePages";
import { type Known, priorityWords, whenWords, whereWords } from "./words";

const TYPES = [
  { value: "", label: "Any type" },
  { value: "music", label: "Music" },
  { value: "announcement", label: "Announcements" },
];
const STATES = [
  { value: "", label: "On and off" },
  { value: "true", label: "On" },
  { value: "false", label: "Off" },
];
const ORDERS = [
  { value: "name", label: "Name" },
  { value: "-priority", label: "Highest priority" },
  { value: "-created_at", label: "Newest" },
];
const ALL: Wanted = { search: "", type: "", place: null, active: "", ordering: "name" };

/** Whoever may not change them looks at them. */
export function SchedulesPage() {
  const mayWrite = useMay("schedules.write");
  const [wanted, setWanted] = useState(ALL);
  const [search] = useDebouncedValue(wanted.search.trim(), 300);
  const [removing, setRemoving] = useState<Schedule | null>(null);
  const shared = useShared();
  const list = useSchedules({ ...wanted, search });
  const narrowed = wanted.place !== null || Boolean(search || wanted.type || wanted.active);
  const change = (some: Partial<Wanted>) => setWanted({ ...wanted, ...some });
  return (
    <Page
      title="Schedules"
      action={mayWrite && <Button onClick={() => navigate("/schedules/new")}>New schedule</Button>}
    >
      <SchedulePages />
      <Section
        title="What is heard when and where"
        lead="Speakers keep a week of it: they play on by it while there is no network."
      >
        <div className={style.filters}>
          <TextInput
            label="Search"
            type="search"
            value={wanted.search}
            onChange={(event) => change({ search: event.currentTarget.value })}
          />
          <NativeSelect
            label="Type"
            data={TYPES}
            value={wanted.type}
            onChange={(event) => change({ type: event.currentTarget.value as Wanted["type"] })}
          />
          <PlaceSelect
            label="Heard in"
            any="Any place"
            places={shared.allPlaces}
            value={wanted.place}
            onChange={(place) => change({ place })}
          />
          <NativeSelect
            label="State"
            data={STATES}
            value={wanted.active}
            onChange={(event) => change({ active: event.currentTarget.value as Wanted["active"] })}
          />
          <NativeSelect
            label="In the order of"
            data={ORDERS}
            value={wanted.ordering}
            onChange={(event) => change({ ordering: event.currentTarget.value })}
          />
        </div>
        <Listed
          list={list}
          name="Schedules"
          empty={
            narrowed
              ? "No schedule is like that."
              : "There is no schedule yet: every zone plays its own music all day."
          }
          keyOf={({ id }) => id}
          row={(schedule) => (
            <ScheduleRow
              schedule={schedule}
              known={shared}
              mayWrite={mayWrite}
              onRemove={() => setRemoving(schedule)}
            />
          )}
        />
      </Section>
      {removing && <RemoveSchedule schedule={removing} onClose={() => setRemoving(null)} />}
    </Page>
  );
}

interface RowProps {
  schedule: Schedule;
  known: Known;
  mayWrite: boolean;
  onRemove: () => void;
}

function ScheduleRow({ schedule, known, mayWrite, onRemove }: RowProps) {
  const { id, name, type, is_active, content_name } = schedule;
  const refresh = useRefresh();
  const flip = useMutation({
    mutationFn: async (on: boolean) => {
      const params = { path: { schedule_id: id } };
      await api.PATCH("/api/v1/schedules/{schedule_id}/", { params, body: { is_active: on } });
    },
    onError: (error) => tellProblem(`${name} was not switched`, error),
    onSettled: refresh,
  });
  return (
    <Row
      title={
        <>
          <Link className={css.link} href={`/schedules/${id}`}>
            {name}
          </Link>
          <span className={css.tag}>{type === "music" ? "Music" : "Announcement"}</span>
          {!mayWrite && !is_active && <span className={css.tag}>Off</span>}
        </>
      }
      detail={
        <>
          {content_name || "What it played is gone"} · {whereWords(schedule, known)}
          <br />
          {[...whenWords(schedule, known), priorityWords(schedule, known)].join(" · ")}
        </>
      }
    >
      {mayWrite && (
        <>
          <Switch label={`${name} is on`} on={is_active} busy={flip.isPending} onChange={(next) => flip.mutate(next)} />
          <Button
            variant="default"
            aria-label={`Change ${name}`}
            onClick={() => navigate(`/schedules/${id}`)}
          >
            Change
          </Button>
          <ActionIcon size={44} variant="subtle" color="red" aria-label={`Remove ${name}`} onClick={onRemove}>
            <TrashIcon />
          </ActionIcon>
        </>
      )}
    </Row>
  );
}

interface RemoveProps {
  schedule: Schedule;
  onClose: () => void;
  onDone?: () => void;
}

/** Nothing uses a schedule: it goes at once. */
export function RemoveSchedule({ schedule, onClose, onDone }: RemoveProps) {
  const refresh = useRefresh();
  return (
    <Remove
      title={`Remove ${schedule.name}?`}
      remove={async () => {
        const params = { path: { schedule_id: schedule.id } };
        await api.DELETE("/api/v1/schedules/{schedule_id}/", { params });
      }}
      onClose={onClose}
      onDone={() => {
        refresh();
        tellDone("Removed", schedule.name);
        onClose();
        onDone?.();
      }}
    >
      What it plays stays. The zones in which it was heard play what is planned without it.
    </Remove>
  );
}
